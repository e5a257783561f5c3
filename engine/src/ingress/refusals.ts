import type { Store } from '@plumbline/db';
import type { Logger } from 'pino';

interface Tally {
  readonly companyId: string;
  readonly subscriptionId: string;
  count: number;
  code: string;
  at: Date;
}

/** So often the counts are written: whoever posts rubbish must not make us write once for each. */
const FLUSH_MS = 1_000;

/** Counts the deliveries that an address refused. Nothing else of them is kept. */
export class Refusals {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #tallies = new Map<string, Tally>();
  #timer: NodeJS.Timeout | undefined;

  constructor(store: Store, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  count(endpoint: { readonly companyId: string; readonly subscriptionId: string }, code: string, at: Date): void {
    const { companyId, subscriptionId } = endpoint;
    const tally = this.#tallies.get(subscriptionId) ?? { companyId, subscriptionId, count: 0, code, at };
    Object.assign(tally, { count: tally.count + 1, code, at });
    this.#tallies.set(subscriptionId, tally);
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const tallies = [...this.#tallies.values()];
    this.#tallies.clear();
    for (const { companyId, subscriptionId, count, code, at } of tallies)
      await this.#store
        .tenant(companyId, (tx) =>
          tx
            .updateTable('subscriptions')
            .set((eb) => ({ refused: eb('refused', '+', count), refused_at: at, refused_code: code }))
            .where('company_id', '=', companyId)
            .where('id', '=', subscriptionId)
            .execute(),
        )
        .catch((error: unknown) =>
          this.#log.warn({ err: error, companyId }, 'refused deliveries could not be counted'),
        );
  }
}
