/** `npm run bench`: flow B1 in Plumbline and by hand, on this machine, alternating; medians of three rounds. `--json` prints one object. Fails when a bar is missed. */
import { parseArgs } from 'node:util';
import { judge } from './bars.ts';
import {
  acknowledging,
  burst,
  evaluations,
  histories,
  loopItems,
  stepOverhead,
  waitingCost,
  workerMemory,
} from './engine.ts';
import { handWritten } from './temporal.ts';
import { startLoopback } from './loopback.ts';
import { n8n } from './n8n.ts';
import { latencies, median, quantile, throughput } from './measure.ts';
import { plumbline } from './plumbline.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    rounds: { type: 'string', default: '3' },
    runs: { type: 'string', default: '600' },
    only: { type: 'string' },
    /** Leaves out all but B1. */
    short: { type: 'boolean' },
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

/** What is ours alone, and has nobody to be compared with. */
async function engineFigures(): Promise<void> {
  say('the engine alone');
  const kept = await histories(ours, runs);
  note('history_bytes_per_run', kept.bytesPerRun);
  note('step_overhead_ms', await stepOverhead(ours, loopback, 20));
  const { perSecond, p50, p99 } = await acknowledging(ours, 5_000);
  note('ack_per_s', perSecond);
  note('ack_p50_ms', p50);
  note('ack_p99_ms', p99);
  const rush = await burst(ours, loopback, 10_000, 60);
  note('burst_ack_p50_ms', rush.p50);
  note('burst_ack_p99_ms', rush.p99);
  note('burst_ack_max_ms', rush.max);
  note('burst_doubled', rush.doubled);
  note('eval_per_s', await evaluations(5_000));
  note('loop_items_per_s', await loopItems(ours, loopback, 10_000));
  for (const waiting of [10, 100, 1_000, 10_000]) {
    const { waitMs, wakeMs } = await waitingCost(ours, loopback, waiting);
    note(`waiting_${waiting}_ms_per_run`, waitMs);
    note(`waking_${waiting}_ms_per_run`, wakeMs);
  }
  const memory = await workerMemory();
  if (memory !== undefined) note('worker_rss_mb_after', memory);
  note('doubled', loopback.doubled());
}

const loopback = await startLoopback();
const n8nFolder = process.env['PLUMBLINE_BENCH_N8N'];
const ours = await plumbline('b1', loopback.origin);
// With a Temporal workflow for every run, as the hand-written ones have.
let alone = values.short ? undefined : await plumbline('b1-alone', loopback.origin, { PLUMBLINE_CARRIER_RUNS: '1' });
const theirs = values.only === 'plumbline' ? undefined : await handWritten(loopback.origin);
if (n8nFolder) say(`n8n from ${n8nFolder} is started`);
const other = n8nFolder ? await n8n(loopback.origin, n8nFolder) : undefined;
try {
  // Once for nothing: caches, connections, just-in-time compilation.
  await throughput(ours, loopback, 300, 16);
  await latencies(ours, loopback, 40);
  if (alone) await throughput(alone, loopback, 100, 16);
  if (theirs)
    for (const contender of [theirs.local, theirs.activities]) {
      await throughput(contender, loopback, 100, 8);
      await latencies(contender, loopback, 20);
    }
  if (other) {
    await throughput(other, loopback, 40, 8);
    await latencies(other, loopback, 10);
  }
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}`);
    const idle = await latencies(ours, loopback, 150);
    note('b1_idle_p50_ms', quantile(idle, 0.5));
    note('b1_idle_p99_ms', quantile(idle, 0.99));
    note('b1_runs_per_s', await throughput(ours, loopback, runs, 64));
    note('b1_doubled', loopback.doubled());
    if (alone) note('b1_one_per_carrier_runs_per_s', await throughput(alone, loopback, Math.min(runs, 300), 64));
    if (other) {
      note('n8n_idle_p50_ms', quantile(await latencies(other, loopback, 20), 0.5));
      note('n8n_runs_per_s', await throughput(other, loopback, Math.min(runs, 100), 16));
    }
    if (!theirs) continue;
    const local = await latencies(theirs.local, loopback, 40);
    note('temporal_local_idle_p50_ms', quantile(local, 0.5));
    note('temporal_local_runs_per_s', await throughput(theirs.local, loopback, Math.min(runs, 150), 16));
    note('temporal_activities_runs_per_s', await throughput(theirs.activities, loopback, Math.min(runs, 80), 16));
  }
  // The rest is about ours alone.
  await alone?.[Symbol.asyncDispose]();
  alone = undefined;
  if (!values.short) await engineFigures();
} finally {
  await theirs?.[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
  await ours[Symbol.asyncDispose]();
  await alone?.[Symbol.asyncDispose]();
  await loopback[Symbol.asyncDispose]();
}
const result = Object.fromEntries(
  Object.entries(figures).map(([name, list]) => [name, Number(median(list).toFixed(1))]),
);
for (const [ratio, one, other] of [
  ['ratio_to_temporal_local', 'b1_runs_per_s', 'temporal_local_runs_per_s'],
  ['ratio_to_n8n', 'b1_runs_per_s', 'n8n_runs_per_s'],
  ['one_per_carrier_to_temporal_local', 'b1_one_per_carrier_runs_per_s', 'temporal_local_runs_per_s'],
] as const)
  if (result[one] && result[other]) result[ratio] = Number((result[one] / result[other]).toFixed(2));
const bars = judge(result);
if (values.json) process.stdout.write(`${JSON.stringify({ ...result, bars })}\n`);
else {
  for (const [name, value] of Object.entries(result)) process.stdout.write(`${name.padEnd(34)} ${value}\n`);
  for (const { name, reached } of bars) process.stdout.write(`${reached ? 'reached' : 'MISSED '} ${name}\n`);
}
process.exit(bars.every(({ reached }) => reached) ? 0 : 1);
