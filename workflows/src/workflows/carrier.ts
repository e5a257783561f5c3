import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  defineUpdate,
  isCancellation,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities, LaneReport, StepDecision } from '../activities/contract.ts';
import { names } from './names.ts';

export interface CarrierInput {
  readonly companyId: string;
  readonly carrierId: string;
  readonly planHash: string;
  /** Each run is on its own: its state, failures, parking and cancelling touch no other. */
  readonly runIds: readonly string[];
  /** Whether it takes over from a workflow whose history had grown long. */
  readonly continued?: boolean;
}

export interface DecideInput {
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
  readonly decision: StepDecision;
}

export interface WakeInput {
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
}

export const decideUpdate = defineUpdate<void, [DecideInput]>(names.decide);
export const wakeUpdate = defineUpdate<void, [WakeInput]>(names.wake);
export const cancelSignal = defineSignal<[{ readonly runId: string }]>(names.cancel);
/** Something happened that runs may have waited for; what it is, is in the ledger. */
export const lookSignal = defineSignal<[{ readonly runIds: readonly string[] }]>(names.look);

/** Events after which a carrier hands over to a fresh one, long before Temporal would end it. */
const HISTORY_EVENTS = 2_000;

/**
 * Local activities: what they do is in our own ledger, so history needs one marker a call and not one a step. What goes wrong at a vendor comes back as
 * a report; what does throw is the ledger being out of reach, and that is worth waiting for.
 */
const activities = proxyLocalActivities<Activities>({
  startToCloseTimeout: '90 seconds',
  scheduleToCloseTimeout: '1 day',
  localRetryThreshold: '10 seconds',
  retry: { initialInterval: '250 milliseconds', maximumInterval: '30 seconds', backoffCoefficient: 2 },
});

/** What this workflow knows of a run. */
interface Lane {
  /** Something changed; it is to be carried on. */
  woken: boolean;
  /** It is being carried on, or a step that waits for a time is being changed: never both at once. */
  held: boolean;
  /** Something is being done about it because somebody asked. */
  asked: boolean;
  cancelled: boolean;
  ended: boolean;
}

/**
 * Carries one or more runs of one plan of one company. The steps themselves run in `advance`; here is what must outlive a process: the waiting, the
 * timers, the decisions and the cancelling.
 */
export async function runCarrier(input: CarrierInput): Promise<void> {
  const { companyId, planHash, runIds } = input;
  const lanes = new Map<string, Lane>(
    runIds.map((runId) => [runId, { woken: false, held: true, asked: false, cancelled: false, ended: false }]),
  );

  setHandler(
    decideUpdate,
    async ({ runId, nodeId, iteration, decision }) => {
      const lane = lanes.get(runId);
      if (!lane) throw notParked(nodeId);
      const settle = (exclusive: boolean): Promise<boolean> =>
        inTurn(lane, () =>
          activities.settleStep({ companyId, planHash, runId, nodeId, iteration, decision, exclusive }),
        );
      // The first decision stands, and whoever comes second is told. What waits for a time can be given up too, but not while it may be begun.
      const settled =
        (await settle(false)) || (decision.action === 'abort' && (await holding(lane, () => settle(true))));
      // A worker may have recorded it and died: whoever comes next finds the step elsewhere. So the run is looked at again in either case, or it would
      // stand still with its decision made.
      lane.woken = true;
      if (!settled) throw notParked(nodeId);
    },
    {
      validator: ({ runId, nodeId }) => {
        if (!lanes.has(runId)) throw notParked(nodeId);
      },
    },
  );
  setHandler(
    wakeUpdate,
    async ({ runId, nodeId, iteration }) => {
      const lane = lanes.get(runId);
      const wake = () => activities.wakeStep({ companyId, runId, nodeId, iteration });
      if (!lane || !(await holding(lane, () => inTurn(lane, wake)))) throw notWaiting(nodeId);
      lane.woken = true;
    },
    {
      validator: ({ runId, nodeId }) => {
        if (!lanes.has(runId)) throw notWaiting(nodeId);
      },
    },
  );
  setHandler(cancelSignal, async ({ runId }) => {
    const lane = lanes.get(runId);
    if (!lane) return;
    await inTurn(lane, () => activities.cancelRun({ companyId, runId }));
    lane.cancelled = true;
  });
  setHandler(lookSignal, ({ runIds: woken }) => {
    for (const runId of woken) {
      const lane = lanes.get(runId);
      if (lane) lane.woken = true;
    }
  });

  try {
    const reports = await activities.advance({ companyId, planHash, runIds, first: !input.continued });
    for (const lane of lanes.values()) lane.held = false;
    const together = advanceTogether(input);
    await Promise.all(reports.map((report) => carry(report, lanes.get(report.runId), together)));
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // Someone ended the whole workflow in Temporal: its runs end with it, and say so.
    await CancellationScope.nonCancellable(() =>
      Promise.all(runIds.map((runId) => activities.cancelRun({ companyId, runId }))),
    );
    for (const lane of lanes.values()) lane.cancelled = true;
  }
  await condition(allHandlersFinished);
  const open = runIds.filter((runId) => !lanes.get(runId)?.ended && !lanes.get(runId)?.cancelled);
  if (open.length > 0) await continueAsNew<typeof runCarrier>({ ...input, runIds: open, continued: true });
}

