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
  sleep,
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
  /** Of this decision. */
  readonly id?: string;
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
  /** Something was done about it; it is to be carried on. */
  woken: boolean;
  /** Temporal said that something happened to it, and maybe to others. */
  told: boolean;
  /** Ends its rest, if it rests. */
  rouse: (by: Rouser) => void;
  /** It is being carried on, or a step that waits for a time is being changed: never both at once. */
  readonly hold: Lock;
  /** Something is being done about it because somebody asked: one thing after the other. */
  readonly asked: Lock;
  cancelled: boolean;
  ended: boolean;
}

/** What ends a rest: its time, a word of Temporal's, something that was done about this run, or the workflow having grown long. */
type Rouser = 'time' | 'told' | 'asked' | 'long';

/**
 * Carries one or more runs of one plan of one company. The steps themselves run in `advance`; here is what must outlive a process: the waiting, the
 * timers, the decisions and the cancelling.
 */
export async function runCarrier(input: CarrierInput): Promise<void> {
  const { companyId, planHash, runIds } = input;
  const lanes = new Map(runIds.map((runId) => [runId, newLane()]));
  const ledger = oneByOne(activities);

  setHandler(
    decideUpdate,
    async ({ runId, nodeId, iteration, decision, id }) => {
      const lane = lanes.get(runId);
      if (!lane) throw notParked(nodeId);
      const settle = (exclusive: boolean): Promise<boolean> =>
        lane.asked.take(() =>
          ledger.settleStep({
            ...{ companyId, planHash, runId, nodeId, iteration, decision, exclusive },
            ...(id === undefined ? {} : { decisionId: id }),
          }),
        );
      // The first decision stands, and whoever comes second is told. What waits for a time can be given up too, but not while it may be begun.
      const settled =
        (await settle(false)) || (decision.action === 'abort' && (await lane.hold.take(() => settle(true))));
      // The run is looked at again in either case, or it might stand still with its decision made.
      wake(lane);
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
      const begin = () => ledger.wakeStep({ companyId, runId, nodeId, iteration });
      if (!lane || !(await lane.hold.take(() => lane.asked.take(begin)))) throw notWaiting(nodeId);
      wake(lane);
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
    await lane.asked.take(() => ledger.cancelRun({ companyId, runId }));
    lane.cancelled = true;
    lane.rouse('asked');
  });
  setHandler(lookSignal, ({ runIds: woken }) => {
    for (const runId of woken) {
      const lane = lanes.get(runId);
      if (!lane) continue;
      lane.told = true;
      lane.rouse('told');
    }
  });

  try {
    const first = ledger.advance({ companyId, planHash, runIds, first: !input.continued });
    await Promise.all([...lanes.values()].map((lane) => lane.hold.take(() => first)));
    const reports = await first;
    const together = advanceTogether(ledger, input);
    void condition(hasGrownLong).then(
      () => lanes.forEach((lane) => lane.rouse('long')),
      () => undefined,
    );
    await Promise.all(reports.map((report) => carry({ report, call: reports }, lanes.get(report.runId), together)));
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // When a task of Temporal's takes too long, its local activities are broken off, and say the same to whoever called them, though nobody cancelled anything.
    // Any error that is none of Temporal's has the task done again.
    if (!CancellationScope.current().consideredCancelled)
      throw new Error('A call was broken off with its task; the task is done again');
    // Someone ended the whole workflow in Temporal: its runs end with it, and say so.
    await CancellationScope.nonCancellable(() =>
      Promise.all(runIds.map((runId) => ledger.cancelRun({ companyId, runId }))),
    );
    for (const lane of lanes.values()) lane.cancelled = true;
  }
  await condition(allHandlersFinished);
  const open = runIds.filter((runId) => !lanes.get(runId)?.ended && !lanes.get(runId)?.cancelled);
  if (open.length > 0) await continueAsNew<typeof runCarrier>({ ...input, runIds: open, continued: true });
}

/** Where a run stands, and which call said so. */
interface Said {
  readonly report: LaneReport;
  readonly call: object;
}

/** Has a run carried on, with those that go on for the same cause; without a cause, on its own. */
type Advance = (runId: string, cause: object | string | undefined) => Promise<Said>;

/**
 * Waits for whatever a run waits for, and has it carried on, until it ends or this workflow has grown long.
 *
 * Runs may go on in one call when they do so because of one thing: a call that reported on all of them, or a task of Temporal's in which their timers
 * fired or they were named. On replay these come together again; what two calls brought does not.
 */
