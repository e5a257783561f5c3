import { afterAll, beforeAll, expect, test } from 'vitest';
import { toxics, type Bites, type Link, type Toxic } from '../support/bad-network.ts';
import { platformBehindNetwork, type PlatformBehindNetwork } from '../support/bad-ways.ts';
import { chance, full, seed, size } from '../support/profile.ts';
import { until } from '../support/until.ts';
import { survive } from './survive.ts';

/** Every way that leads out of our processes. */
const ways = ['api-postgres', 'worker-postgres', 'api-temporal', 'worker-temporal', 'worker-vendor'] as const;
type Way = (typeof ways)[number];

let network: PlatformBehindNetwork;
beforeAll(async () => {
  network = await platformBehindNetwork({ workers: 1, apis: 1 });
});
afterAll(() => network?.[Symbol.asyncDispose]());

/**
 * In the short form every way is bad in its turn, each in another manner, as chance has it; in the full one each way is bad in every manner. One at a time: a
 * worker without its database has nothing to say to anyone, and the other ways would be bad unnoticed.
 */
const luck = chance(seed);
const manners: readonly Toxic[] = luck.shuffle(toxics);
const cells: readonly (readonly (readonly [Way, Toxic])[])[] = full
  ? ways.flatMap((way) => toxics.map((toxic) => [[way, toxic]] as const))
  : [
      ways
        .map((way, index) => [way, manners[index] ?? 'cut'] as const)
        // Whoever is left with connections that say nothing gives them up after forty seconds, and says little until then.
        .sort(([, one], [, other]) => Number(one === 'half-open') - Number(other === 'half-open')),
    ];

test.each(cells.map((cell) => ({ cell, name: cell.map(([way, toxic]) => `${way} ${toxic}`).join(', ') })))(
  'behind a bad network nothing is lost and nothing is doubled: $name',
  async ({ cell, name }) => {
    const before = new Map(cell.map(([way]) => [way, linkOf(way).bites()]));
    const { repeatedRequests, restarts, acked } = await survive(network.up, network.vendor, {
      row: `R6 ${name}`,
      origin: network.vendorOrigin,
      flows: size(60, 100),
      perSecond: size(15, 10),
      faults: 1,
      everyMs: 1_500,
      harm: async () => {
        for (const [way, toxic] of cell) {
          linkOf(way).poison(toxic);
          await new Promise((resolve) => setTimeout(resolve, size(2_500, 20_000)));
          await until(`${way} to be hurt`, () => Promise.resolve(biteOf(before.get(way), linkOf(way).bites()) > 0));
          linkOf(way).poison(undefined);
        }
        return 'network';
      },
      // Temporal's client gives a connection that says nothing up after 45 s; the short form may run on a busy machine.
      recoveryMs: size(90_000, 60_000),
      mayAnswer: [200, 503, 0],
    });
    // Nobody hammers: a storm would be the second fault.
    expect(repeatedRequests).toBeLessThan(acked * 8);
    expect(restarts).toEqual([]);
  },
);

function linkOf(way: Way): Link {
  const link = network.ways.get(way);
  if (!link) throw new Error(`Nothing leads over ${way}`);
  return link;
}

function biteOf(before: Bites | undefined, after: Bites): number {
  const sum = (bites: Bites | undefined): number => (bites ? bites.broken + bites.delayed + bites.swallowed : 0);
  return sum(after) - sum(before);
}