/** Waits for whatever a run waits for, and has it carried on, until it ends or this workflow has grown long. */
async function carry(
  first: LaneReport,
  lane: Lane | undefined,
  advance: (runId: string) => Promise<LaneReport>,
): Promise<void> {
  let report = first;
  while (lane && !report.ended && !lane.cancelled) {
    if (hasGrownLong()) return;
    const isDue = (): boolean => lane.woken || lane.cancelled || hasGrownLong();
    if (report.wakeInMs === null) await condition(isDue);
    else if (report.wakeInMs > 0) await condition(isDue, report.wakeInMs);
    if (lane.cancelled || (hasGrownLong() && !lane.woken)) return;
    report = await holding(lane, () => {
      lane.woken = false;
      return advance(report.runId);
    });
  }
  if (lane && report.ended) lane.ended = true;
}

/** Carries runs on; those whose turn comes at the same moment, in one call. */
function advanceTogether({ companyId, planHash }: CarrierInput): (runId: string) => Promise<LaneReport> {
  let gathering: { readonly runIds: string[]; readonly reports: Promise<readonly LaneReport[]> } | undefined;
  const begin = (): NonNullable<typeof gathering> => {
    const runIds: string[] = [];
    const call = async (): Promise<readonly LaneReport[]> => {
      // Whoever was woken by the same signal or timer comes along.
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      gathering = undefined;
      return await activities.advance({ companyId, planHash, runIds });
    };
    return { runIds, reports: call() };
  };
  return async (runId) => {
    const { runIds, reports } = (gathering ??= begin());
    runIds.push(runId);
    const report = (await reports).find((candidate) => candidate.runId === runId);
    if (!report) throw new Error(`Nothing was said of run ${runId}`);
    return report;
  };
}

/** The same in a replay: Temporal tells both figures with every task. */
function hasGrownLong(): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength > HISTORY_EVENTS;
}

/** Works while nothing else does: a step that is being given up must not be begun meanwhile. */
async function holding<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
  while (lane.held) await condition(() => !lane.held);
  lane.held = true;
  try {
    return await work();
  } finally {
    lane.held = false;
  }
}

/**
 * What is asked about one run is done one after the other. Two local activities that end together reach the workflow together, but on replay one by one,
 * and what follows them would come in another order: Temporal would refuse to go on with the run.
 */
async function inTurn<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
  while (lane.asked) await condition(() => !lane.asked);
  lane.asked = true;
  try {
    return await work();
  } finally {
    lane.asked = false;
  }
}

function notParked(nodeId: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`Step "${nodeId}" is not waiting for a decision.`, 'step_not_parked');
}

function notWaiting(nodeId: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`Step "${nodeId}" is not waiting for its next try.`, 'step_not_waiting');
}
