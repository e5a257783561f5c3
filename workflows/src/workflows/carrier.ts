import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  isCancellation,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import type { Activities, LaneReport, StepDecision } from '../activities/contract.ts';
import { names } from './names.ts';

export interface CarrierInput {
  readonly companyId: string;
  readonly carrierId: string;
  readonly planHash: string;
  /** Each run is on its own: its state, failures, parking and cancelling touch no other. */
  readonly runIds: readonly string[];
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

/** What this workflow knows of a run: only what it waits for. */
interface Lane {
  /** Steps that wait for a person and have no decision yet. */
  parked: Set<string>;
  /** Something changed; it is to be carried on. */
  woken: boolean;
  /** It is being carried on, or a step that waits for a time is being changed: never both at once. */
  held: boolean;
  /** Something is being done about it because somebody asked. */
  asked: boolean;
  cancelled: boolean;
}

/**
 * Carries one or more runs of one plan of one company. The steps themselves run in `advance`; here is what must outlive a process: the waiting, the
 * timers, the decisions and the cancelling.
 */
export async function runCarrier(input: CarrierInput): Promise<void> {
  const { companyId, planHash, runIds } = input;
  const lanes = new Map<string, Lane>(
    runIds.map((runId) => [runId, { parked: new Set(), woken: false, held: true, asked: false, cancelled: false }]),
  );

  setHandler(
    decideUpdate,
    async ({ runId, nodeId, iteration, decision }) => {
      const lane = lanes.get(runId);
      if (!lane) throw notParked(nodeId);
      const settle = () => activities.settleStep({ companyId, planHash, runId, nodeId, iteration, decision });
      // The first decision stands; whoever comes second is told that nothing waits any more.
      const settled = lane.parked.delete(nodeId)
        ? await inTurn(lane, settle)
        : await holding(lane, () => inTurn(lane, settle));
      // A worker may have recorded it and died: whoever comes next finds the step elsewhere. So the run is looked at again in either case, or it would
      // stand still with its decision made.
      lane.woken = true;
      // Carriers that began before it said so have nothing here.
      if (settled === false) throw notParked(nodeId);
    },
    {
      validator: ({ runId, nodeId, decision }) => {
        const lane = lanes.get(runId);
        // What waits for a time can be given up; the ledger knows whether it does.
        if (!lane || (decision.action !== 'abort' && !lane.parked.has(nodeId))) throw notParked(nodeId);
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

  try {
    const reports = await activities.advance({ companyId, planHash, runIds, first: true });
    for (const lane of lanes.values()) lane.held = false;
    await Promise.all(reports.map((report) => carry(input, report, lanes.get(report.runId))));
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // Someone ended the whole workflow in Temporal: its runs end with it, and say so.
    await CancellationScope.nonCancellable(() =>
      Promise.all(runIds.map((runId) => activities.cancelRun({ companyId, runId }))),
    );
  }
  await condition(allHandlersFinished);
}

/** Waits for whatever a run waits for, and has it carried on, until it ends. */
async function carry({ companyId, planHash }: CarrierInput, first: LaneReport, lane: Lane | undefined): Promise<void> {
  let report = first;
  while (lane && !report.ended && !lane.cancelled) {
    // A report that was overtaken by a decision is out of date: what it calls parked may be decided.
    if (!lane.woken) lane.parked = new Set(report.parked);
    const isDue = (): boolean => lane.woken || lane.cancelled;
    if (report.wakeInMs === null) await condition(isDue);
    else if (report.wakeInMs > 0) await condition(isDue, report.wakeInMs);
    if (lane.cancelled) return;
    [report = report] = await holding(lane, () => {
      lane.woken = false;
      return activities.advance({ companyId, planHash, runIds: [report.runId] });
    });
  }
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
