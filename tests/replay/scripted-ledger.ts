import type { Activities, LaneReport } from '@plumbline/workflows/activities/contract';

/** Where a run stands after it was carried on. */
export type Standing = Omit<LaneReport, 'runId'> & {
  /** Steps that wait for a person from then on. */
  readonly parked?: readonly string[];
};

export const ended: Standing = { ended: true, wakeInMs: null };
export const parkedAt = (...parked: string[]): Standing => ({ ended: false, wakeInMs: null, parked });
export const wakes = (wakeInMs: number, ...parked: string[]): Standing => ({ ended: false, wakeInMs, parked });

/** A ledger that only does what a script says, call by call, so that the workflow alone decides what happens next. */
export class ScriptedLedger {
  /** Where each run stands after each time it was carried on; once the script is over, it has ended. */
  readonly #scripts = new Map<string, Standing[]>();
  readonly #times = new Map<string, number>();
  /** Calls that fail before one succeeds, by `activity run`. */
  readonly #failures = new Map<string, number>();
  /** Calls that wait until they are let go, by `activity run`. */
  readonly #held = new Map<string, Promise<void>>();
  /** Calls that take a while, in milliseconds, by `activity run`. */
  readonly #slow = new Map<string, number>();
  /** Steps that wait for a decision, `run node`; each takes one. */
  readonly #parked = new Set<string>();
  /** Steps that wait for a time, `run node`; each can be woken, and given up once. */
  readonly #timed = new Set<string>();
  /** Steps whose decision comes too late, `run node`. */
  readonly #settledElsewhere = new Set<string>();
  /** Runs whose reports come in the reverse of the order asked for. */
  readonly #reversed = new Set<string>();
  readonly #cancelled = new Set<string>();

  write(runId: string, script: readonly Standing[]): void {
    this.#scripts.set(runId, [...script]);
  }

  /** How often a run was carried on. */
  times(runId: string): number {
    return this.#times.get(runId) ?? 0;
  }

  isCancelled(runId: string): boolean {
    return this.#cancelled.has(runId);
  }

  fail(activity: keyof Activities, runId: string, times: number): void {
    this.#failures.set(`${activity} ${runId}`, times);
  }

  /** Holds calls until what it returns is called. */
  hold(activity: keyof Activities, runId: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const name = `${activity} ${runId}`;
    this.#held.set(name, promise);
    return () => {
      this.#held.delete(name);
      resolve();
    };
  }

  slow(runId: string, ms: number, activity: keyof Activities = 'advance'): void {
    this.#slow.set(`${activity} ${runId}`, ms);
  }

  /** Makes a step one that waits for a time. */
  timed(runId: string, nodeId: string): void {
    this.#timed.add(`${runId} ${nodeId}`);
  }

  settledElsewhere(runId: string, nodeId: string): void {
    this.#settledElsewhere.add(`${runId} ${nodeId}`);
  }

  reverse(runId: string): void {
    this.#reversed.add(runId);
  }

  /** What a worker registers. */
  readonly activities: Activities = {
    advance: async ({ runIds }) => {
      for (const runId of runIds) await this.#pass('advance', runId);
      const reports = runIds.map((runId) => {
        this.#times.set(runId, this.times(runId) + 1);
        const { parked = [], ...report } = this.#scripts.get(runId)?.shift() ?? ended;
        for (const nodeId of parked) this.#parked.add(`${runId} ${nodeId}`);
        return { runId, ...report };
      });
      return runIds.some((runId) => this.#reversed.has(runId)) ? reports.reverse() : reports;
    },
    settleStep: async ({ runId, nodeId, decision, exclusive }) => {
      await this.#pass('settleStep', runId);
      const name = `${runId} ${nodeId}`;
      if (this.#settledElsewhere.has(name)) return false;
      return this.#parked.delete(name) || (decision.action === 'abort' && exclusive && this.#timed.delete(name));
    },
    wakeStep: async ({ runId, nodeId }) => {
      await this.#pass('wakeStep', runId);
      return this.#timed.has(`${runId} ${nodeId}`);
    },
    cancelRun: async ({ runId }) => {
      await this.#pass('cancelRun', runId);
      this.#cancelled.add(runId);
    },
  };

  async #pass(activity: keyof Activities, runId: string): Promise<void> {
    const name = `${activity} ${runId}`;
    await this.#held.get(name);
    await new Promise((resolve) => setTimeout(resolve, this.#slow.get(name) ?? 0));
    const left = this.#failures.get(name) ?? 0;
    if (left === 0) return;
    this.#failures.set(name, left - 1);
    throw new Error('The ledger is out of reach');
  }
}
