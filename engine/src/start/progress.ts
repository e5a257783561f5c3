import pc from 'picocolors';

/** Shows what is being done: one line a subject, rewritten in place on a terminal, printed once it is done elsewhere. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #began = new Map<string, number>();
  readonly #lines: string[] = [];
  readonly #texts = new Map<string, string>();

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
  }

  /** Says what is done about a subject now. */
  step = (subject: string, text: string): void => {
    if (!this.#began.has(subject)) {
      this.#began.set(subject, performance.now());
      this.#lines.push(subject);
    }
    this.#texts.set(subject, text);
    const seconds = ((performance.now() - (this.#began.get(subject) ?? 0)) / 1_000).toFixed(1);
    const line = `  ${subject.padEnd(12)} ${text}${pc.dim(`  ${seconds} s`)}`;
    if (!this.#out.isTTY) {
      this.#out.write(`${line}\n`);
      return;
    }
    const up = this.#lines.length - this.#lines.indexOf(subject);
    if (this.#texts.size === this.#lines.length && this.#drawn.has(subject))
      this.#out.write(`\x1b[${up}A\r\x1b[2K${line}\x1b[${up}B\r`);
    else this.#out.write(`${line}\n`);
    this.#drawn.add(subject);
  };

  readonly #drawn = new Set<string>();
}
