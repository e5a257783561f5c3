import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Toxic } from '../support/bad-network.ts';
import { platformBehindNetwork, type PlatformBehindNetwork } from '../support/bad-ways.ts';
import { killersOf } from '../support/kill.ts';
import { chance, seed, size } from '../support/profile.ts';
import { survive } from './survive.ts';

/** What a way may be while other things happen; one that only seems to be there takes most of a minute to be given up, and has a test of its own. */
const manners: readonly Toxic[] = size(
  ['latency', 'slow', 'reset', 'cut'],
  ['latency', 'slow', 'reset', 'cut', 'half-open'],
);
const everyMs = size(3_000, 8_000);
const badMs = size(2_500, 20_000);

let all: PlatformBehindNetwork;
beforeAll(async () => {
  all = await platformBehindNetwork({ workers: 2, apis: 2 });
  all.vendor.behave({ slowMs: 100 });
});
afterAll(() => all?.[Symbol.asyncDispose]());

test('workers, API processes, Temporal and the network fail all the time, at random: nothing is lost, nothing is doubled', async () => {
  const { up, vendor, vendorOrigin, ways: links } = all;
  const luck = chance(seed);
  const killers = killersOf(up.platform, luck);
  const cures = new Set<Promise<void>>();
  const bad = new Set<string>();
  const network = (): string => {
    const way = luck.pick([...links.keys()].filter((name) => !bad.has(name)));
    const toxic = luck.pick(manners);
    bad.add(way);
    links.get(way)?.poison(toxic);
    const cure = new Promise<void>((resolve) => setTimeout(resolve, badMs)).then(() => {
      links.get(way)?.poison(undefined);
      bad.delete(way);
      cures.delete(cure);
    });
    cures.add(cure);
    return `${way} ${toxic}`;
  };
  // Each kind comes up in every round, in another order.
  const kinds = {
    worker: killers.worker,
    api: killers.api,
    temporal: killers.temporal,
    network,
    'network too': network,
  };
  const faults = size(6, Math.floor(600_000 / everyMs));
  let deck: (keyof typeof kinds)[] = [];
  let done = 0;
  const { acked, resent, repeatedRequests, repeatedWrites, restarts } = await survive(up, vendor, {
    row: 'R7',
    origin: vendorOrigin,
    flows: size(120, 3_000),
    perSecond: size(8, 5),
    faults,
    everyMs,
    harm: async () => {
      if (deck.length === 0) deck = luck.shuffle(Object.keys(kinds) as (keyof typeof kinds)[]);
      const kind = deck.at(-1) ?? 'worker';
      const what = kinds[kind]();
      // What is only just being started again is still to come.
      if (what.startsWith('no ')) return what;
      deck.pop();
      done += 1;
      // After the last of it everything is well again.
      while (done === faults && cures.size > 0) await Promise.all(cures);
      return what;
    },
    recoveryMs: 60_000,
    mayAnswer: [200, 503, 0],
    overlapping: true,
  });
  const bites = [...links.values()].map((link) => link.bites());
  expect(restarts.filter((name) => name.startsWith('worker')).length).toBeGreaterThan(0);
  expect(restarts.filter((name) => name.startsWith('api')).length).toBeGreaterThan(0);
  expect(restarts).toContain('temporal');
  expect(
    bites.reduce((sum, { broken, delayed, swallowed }) => sum + broken + delayed + swallowed, 0),
    'what the network did',
  ).toBeGreaterThan(0);
  expect(resent + repeatedRequests + repeatedWrites, 'what had to be done again').toBeGreaterThan(0);
  // Nobody hammers: a storm would be one more fault.
  expect(repeatedRequests).toBeLessThan(acked * 8);
});