async function carry(first: Said, lane: Lane | undefined, advance: Advance): Promise<void> {
  let { report, call } = first;
  while (lane && !report.ended && !lane.cancelled) {
    if (hasGrownLong()) return;
    let cause: object | string | undefined = call;
    if (report.wakeInMs !== 0 && !lane.told) {
      const by = await rest(lane, report.wakeInMs);
      if (by === 'long') return;
      cause = by === 'asked' ? undefined : `task ${workflowInfo().historyLength}`;
    }
    if (lane.cancelled) return;
    const { runId } = report;
    const shared = lane.hold.isFree ? cause : undefined;
    ({ report, call } = await lane.hold.take(() => {
      lane.woken = false;
      lane.told = false;
      return advance(runId, shared);
    }));
  }
  if (lane && report.ended) lane.ended = true;
}

function newLane(): Lane {
  return {
    ...{ woken: false, told: false, cancelled: false, ended: false },
    ...{ rouse: () => undefined, hold: new Lock(), asked: new Lock() },
  };
}

function wake(lane: Lane): void {
  lane.woken = true;
  lane.rouse('asked');
}

/**
 * Lies still until it is roused, or for so long. Not by `condition`: Temporal looks at those of all runs only once everything else is done, in the order they
 * began.
 */
async function rest(lane: Lane, ms: number | null): Promise<Rouser> {
  if (lane.woken) return 'asked';
  const roused = new Promise<Rouser>((resolve) => (lane.rouse = resolve));
  const timer = new CancellationScope();
  const by = await Promise.race([
    roused,
    // Never comes, but breaks off when the whole workflow is ended.
    CancellationScope.current().cancelRequested,
    ...(ms === null ? [] : [timer.run(() => sleep(ms).then((): Rouser => 'time'))]),
  ]);
  lane.rouse = () => undefined;
  // Whoever takes over has timers of its own.
  if (by !== 'long') timer.cancel();
  return by;
}

/** Turns of the queue of promises until all that go on for one cause have said so. */
const GATHERING = 5;
/** Turns until everything that follows from one thing has been asked for. */
const ALL_THAT_FOLLOWS = 40;

function advanceTogether(ledger: Pick<Activities, 'advance'>, { companyId, planHash }: CarrierInput): Advance {
  const gatherings = new Map<object | string, { readonly runIds: string[]; readonly call: ReturnType<typeof begin> }>();
  const begin = async (runIds: readonly string[], cause?: object | string) => {
    await turns(GATHERING);
    if (cause !== undefined) gatherings.delete(cause);
    return await ledger.advance({ companyId, planHash, runIds });
  };
  const join = (runId: string, cause: object | string | undefined): ReturnType<typeof begin> => {
    if (cause === undefined) return begin([runId]);
    const known = gatherings.get(cause);
    known?.runIds.push(runId);
    if (known) return known.call;
    const runIds = [runId];
    const call = begin(runIds, cause);
    gatherings.set(cause, { runIds, call });
    return call;
  };
  return async (runId, cause) => {
    const call = await join(runId, cause);
    const report = call.find((candidate) => candidate.runId === runId);
    if (!report) throw new Error(`Nothing was said of run ${runId}`);
    return { report, call };
  };
}

/**
 * Hands on what calls brought one by one, each once everything is done that follows from the one before. Two local activities that end together reach the
 * workflow together, but on replay one by one; what follows them would be asked for in another order then, and Temporal would refuse to go on with the run.
 */
function oneByOne(calls: Activities): Activities {
  let last: Promise<unknown> = Promise.resolve();
  const inLine = async <T>(call: Promise<T>): Promise<T> => {
    await call.catch(() => undefined);
    await (last = last.then(() => turns(ALL_THAT_FOLLOWS)));
    return await call;
  };
  return {
    advance: (input) => inLine(calls.advance(input)),
    settleStep: (input) => inLine(calls.settleStep(input)),
    wakeStep: (input) => inLine(calls.wakeStep(input)),
    cancelRun: (input) => inLine(calls.cancelRun(input)),
  };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

/** The same in a replay: Temporal tells both figures with every task. */
function hasGrownLong(): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength > HISTORY_EVENTS;
}

/** Lets work in one at a time, in the order of asking. */
class Lock {
  #last: Promise<unknown> = Promise.resolve();
  #inside = 0;

  get isFree(): boolean {
    return this.#inside === 0;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    this.#inside++;
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#inside--;
    }
  }
}

function notParked(nodeId: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`Step "${nodeId}" is not waiting for a decision.`, 'step_not_parked');
}

function notWaiting(nodeId: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`Step "${nodeId}" is not waiting for its next try.`, 'step_not_waiting');
}
