import { readFile } from 'node:fs/promises';
import { until } from './until.ts';

/** The value below which so many of a hundred lie. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];
  if (value === undefined) throw new Error('Nothing was measured');
  return value;
}

/** Memory of a process that is in use, in mebibytes. */
export async function rssMb(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1_024);
}

/** What each of some processes has of the time of the processors that they have together, from now on: from 0 to 1, in their order. */
export async function openShares(pids: readonly (number | undefined)[]): Promise<() => Promise<readonly number[]>> {
  const look = () => Promise.all(pids.map(cpuTicks));
  const before = await look();
  return async () => {
    const had = (await look()).map((ticks, n) => ticks - (before[n] ?? 0));
    const together = had.reduce((sum, ticks) => sum + ticks, 0);
    return had.map((ticks) => Math.round((100 * ticks) / together) / 100);
  };
}

/** Time of the processor that a process has had, by itself and in the kernel, in the kernel's ticks. */
async function cpuTicks(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name, in brackets, may hold blanks.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Resolves at a time of `performance.now()`. */
export async function due(time: number): Promise<void> {
  await until('the next to be due', () => Promise.resolve(performance.now() >= time), {
    everyMs: Math.max(1, Math.min(5, time - performance.now())),
    withinMs: Math.max(0, time - performance.now()) + 10_000,
  });
}
