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

/** Resolves at a time of `performance.now()`. */
export async function due(time: number): Promise<void> {
  await until('the next to be due', () => Promise.resolve(performance.now() >= time), {
    everyMs: Math.max(1, Math.min(5, time - performance.now())),
    withinMs: Math.max(0, time - performance.now()) + 10_000,
  });
}
