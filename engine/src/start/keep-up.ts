import type { ChildProcess } from 'node:child_process';

/** A program of somebody else's that we run: PostgreSQL, Temporal. */
export interface KeptProgram {
  /** Ends when the program ends. */
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

export interface KeptUp<P extends KeptProgram> {
  /** The one that runs now, or that ran last. */
  current(): P;
  stop(): Promise<void>;
}

const AGAIN_MS = 1_000;

/** Starts a program again whenever it ends without being asked to, every second until it stands. */
export function keepUp<P extends KeptProgram>(options: {
  readonly first: P;
  /** Starts it in the same place, on the same port. */
  readonly again: () => Promise<P>;
  readonly onEnd: (reason: string) => void;
}): KeptUp<P> {
  let running = options.first;
  let stopping = false;
  let starting: Promise<void> | undefined;
  const start = async (): Promise<void> => {
    while (!stopping)
      try {
        running = await options.again();
        watch();
        return;
      } catch {
        // Its own log says why.
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
  };
  const watch = (): void => {
    const ended = (code: number | null): void => {
      if (stopping) return;
      options.onEnd(`code ${code}`);
      starting = start();
    };
    if (running.child.exitCode !== null) ended(running.child.exitCode);
    else running.child.once('exit', ended);
  };
  watch();
  return {
    current: () => running,
    stop: async () => {
      stopping = true;
      await starting;
      await running.stop();
    },
  };
}
