import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLink, toxics, type Bites, type Link, type Toxic } from '../support/bad-network.ts';
import { startMockVendor, type MockVendor } from '../support/mock-vendor.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { chance, full, seed, size } from '../support/profile.ts';
import { survive } from './survive.ts';

/** Every way that leads out of our processes. */
const ways = ['api-postgres', 'worker-postgres', 'api-temporal', 'worker-temporal', 'worker-vendor'] as const;
type Way = (typeof ways)[number];

let up: TestPlatform;
let vendor: MockVendor;
const links = new Map<Way, Link>();
beforeAll(async () => {
  vendor = await startMockVendor();
  const toVendor = await openLink(vendor.port);
  links.set('worker-vendor', toVendor);
  up = await testPlatform(
    { PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: originOf(toVendor) },
    {
      ...{ workers: 1, apis: 1, fsync: true },
      route: async (from, to, address) => {
        const way = `${from}-${to}` as const;
        const link = links.get(way) ?? (await openLink(Number(address.split(':')[1])));
        links.set(way, link);
        return `127.0.0.1:${link.port}`;
      },
    },
  );
});
afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
  for (const link of links.values()) await link[Symbol.asyncDispose]();
  await vendor?.[Symbol.asyncDispose]();
});

/** In the short form every way is bad at once, each in another manner, as chance has it; in the full one each alone, in every manner. */
const luck = chance(seed);
const bad: readonly Toxic[] = luck.shuffle(toxics);
const cells: readonly (readonly (readonly [Way, Toxic])[])[] = full
  ? ways.flatMap((way) => toxics.map((toxic) => [[way, toxic]] as const))
  : [ways.map((way, index) => [way, bad[index] ?? 'cut'] as const)];

test.each(cells.map((cell) => ({ cell, name: cell.map(([way, toxic]) => `${way} ${toxic}`).join(', ') })))(
  'behind a bad network nothing is lost and nothing is doubled: $name',
  async ({ cell, name }) => {
    const before = new Map(cell.map(([way]) => [way, linkOf(way).bites()]));
    const { repeatedRequests, restarts, acked } = await survive(up, vendor, {
      row: `R6 ${name}`,
      origin: originOf(linkOf('worker-vendor')),
      flows: size(60, 100),
      perSecond: size(15, 10),
      faults: 1,
      everyMs: 1_500,
      harm: async () => {
        for (const [way, toxic] of cell) linkOf(way).poison(toxic);
        await new Promise((resolve) => setTimeout(resolve, size(6_000, 20_000)));
        for (const [way] of cell) linkOf(way).poison(undefined);
        return 'network';
      },
      recoveryMs: 60_000,
      mayAnswer: [200, 503, 0],
    });
    // An API process that does not reach its database has nothing to say to Temporal; alone, that way must have been hurt too.
    const hurt = cell.filter(([way]) => full || way !== 'api-temporal');
    const bites = hurt.map(([way]) => biteOf(before.get(way), linkOf(way).bites()));
    expect(
      bites.filter((bite) => bite === 0),
      'what went through each bad way, and was hurt',
    ).toEqual([]);
    // Nobody hammers: a storm would be the second fault.
    expect(repeatedRequests).toBeLessThan(acked * 8);
    expect(restarts).toEqual([]);
  },
);

function linkOf(way: Way): Link {
  const link = links.get(way);
  if (!link) throw new Error(`Nothing leads over ${way}`);
  return link;
}

function originOf(link: Link): string {
  return `http://127.0.0.1:${link.port}`;
}

function biteOf(before: Bites | undefined, after: Bites): number {
  const sum = (bites: Bites | undefined): number => (bites ? bites.broken + bites.delayed + bites.swallowed : 0);
  return sum(after) - sum(before);
}
