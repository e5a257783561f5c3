import { isDatabaseAway } from './database-away.ts';

export interface GroupCommitOptions<Write, Receipt> {
  /** Writes a batch in one transaction; one receipt per write, in their order. */
  readonly apply: (companyId: string, writes: readonly Write[]) => Promise<readonly Receipt[]>;
  /** Most writes in one transaction. @default 200 */
  readonly limit?: number;
}

export interface Submitted {
  /** Writes of one lane of a company are committed in their order; lanes are committed side by side. @default '' */
  readonly lane?: string;
  /** Writes that build on each other, all of one lane: once one of them has failed, those after it fail as it did, and none is committed without what it builds on. */
  readonly chain?: object;
}

interface Waiting<Write, Receipt> {
  readonly write: Write;
  readonly chain: object | undefined;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Joins what many callers write at the same time into one transaction per company. Nobody is answered before their write is committed. A batch that fails is repeated write by write, so that one bad value fails alone; one that did not reach the database fails as a whole.
 */
export class GroupCommit<Write, Receipt> {
  readonly #options: GroupCommitOptions<Write, Receipt>;
  readonly #queues = new Map<string, Waiting<Write, Receipt>[]>();
  /** What went wrong in chains. */
  readonly #broken = new WeakMap<object, unknown>();

  constructor(options: GroupCommitOptions<Write, Receipt>) {
    this.#options = options;
  }

  /**
   * Resolves when the write is committed.
   * @throws what the database said about this very write, or about one before it in its chain.
   */
  submit(companyId: string, write: Write, { lane = '', chain }: Submitted = {}): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting<Write, Receipt> = { write, chain, resolve, reject };
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

  async #commit(companyId: string, given: readonly Waiting<Write, Receipt>[]): Promise<void> {
    const batch = given.filter((waiting) => !this.#isBroken(waiting));
    if (batch.length === 0) return;
    try {
      const receipts = await this.#options.apply(
        companyId,
        batch.map(({ write }) => write),
      );
      batch.forEach(({ resolve }, index) => resolve(receipts[index] as Receipt));
    } catch (error) {
      // Asked one by one, each would wait as long as the first for a database that does not answer.
      if (batch.length === 1 || isDatabaseAway(error)) for (const waiting of batch) this.#fail(waiting, error);
      else for (const one of batch) await this.#commit(companyId, [one]);
    }
  }

  #fail({ chain, reject }: Waiting<Write, Receipt>, error: unknown): void {
    if (chain) this.#broken.set(chain, error);
    reject(error);
  }

  /** Fails a write that builds on one that failed. */
  #isBroken(waiting: Waiting<Write, Receipt>): boolean {
    const { chain } = waiting;
    if (!chain || !this.#broken.has(chain)) return false;
    waiting.reject(this.#broken.get(chain));
    return true;
  }
}
