import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Health } from '../contract/index.ts';

const runningSchema = z.object({ pid: z.int(), origin: z.url() });

/** Notes which start uses a data directory, so that a second one and `npm run demo` find it. */
export async function noteRunning(dataDir: string, origin: string): Promise<() => Promise<void>> {
  const file = join(dataDir, 'running.json');
  await writeFile(file, JSON.stringify({ pid: process.pid, origin }));
  return () => rm(file, { force: true });
}

/** The start that uses this data directory now, if one does. */
export async function findRunning(
  dataDir: string,
): Promise<{ readonly pid: number; readonly origin: string; readonly healthy: boolean } | undefined> {
  const text = await readFile(join(dataDir, 'running.json'), 'utf8').catch(() => undefined);
  const parsed = runningSchema.safeParse(text === undefined ? undefined : safeJson(text));
  if (!parsed.success || !isAlive(parsed.data.pid)) return undefined;
  const health = await fetch(`${parsed.data.origin}/api/health`, { signal: AbortSignal.timeout(3_000) })
    .then((answer) => answer.json() as Promise<Health>)
    .catch(() => undefined);
  // A pid may have been given to another program since: only one that answers as ours counts.
  return health ? { ...parsed.data, healthy: health.status === 'ok' } : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
