import { benchEvent, type Contender } from './contender.ts';
import type { Loopback } from './loopback.ts';

let serial = 0;

/** Runs per second at saturation: from the first event sent to the last POST received. */
export async function throughput(
  contender: Contender,
  loopback: Loopback,
  runs: number,
  inFlight: number,
): Promise<number> {
  const collected = loopback.collect(runs, 300_000);
  const began = performance.now();
  let left = runs;
  const batch = `${contender.name}-${serial++}`;
  const sender = async (): Promise<void> => {
    while (left > 0) await contender.send(benchEvent(`${batch}-${left--}`));
  };
  await Promise.all(Array.from({ length: inFlight }, sender));
  const times = await collected;
  return (runs / (quantile([...times.values()], 1) - began)) * 1_000;
}

/** Milliseconds from sending an event to the last POST it causes, one at a time on an idle system. */
export async function latencies(contender: Contender, loopback: Loopback, runs: number): Promise<number[]> {
  const measured: number[] = [];
  for (let run = 0; run < runs; run++) {
    const id = `${contender.name}-idle-${serial++}`;
    const collected = loopback.collect(1, 60_000);
    const began = performance.now();
    await contender.send(benchEvent(id));
    measured.push(((await collected).get(id) ?? Number.NaN) - began);
    // Idle means idle: what follows the last POST is not the next one's load.
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  return measured;
}

/** The value below which the share `q` of the values lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
