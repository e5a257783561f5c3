import { execFileSync } from 'node:child_process';
import type { Platform } from '@plumbline/engine/start/platform';
import type { Chance } from './profile.ts';

/** Processes that can be made to die; each returns the name of what it killed. */
export interface Killers {
  worker(): string;
  api(): string;
  temporal(): string;
  /** As `pg_ctl stop -m immediate` does: every session breaks off, nothing is written on the way out. */
  postgres(): string;
}

export function killersOf(platform: Platform, { pick }: Chance): Killers {
  return {
    worker: () => kill('worker', pick(platform.workers).pid, 'SIGKILL'),
    api: () => kill('api', pick(platform.apis).pid, 'SIGKILL'),
    temporal: () => kill('temporal', childOf(platform.temporal.pid()), 'SIGKILL'),
    postgres: () => kill('postgres', platform.postgres.pid(), 'SIGQUIT'),
  };
}

/** What is being started again at this moment is left alone. */
function kill(name: string, pid: number | undefined, signal: NodeJS.Signals): string {
  if (pid === undefined) return `no ${name}`;
  try {
    process.kill(pid, signal);
    return name;
  } catch {
    return `no ${name}`;
  }
}

/** Temporal's server stands under its tether. */
function childOf(tether: number | undefined): number | undefined {
  try {
    const [first] = execFileSync('pgrep', ['-P', String(tether)], { encoding: 'utf8' })
      .trim()
      .split('\n');
    return first === undefined ? undefined : Number(first);
  } catch {
    return undefined;
  }
}
