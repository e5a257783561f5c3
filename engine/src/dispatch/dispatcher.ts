import { listen, type DispatcherStore, type Store } from '@plumbline/db';
import type { Carriers } from '@plumbline/workflows/client';
import type { CrashPointReached } from '@plumbline/workflows/crash-points';
import type { Evaluator } from '@plumbline/workflows/evaluate/pool';
import type { Logger } from 'pino';
import { keepApprovals } from './approval-keeper.ts';
import { claimEvents, type QueuedRun } from './claim.ts';
import { fireDueSchedules } from './scheduler.ts';
import { startCarriers, type ConfirmedCarriers } from './start-carriers.ts';
import { wakeRuns } from './wake-runs.ts';

export interface DispatcherOptions {
  readonly store: Store;
  readonly dispatcher: DispatcherStore;
  readonly dispatcherUrl: string;
  readonly carriers: Carriers;
  readonly evaluator: Evaluator;
  /** Most runs in one carrier. */
  readonly runsPerCarrier: number;
  readonly log: Logger;
  readonly now: () => Date;
  readonly crashPoint?: CrashPointReached;
  readonly confirmed: ConfirmedCarriers;
}

/** How often it looks without being told, in case a notice was lost. */
const SWEEP_MS = 1_000;
/** A start that Temporal has not confirmed is repeated after this. */
const UNCONFIRMED_MS = 5_000;
const BATCH = 200;

/**
 * Turns stored events into runs. Any number of processes may run one: events are claimed with `skip locked`, runs are unique per event and
 * flow, and a carrier is started under an id that Temporal takes only once.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #stopListening: Promise<() => Promise<void>>;
  readonly #sweep: NodeJS.Timeout;
  #wake: (() => void) | undefined;
  #again = false;
  #stopped = false;
  readonly #loop: Promise<void>;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#stopListening = listen(options.dispatcherUrl, 'plumbline_events', () => this.look());
    this.#sweep = setInterval(() => this.look(), SWEEP_MS);
    this.#loop = this.#run();
  }

  /** Something may be waiting. */
  look(): void {
    this.#again = true;
    this.#wake?.();
  }

  /** Whether it waits for something to do. */
  get isIdle(): boolean {
    return this.#wake !== undefined && !this.#again;
  }

  async close(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#sweep);
    this.look();
    await this.#loop;
    await (
      await this.#stopListening
    )();
  }

  async #run(): Promise<void> {
    // Not by the clock on the wall: one that is put back would have everything wait until it is as late again.
    let lastRestart = -Infinity;
    while (!this.#stopped) {
      this.#again = false;
      try {
        const queued = await this.#claimAll();
        await startCarriers(this.#options, queued);
        const woken = await wakeRuns(this.#options);
        if (performance.now() - lastRestart >= SWEEP_MS) {
          lastRestart = performance.now();
          await this.#restartUnconfirmed();
          const fired = await fireDueSchedules(this.#options);
          const kept = await keepApprovals(this.#options);
          if (fired > 0 || kept.includes('expired')) continue;
        }
        if (queued.length > 0 || woken > 0) continue;
      } catch (error) {
        this.#options.log.error({ err: error }, 'dispatch did not get through; it looks again in a second');
      }
      if (!this.#again && !this.#stopped) await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
  }

  /** One batch per company and round, so that a company with thousands of events does not keep the others waiting. */
  async #claimAll(): Promise<QueuedRun[]> {
    const { store, evaluator, runsPerCarrier, log, now, crashPoint } = this.#options;
    const companies = await this.#options.dispatcher.companiesWithPendingEvents();
    const queued: QueuedRun[] = [];
    for (const companyId of companies) {
      try {
        const given = { store, evaluator, companyId, limit: BATCH, runsPerCarrier, now: now() };
        queued.push(...(await claimEvents(crashPoint ? { ...given, crashPoint } : given)));
      } catch (error) {
        log.error({ err: error, companyId }, 'events of this company could not be dispatched now');
      }
    }
    return queued;
  }

  /** Runs whose carrier may never have reached Temporal. */
  async #restartUnconfirmed(): Promise<void> {
    const waiting = await this.#options.dispatcher.unconfirmedRuns(
      new Date(this.#options.now().getTime() - UNCONFIRMED_MS),
      200,
    );
    if (waiting.length > 0) await startCarriers(this.#options, waiting);
  }
}
