/** Names that were added within a time: those from before are forgotten as others come. By this process's own clock. */
export class Lately {
  readonly #ms: number;
  /** Oldest first. */
  readonly #until = new Map<string, number>();

  constructor(ms: number) {
    this.#ms = ms;
  }

  has(name: string): boolean {
    return (this.#until.get(name) ?? 0) > performance.now();
  }

  add(name: string): void {
    const now = performance.now();
    for (const [other, until] of this.#until) {
      if (until > now) break;
      this.#until.delete(other);
    }
    // One that is added again is the youngest.
    this.#until.delete(name);
    this.#until.set(name, now + this.#ms);
  }

  delete(name: string): void {
    this.#until.delete(name);
  }
}
