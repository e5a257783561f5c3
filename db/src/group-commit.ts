import { isDatabaseAway } from './database-away.ts';

export interface GroupCommitOptions<Write, Receipt> {
  /** Writes a batch in one transaction; one receipt per write, in their order. */
  readonly apply: (companyId: string, writes: readonly Write[]) => Promise<readonly Receipt[]>;
  /** Most writes in one transaction. @default 200 */
  readonly limit?: number;
}

interface Waiting<Write, Receipt> {
  readonly write: Write;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Joins what many callers write at the same time into one transaction per company. Nobody is answered before their write is committed. A batch that fails is repeated write by write, so that one bad value fails alone; one that did not reach the database fails as a whole.
 */
export class GroupCommit<Write, Receipt> {
  readonly #options: GroupCommitOptions<Write, Receipt>;
  readonly #queues = new Map<string, Waiting<Write, Receipt>[]>();

  constructor(options: GroupCommitOptions<Write, Receipt>) {
    this.#options = options;
  }

  /**
   * Resolves when the write is committed. Writes of one lane of a company are committed in their order; lanes are committed side by side.
   * @throws what the database said about this very write.
   */
  submit(companyId: string, write: Write, lane = ''): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting<Write, Receipt> = { write, resolve, reject };
      const name = `${companyId}/${lane}`;
      const queue = this.#queues.get(name);
      if (queue) {
        queue.push(waiting);
        return;
      }
      this.#queues.set(name, [waiting]);
      // Whoever is ready in the same turn of the event loop comes along.
      setImmediate(() => void this.#drain(companyId, name));
    });
  }

  async #drain(companyId: string, name: string): Promise<void> {
    const queue = this.#queues.get(name) ?? [];
    while (queue.length > 0) await this.#commit(companyId, queue.splice(0, this.#options.limit ?? 200));
    this.#queues.delete(name);
  }

  async #commit(companyId: string, batch: readonly Waiting<Write, Receipt>[]): Promise<void> {
    try {
      const receipts = await this.#options.apply(
        companyId,
        batch.map(({ write }) => write),
      );
      batch.forEach(({ resolve }, index) => resolve(receipts[index] as Receipt));
    } catch (error) {
      const [only] = batch;
      if (batch.length === 1) only?.reject(error);
      // Asked one by one, each would wait as long as the first for a database that does not answer.
      else if (isDatabaseAway(error)) for (const { reject } of batch) reject(error);
      else for (const one of batch) await this.#commit(companyId, [one]);
    }
  }
}
