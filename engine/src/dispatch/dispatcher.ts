import { listen, type DispatcherStore, type Store } from '@plumbline/db';
import type { Carriers } from '@plumbline/workflows/client';
import type { CrashPointReached } from '@plumbline/workflows/crash-points';
import type { Evaluator } from '@plumbline/workflows/evaluate/pool';
import type { Logger } from 'pino';
import { keepApprovals } from './approval-keeper.ts';
import { claimEvents } from './claim.ts';
import { EVENTS_CHANNEL } from './channel.ts';
import { InTurns } from './in-turns.ts';
import { fireDueSchedules } from './scheduler.ts';
import { ConfirmedCarriers, startCarriers } from './start-carriers.ts';
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
  /** Waits until this process may begin runs of a company; undefined when it may now. */
  readonly roomFor: (companyId: string) => Promise<void> | undefined;
}

/** How often it looks without being told, in case a notice was lost. */
const SWEEP_MS = 1_000;
/** A start that Temporal has not confirmed is repeated after this. */
const UNCONFIRMED_MS = 5_000;
/** Events of one company that are claimed at once: more would keep a busy worker from everything else for too long. */
const BATCH = 100;
/** Companies whose events are claimed side by side; each takes a connection of the pool, which the runs need too. */
const SIDE_BY_SIDE = 4;

/**
 * Turns stored events into runs. Any number of processes may run one: events are claimed with `skip locked`, runs are unique per event and
 * flow, and a carrier is started under an id that Temporal takes only once.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions & { readonly confirmed: ConfirmedCarriers };
  readonly #turns: InTurns;
  readonly #stopListening: Promise<() => Promise<void>>;
  readonly #sweep: NodeJS.Timeout;
  /** Companies whose events stay in line until there is room for their runs: there they can still be put first, or dropped. */
  readonly #crowded = new Set<string>();
  #wake: (() => void) | undefined;
  #again = false;
  #sweepIsDue = true;
  #stopped = false;
  readonly #loop: Promise<void>;

  constructor(options: DispatcherOptions) {
    this.#options = { ...options, confirmed: new ConfirmedCarriers() };
    this.#turns = new InTurns((companyId) => this.#dispatch(companyId), SIDE_BY_SIDE);
    this.#stopListening = listen(options.dispatcherUrl, EVENTS_CHANNEL, (companyId) => {
      this.#turns.ask(companyId);
      this.#lookAround();
    });
    const sweep = (): void => {
      this.#sweepIsDue = true;
      this.#lookAround();
    };
    // What arrived after the first look and before anybody listened.
    void this.#stopListening.then(sweep);
    this.#sweep = setInterval(sweep, SWEEP_MS);
    this.#loop = this.#run();
  }

  async close(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#sweep);
    this.#lookAround();
    await Promise.all([this.#loop, this.#turns.close()]);
    await (
      await this.#stopListening
    )();
  }

  #lookAround(): void {
    this.#again = true;
    this.#wake?.();
  }

  /** What is not about new events of one company: runs to be woken, times that have come, and what a notice was lost of. */
  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#again = false;
      try {
        const woken = await wakeRuns(this.#options);
        if (this.#sweepIsDue) {
          this.#sweepIsDue = false;
          for (const companyId of await this.#options.dispatcher.companiesWithPendingEvents())
            this.#turns.ask(companyId);
          await this.#restartUnconfirmed();
          await fireDueSchedules(this.#options);
          await keepApprovals(this.#options);
        }
        if (woken > 0) continue;
      } catch (error) {
        this.#options.log.error({ err: error }, 'dispatch did not get through; it looks again in a second');
      }
      if (!this.#again && !this.#stopped) await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
  }

  /** Turns a batch of a company's events into runs. @returns whether there may be more. */
  async #dispatch(companyId: string): Promise<boolean> {
    if (this.#waitsForRoom(companyId)) return false;
    const { store, evaluator, runsPerCarrier, log, now, crashPoint } = this.#options;
    try {
      const given = { store, evaluator, companyId, limit: BATCH, runsPerCarrier, now: now() };
      const { settled, runs } = await claimEvents(crashPoint ? { ...given, crashPoint } : given);
      await startCarriers(this.#options, runs);
      return settled > 0;
    } catch (error) {
      log.error({ err: error, companyId }, 'events of this company could not be dispatched now; the next look is soon');
      return false;
    }
  }

  #waitsForRoom(companyId: string): boolean {
    if (this.#crowded.has(companyId)) return true;
    const room = this.#options.roomFor(companyId);
    if (!room) return false;
    this.#crowded.add(companyId);
    void room.then(() => {
      this.#crowded.delete(companyId);
      this.#turns.ask(companyId);
    });
    return true;
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
