/** So long steps may begin one after the other before the event loop looks at what else has come in. */
const SLICE_MS = 3;

/**
 * Cuts what a process has to do into slices. When a commit answers dozens of runs at once, each goes on at once, and whatever arrives meanwhile, from whomever,
 * would wait for all of them. After a slice the rest stands in line, where companies take turns, and the event loop goes round once.
 */
export class Slices {
  /** When the slice under way began, on the clock of `performance.now()`. */
  #began: number | undefined;
  /** The company whose turn it is comes first. */
  readonly #line = new Map<string, (() => void)[]>();

  /** Whether whoever would go on now has to wait for their turn; if not, they go on without giving way, or all would be let through before anyone has begun. */
  isOver(): boolean {
    if (this.#began !== undefined) return this.#line.size > 0 || this.#hasLasted(this.#began);
    this.#began = performance.now();
    setImmediate(this.#begin);
    return false;
  }

  /** Resolves when the event loop has gone round, and it is the turn of this one of the company. */
  turn(companyId: string): Promise<void> {
    return new Promise((go) => {
      const own = this.#line.get(companyId);
      if (own) own.push(go);
      else this.#line.set(companyId, [go]);
    });
  }

  #hasLasted(began: number): boolean {
    return performance.now() - began > SLICE_MS;
  }

  readonly #begin = (): void => {
    this.#began = this.#line.size > 0 ? performance.now() : undefined;
    if (this.#began !== undefined) this.#go(this.#began);
  };

  #go(began: number): void {
    const [first] = this.#line;
    if (!first || this.#hasLasted(began)) {
      setImmediate(this.#begin);
      return;
    }
    const [companyId, waiting] = first;
    const go = waiting.shift();
    this.#line.delete(companyId);
    if (waiting.length > 0) this.#line.set(companyId, waiting);
    go?.();
    // Once everything that this one does at once is done.
    queueMicrotask(() => process.nextTick(() => this.#go(began)));
  }
}
