/**
 * Does work for companies, a few of them side by side, in the order in which they asked. One that is not done after its piece goes to the end of the line, so
 * that a company with thousands of events keeps nobody else waiting for longer than a piece takes.
 */
export class InTurns {
  readonly #piece: (companyId: string) => Promise<boolean>;
  readonly #sideBySide: number;
  /** In the order of asking. */
  readonly #line = new Set<string>();
  readonly #now = new Map<string, Promise<void>>();
  #closed = false;

  /**
   * @param piece Does a piece of a company's work, and says whether there may be more. It does not throw.
   * @param sideBySide How many companies at once.
   */
  constructor(piece: (companyId: string) => Promise<boolean>, sideBySide: number) {
    this.#piece = piece;
    this.#sideBySide = sideBySide;
  }

  /** There may be something to do. What is asked for while a piece is done is looked at after it. */
  ask(companyId: string): void {
    if (this.#closed) return;
    this.#line.add(companyId);
    this.#next();
  }

  /** Begins nothing new, and resolves once what is under way is done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#line.clear();
    await Promise.all(this.#now.values());
  }

  #next(): void {
    for (const companyId of this.#line) {
      if (this.#now.size >= this.#sideBySide) return;
      if (this.#now.has(companyId)) continue;
      this.#line.delete(companyId);
      this.#now.set(companyId, this.#do(companyId));
    }
  }

  async #do(companyId: string): Promise<void> {
    const more = await this.#piece(companyId);
    this.#now.delete(companyId);
    if (more && !this.#closed) this.#line.add(companyId);
    this.#next();
  }
}
