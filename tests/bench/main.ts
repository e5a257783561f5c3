/** `npm run bench`: flow B1 in Plumbline and by hand, on this machine, alternating; medians of three rounds. `--json` prints one object. */
import { parseArgs } from 'node:util';
import { handWritten } from './temporal.ts';
import { startLoopback } from './loopback.ts';
import { latencies, median, quantile, throughput } from './measure.ts';
import { plumbline } from './plumbline.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    rounds: { type: 'string', default: '3' },
    runs: { type: 'string', default: '600' },
    only: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const runs = Number(values.runs);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const figures: Record<string, number[]> = {};
const note = (name: string, value: number): void => {
  (figures[name] ??= []).push(value);
  say(`  ${name.padEnd(32)} ${value.toFixed(1)}`);
};

const loopback = await startLoopback();
const ours = await plumbline('b1', loopback.origin);
const theirs = values.only === 'plumbline' ? undefined : await handWritten(loopback.origin);
try {
  // Once for nothing: caches, connections, just-in-time compilation.
  await throughput(ours, loopback, 60, 16);
  if (theirs) for (const contender of [theirs.local, theirs.activities]) await throughput(contender, loopback, 20, 8);
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}`);
    const idle = await latencies(ours, loopback, 40);
    note('b1_idle_p50_ms', quantile(idle, 0.5));
    note('b1_idle_p99_ms', quantile(idle, 0.99));
    note('b1_runs_per_s', await throughput(ours, loopback, runs, 64));
    note('b1_doubled', loopback.doubled());
    if (!theirs) continue;
    const local = await latencies(theirs.local, loopback, 40);
    note('temporal_local_idle_p50_ms', quantile(local, 0.5));
    note('temporal_local_runs_per_s', await throughput(theirs.local, loopback, Math.min(runs, 150), 16));
    note('temporal_activities_runs_per_s', await throughput(theirs.activities, loopback, Math.min(runs, 80), 16));
  }
} finally {
  await theirs?.[Symbol.asyncDispose]();
  await ours[Symbol.asyncDispose]();
  await loopback[Symbol.asyncDispose]();
}
const result = Object.fromEntries(
  Object.entries(figures).map(([name, list]) => [name, Number(median(list).toFixed(1))]),
);
if (result['b1_runs_per_s'] && result['temporal_local_runs_per_s'])
  result['ratio_to_temporal_local'] = Number(
    (result['b1_runs_per_s'] / result['temporal_local_runs_per_s']).toFixed(2),
  );
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else for (const [name, value] of Object.entries(result)) process.stdout.write(`${name.padEnd(34)} ${value}\n`);
process.exit(0);
