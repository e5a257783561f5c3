/** So long after a company last brought a run it is taken to be there. */
const THERE_MS = 5_000;

/** Whether a company has this process for itself. */
export class Neighbours {
  /** Who came last, and when somebody else last did before; on the clock of `performance.now()`. */
  #last = { companyId: '', at: -Infinity };
  #lastOther = -Infinity;

  /** A company brings a run. */
  came(companyId: string): void {
    if (companyId !== this.#last.companyId) this.#lastOther = this.#last.at;
    this.#last = { companyId, at: performance.now() };
  }

  /** Whether another company was here lately. */
  has(companyId: string): boolean {
    const other = this.#last.companyId === companyId ? this.#lastOther : this.#last.at;
    return performance.now() - other < THERE_MS;
  }
}
