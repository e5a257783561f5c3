import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface TetherOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Asks the program to stop. @default SIGTERM */
  readonly signal?: NodeJS.Signals;
  /** Takes both outputs, appended. */
  readonly log?: string;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a program that dies with us, even when we are killed. */
export function tether(options: TetherOptions): ChildProcess {
  const flags: string[] = ['--signal', options.signal ?? 'SIGTERM'];
  if (options.log) flags.push('--log', options.log);
  if (options.cwd) flags.push('--cwd', options.cwd);
  if (options.uid !== undefined) flags.push('--uid', String(options.uid), '--gid', String(options.gid ?? options.uid));
  return spawn(
    process.execPath,
    [fileURLToPath(new URL('./tether.mjs', import.meta.url)), ...flags, '--', options.command, ...options.args],
    {
      stdio: ['pipe', 'ignore', 'pipe'],
      ...(options.env ? { env: options.env } : {}),
    },
  );
}

/** Stops a tethered program and waits for its end. */
export async function untether(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.stdin?.end();
  });
}
