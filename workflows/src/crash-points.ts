import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** Places where a process may die at the worst moment, in the order an event passes them. */
export const crashPoints = [
  'after-event-stored',
  'before-runs-written',
  'after-runs-written',
  'after-carrier-started',
  'after-run-taken-up',
  'after-claim',
  'after-intent',
  'before-token-refresh',
  'mid-token-refresh',
  'after-token-refresh',
  'after-vendor-call',
  'before-step-recorded',
  'after-step-recorded',
  'after-wait-opened',
  'mid-loop',
  'after-turn-closed',
  'mid-scope',
  'before-undo',
  'mid-undo',
  'after-scope-undone',
  'before-run-ended',
  'after-run-ended',
  'mid-decision',
  'after-decision',
  'after-cancel',
] as const;

export type CrashPoint = (typeof crashPoints)[number];

/** Says that the process passes a point, and with what in its hands: a delivery, a plan, a node, a connection or a run. */
export type CrashPointReached = (point: CrashPoint, subject: string) => void;

/**
 * For fault tests: SIGKILL at the points that files in a folder name, once each. A file is called `<point>` or `<point>~<anything>` and holds the
 * subject; an empty one holds for all. Of several processes that come to a point at once, one renames the file to `.<name>` and dies.
 */
export function crashesBy(folder: string): CrashPointReached {
  return (point, subject) => {
    for (const file of readdirSync(folder)) {
      if (file.split('~', 1)[0] !== point) continue;
      try {
        const wanted = readFileSync(join(folder, file), 'utf8');
        if (wanted !== '' && wanted !== subject) continue;
        renameSync(join(folder, file), join(folder, `.${file}`));
      } catch {
        continue; // another process died of it
      }
      process.kill(process.pid, 'SIGKILL');
    }
  };
}
