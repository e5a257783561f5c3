import type { Store } from '@plumbline/db';
import { again, closeNotices, tell } from '@plumbline/workflows/notices';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Accounting } from '../contract/index.ts';
import { account } from './accounting.ts';
import { reviveStanding } from './revive.ts';
import { closeTroubles } from './trouble-over.ts';

export interface AccountantOptions {
  readonly store: Store;
  /** Knows which companies there are. */
  readonly people: Pool;
  readonly log: Logger;
  readonly now: () => Date;
}

const EVERY_MS = 60_000;
/** The key of what people are told when the numbers do not add up. */
const KEY = 'accounting';

/**
 * Counts every company's events and runs once a minute, raises its voice when something is missing, has runs looked after that stand still, and closes what
 * people were told of that is over.
 */
export class Accountant {
  readonly #options: AccountantOptions;
  readonly #timer: NodeJS.Timeout;
  #counting: Promise<void> | undefined;
  #closed = false;

  constructor(options: AccountantOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      // A count that takes longer than a minute is not overtaken by the next.
      this.#counting ??= this.count().finally(() => (this.#counting = undefined));
    }, EVERY_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#counting;
  }

  /** Counts once; never throws. */
  async count(): Promise<void> {
    const { people, store, log, now } = this.#options;
    try {
      const { rows } = await people.query<{ id: string }>('select id from organizations');
      for (const { id } of rows) {
        if (this.#closed) return;
        const counted = await account(store, id, now());
        if (counted.ties) await store.tenant(id, (tx) => closeNotices(tx, { companyId: id, keys: [KEY], at: now() }));
        else await this.#raise(id, counted);
        await closeTroubles(store, id, now());
        const standing = await reviveStanding(store, id, now());
        if (standing > 0)
          log.warn({ companyId: id, runs: standing }, 'runs stood still; their carriers are looked after');
      }
    } catch (error) {
      log.warn({ err: error }, 'the accounts could not be drawn up; they are again in a minute');
    }
  }

  /** One notice while it lasts. */
  async #raise(companyId: string, { events, runs, at }: Accounting): Promise<void> {
    const { store, log } = this.#options;
    log.error({ companyId, events, runs }, 'events or runs are missing from the accounts');
    const news = {
      ...({ companyId, key: KEY, severity: 'error', at: new Date(at) } as const),
      title: 'Something that came in is not accounted for',
      body: `${events.ties ? '' : `Of ${events.acknowledged} events some neither started a run, nor wait, nor were ignored or dropped. `}${runs.ties ? '' : `Of ${runs.total} runs some are in no known state. `}Open Health, and send the numbers to support.`,
    };
    await store.tenant(companyId, (tx) => tell(tx, news, again.afterItWasOver));
  }
}
