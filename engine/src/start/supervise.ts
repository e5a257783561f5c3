import { fork, type ChildProcess } from 'node:child_process';
import { openSync } from 'node:fs';

export interface ServiceOptions {
  readonly name: string;
  readonly entry: URL;
  /** Loaded before it, and into each of its threads. */
  readonly preload?: URL;
  readonly environment: NodeJS.ProcessEnv;
  /** Takes what it logs, appended. */
  readonly log: string;
  /** Called when it ended without being asked to, before it is started again. */
  readonly onRestart?: (name: string, reason: string) => void;
}

/** One of our own processes, started again whenever it dies. */
export class Service {
  readonly #options: ServiceOptions;
  #child: ChildProcess | undefined;
  #stopping = false;
  #failures = 0;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Of the process that runs now. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it and waits until it says that it is ready. @throws Error with the last lines it wrote when it ends before. */
  async start(): Promise<void> {
    const { entry, preload, log } = this.#options;
    const out = openSync(log, 'a');
    const child = fork(entry, {
      env: this.#options.environment,
      stdio: ['ignore', out, out, 'ipc'],
      execArgv: ['--disable-warning=ExperimentalWarning', ...(preload ? ['--import', preload.href] : [])],
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        reject(
          new Error(
            `${this.#options.name} ended with ${signal ?? `code ${code}`} before it was ready. Its log: ${this.#options.log}`,
          ),
        ),
      );
    });
    this.#failures = 0;
    child.once('exit', (code, signal) => void this.#again(signal ?? `code ${code}`));
  }

  /** Asks it to end, and waits. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const impatient = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(impatient);
  }

  async #again(reason: string): Promise<void> {
    while (!this.#stopping) {
      this.#options.onRestart?.(this.#options.name, reason);
      await new Promise((resolve) => setTimeout(resolve, Math.min(250 * 2 ** this.#failures, 15_000)));
      this.#failures += 1;
      if (this.#stopping) return;
      try {
        return await this.start();
      } catch {
        // its log says why; the next try follows
      }
    }
  }
}
