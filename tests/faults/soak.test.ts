import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ERRAND, publishErrand } from '../support/errand.ts';
import { expectAccountsTie, expectAllOnce, untilSettled } from '../support/ledger.ts';
import { startMockVendor } from '../support/mock-vendor.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { report, seed, size } from '../support/profile.ts';
import { openSender } from '../support/sender.ts';
import { until } from '../support/until.ts';

const MINUTE = 60_000;
const lastMs = size(8_000, 60 * MINUTE);
const sampleMs = size(1_000, MINUTE);
const perSecond = 10;

test('under a steady load neither memory, nor handles, nor connections grow', async () => {
  await using vendor = await startMockVendor();
  await using up = await testPlatform(
    { PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: vendor.origin },
    { workers: 2, apis: 2, fsync: true },
  );
  const flow = await publishErrand(await up.client(), vendor.origin, { name: 'R17' });
  await using sender = openSender(flow, up.platform.origins);
  const began = performance.now();
  const samples: Sample[] = [];
  for (let n = 0; performance.now() - began < lastMs; n++) {
    const due = began + (n * 1_000) / perSecond;
    await until('the next to be due', () => Promise.resolve(performance.now() >= due), { everyMs: 5 });
    await sender.deliver(`soak-${seed}-${n}`);
    if (performance.now() - began >= samples.length * sampleMs) samples.push(await sampleOf(up));
  }
  await untilSettled(up, flow.id, sender);
  // What comes before is warm-up: caches, and code being compiled.
  const warm = samples.slice(Math.floor(samples.length / 3));
  const [first, last] = [warm[0], warm.at(-1)];
  if (!first || !last) throw new Error('Nothing was sampled');
  const minutes = ((warm.length - 1) * sampleMs) / MINUTE;
  const slope = (last.rssMb - first.rssMb) / minutes;
  report('R17', {
    runs: sender.acked.size,
    samples: samples.length,
    first,
    last,
    rssSlopeMbPerMinute: slope.toFixed(2),
  });
  await expectAllOnce({ up, flowId: flow.id, sender, vendor, writes: ERRAND.writes });
  await expectAccountsTie(up);
  expect(up.restarts).toEqual([]);
  expect(last.connections).toBeLessThanOrEqual(first.connections + 10);
  expect(last.handles).toBeLessThanOrEqual(first.handles + 40);
  // Over a few seconds a slope says nothing.
  expect(slope).toBeLessThan(size(10_000, 1));
});

interface Sample {
  /** Of all our processes together. */
  readonly rssMb: number;
  readonly handles: number;
  readonly connections: number;
}

async function sampleOf(up: TestPlatform): Promise<Sample> {
  const pids = [...up.platform.apis, ...up.platform.workers].map(({ pid }) => pid);
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/status`, 'utf8')));
  const field = (name: string): number =>
    texts.reduce((sum, text) => sum + Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0), 0);
  const open = await Promise.all(pids.map((pid) => readdir(`/proc/${pid}/fd`)));
  const { rows } = await up.owner.query<{ count: number }>('select count(*)::int as count from pg_stat_activity');
  return { rssMb: Math.round(field('VmRSS') / 1_024), handles: open.flat().length, connections: rows[0]?.count ?? 0 };
}
