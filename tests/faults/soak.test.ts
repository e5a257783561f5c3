import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ERRAND, publishErrand } from '../support/errand.ts';
import { due, percentile, rssMb } from '../support/figures.ts';
import { expectAccountsTie, expectAllOnce, untilSettled } from '../support/ledger.ts';
import { startMockVendor } from '../support/mock-vendor.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { full, report, seed, size } from '../support/profile.ts';
import { deliverAll, openSender, type Sender } from '../support/sender.ts';
import { askTemporal } from '../support/temporal.ts';
import type { WebhookFlow } from '../support/webhook-flow.ts';

const MINUTE = 60_000;
const lastMs = size(8_000, 60 * MINUTE);
const sampleMs = size(1_000, MINUTE);
/** How often it is looked how many handles are open: between two samples. */
const lookMs = sampleMs / 30;
/** A carrier is renewed before its history is longer. */
const HISTORY_MAX = 4_096;

test(
  'at half of what it can do neither memory, nor handles, nor connections, nor histories grow',
  { timeout: lastMs + 20 * MINUTE },
  async () => {
    await using vendor = await startMockVendor();
    await using up = await testPlatform(
      { PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: vendor.origin },
      { workers: 2, apis: 2, fsync: true },
    );
    const flow = await publishErrand(await up.client(), vendor.origin, { name: 'R17' });
    await using sender = openSender(flow, up.platform.origins);
    // Code has to be compiled before anything is measured.
    await atOnce(up, flow, sender, 'warm', size(50, 1_000));
    const perSecond = (await atOnce(up, flow, sender, 'full', size(150, 4_000))) / 2;

    const began = performance.now();
    const samples: Sample[] = [];
    const sending = new Set<Promise<void>>();
    let most = 0;
    let [looks, fewest] = [0, Infinity];
    for (let n = 0; performance.now() - began < lastMs; n++) {
      await due(began + (n * 1_000) / perSecond);
      const delivery = sender.deliver(`soak-${seed}-${n}`).finally(() => sending.delete(delivery));
      sending.add(delivery);
      most = Math.max(most, sending.size);
      if (performance.now() - began >= looks * lookMs) {
        looks++;
        fewest = Math.min(fewest, (await handlesOf(up)).length);
      }
      if (performance.now() - began >= samples.length * sampleMs) {
        samples.push({ ...(await sampleOf(up)), handles: Math.min(fewest, (await handlesOf(up)).length) });
        fewest = Infinity;
        // An hour is long: whoever waits sees how it goes.
        if (full)
          console.log(JSON.stringify({ minute: samples.length - 1, runs: sender.acked.size, ...samples.at(-1) }));
      }
    }
    await Promise.all(sending);
    const sentMs = performance.now() - began;
    const behindMs = await untilSettled(up, flow.id, sender);
    // The first half is warm-up: code is compiled, caches are filled, and heaps grow into the pages that they have been given.
    const warm = samples.slice(Math.floor(samples.length / 2));
    const [first, last] = [warm[0], warm.at(-1)];
    if (!first || !last) throw new Error('Nothing was sampled');
    const [memory, handles, connections] = [
      riseOf(warm.map(({ rssMb }) => rssMb)),
      riseOf(warm.map(({ handles }) => handles)),
      riseOf(warm.map(({ connections }) => connections)),
    ];
    const slope = memory / (sampleMs / MINUTE);
    const histories = await historiesOf(up);
    report('R17', {
      perSecond: Math.round(perSecond),
      runs: sender.acked.size,
      sentMs: Math.round(sentMs),
      behindMs: Math.round(behindMs),
      deliveriesAtOnce: most,
      samples: samples.length,
      first,
      last,
      rssSlopeMbPerMinute: slope.toFixed(2),
      handlesRise: Math.round(handles * warm.length),
      connectionsRise: Math.round(connections * warm.length),
      histories,
    });
    await expectAllOnce({ up, flowId: flow.id, sender, vendor, writes: ERRAND.writes });
    await expectAccountsTie(up);
    expect(up.restarts).toEqual([]);
    // What can be done at half speed does not pile up.
    expect(behindMs).toBeLessThan(size(60_000, 10_000));
    // Over all of them; how many are open at one moment depends on how many runs are.
    expect(connections * warm.length).toBeLessThanOrEqual(size(40, 10));
    expect(handles * warm.length).toBeLessThanOrEqual(size(1_000, first.handles / 4));
    expect(histories.closed).toBeGreaterThan(0);
    expect(histories.tooLong).toBe(0);
    // Over a few seconds a slope says nothing.
    expect(slope).toBeLessThan(size(10_000, 1));
  },
);

/** Delivers as fast as it is taken. @returns how many runs came to their end a second. */
async function atOnce(
  up: TestPlatform,
  flow: WebhookFlow,
  sender: Sender,
  name: string,
  count: number,
): Promise<number> {
  const ids = Array.from({ length: count }, (_, n) => `${name}-${seed}-${n}`);
  const began = performance.now();
  await deliverAll(sender, ids, 32);
  await untilSettled(up, flow.id, sender);
  return (count / (performance.now() - began)) * 1_000;
}

/** How much values rise from one to the next: the median of the slopes between any two (Theil and Sen), which one step up or down does not decide. */
function riseOf(values: readonly number[]): number {
  const slopes = values.flatMap((value, at) =>
    values.slice(at + 1).map((later, index) => (later - value) / (index + 1)),
  );
  return slopes.length === 0 ? 0 : percentile(slopes, 50);
}

/** How many workflows have ended, and how many of them had a longer history than they may have. */
async function historiesOf(up: TestPlatform): Promise<{ readonly closed: number; readonly tooLong: number }> {
  return await askTemporal(up, async (workflow) => {
    const count = async (query: string): Promise<number> => (await workflow.count(query)).count;
    return { closed: await count('HistoryLength > 0'), tooLong: await count(`HistoryLength > ${HISTORY_MAX}`) };
  });
}

interface Sample {
  /** Of all our processes together. */
  readonly rssMb: number;
  /** Of each: API processes first, then workers. */
  readonly each: readonly number[];
  /** The fewest since the sample before: what is open for a moment, for requests under way, comes and goes; what is left open stays. */
  readonly handles: number;
  readonly connections: number;
}

function pidsOf({ platform }: TestPlatform): readonly (number | undefined)[] {
  return [...platform.apis, ...platform.workers].map(({ pid }) => pid);
}

/** What all our processes have open. */
async function handlesOf(up: TestPlatform): Promise<readonly string[]> {
  return (await Promise.all(pidsOf(up).map((pid) => readdir(`/proc/${pid}/fd`)))).flat();
}

async function sampleOf(up: TestPlatform): Promise<Omit<Sample, 'handles'>> {
  const pids = pidsOf(up);
  const { rows } = await up.owner.query<{ count: number }>('select count(*)::int as count from pg_stat_activity');
  const each = await Promise.all(pids.map(rssMb));
  return {
    rssMb: each.reduce((sum, one) => sum + one, 0),
    each,
    connections: rows[0]?.count ?? 0,
  };
}
