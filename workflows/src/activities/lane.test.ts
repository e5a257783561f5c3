import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createActivities } from './index.ts';
import { takeUp, type Lane } from './lane.ts';
import { createLedgerWriter } from './ledger-writer.ts';
import { openBench, type Bench } from './testing.ts';
import { breaking, drawnEdge, drawnNode, publishFlow, scriptedVendor, withVendor } from './testing-flow.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test('what follows a write that was lost is not written either', async () => {
  const attempt = (await bench.begin({}))('a');
  const { companyId, runId } = attempt;
  const { store } = breaking(bench.deps.store, 1, 'before');
  const ledger = createLedgerWriter(store);
  const { lanes } = await takeUp({
    ...{ store: bench.deps.store, companyId, runIds: [runId], plan: { params: {}, graph: { nodes: [], edges: [] } } },
    ...{ ledger, now: bench.deps.now(), lease: randomUUID(), leaseMs: 1_000 },
  });
  const lane = lanes.get(runId) as Lane;
  const at = bench.deps.now();
  const end = (nodeId: string) =>
    ({ runId, nodeId, iteration: '', status: 'succeeded', attempt: 1, startedAt: at, at, port: 'out' }) as const;
  lane.note({ end: end('a') });
  // The first is on its way when the second comes.
  await new Promise((resolve) => setImmediate(resolve));
  lane.note({ end: end('b') });
  await expect(lane.commit({ end: end('c') })).rejects.toThrow('Connection terminated');
  // What comes last in the same order: all that was to be written is by then.
  await Promise.all(['even', 'odd'].map((half) => ledger.submit(companyId, {}, { lane: half })));
  const steps = await bench.database.asOwner(
    `select node_id from steps where run_id = $1 and node_id in ('a', 'b', 'c')`,
    [runId],
  );
  expect(steps).toEqual([]);
});

describe('whichever exchange with the database breaks off, a run comes to the same', () => {
  const inLoop = { parent: 'loop' };
  const flows = {
    'with a loop over a list, several at once': {
      loop: drawnNode('core.for-each', { items: '=[0, 1, 2]', concurrency: 3 }),
      expected: { count: 3, succeeded: 3, values: ['n0', 'n1', 'n2'] },
    },
    'with a loop that repeats': {
      loop: drawnNode('core.repeat', { condition: '=loop.index < 3', limit: 10 }),
      expected: { count: 3, value: 'n2', values: ['n0', 'n1', 'n2'] },
    },
  };
  test.each(Object.entries(flows))(
    '%s',
    async (_, { loop, expected }) => {
      const vendor = scriptedVendor();
      const deps = withVendor(bench, vendor);
      const flow = await publishFlow(bench, deps, {
        nodes: {
          t: drawnNode('test.begin'),
          loop,
          book: { ...drawnNode('test.book', { name: '="n" & loop.index' }), ...inLoop },
          look: { ...drawnNode('test.look', { name: '=steps.book.name' }), ...inLoop },
          next: { ...drawnNode('core.next-item', { value: '=steps.look.name' }), ...inLoop },
          after: drawnNode('test.book', { name: '=$join(steps.loop.values)' }),
        },
        edges: [
          ...[drawnEdge('t', 'loop'), drawnEdge('loop', 'book', 'each'), drawnEdge('book', 'look')],
          ...[drawnEdge('look', 'next'), drawnEdge('loop', 'after')],
        ],
      });
      let exchanges = 0;
      for (const when of ['before', 'after'] as const)
        for (let which = 1; ; which++) {
          const run = await flow.begin();
          const { store, asked } = breaking(deps.store, which, when);
          const input = { companyId: bench.companyId, planHash: flow.planHash, runIds: [run.runId] };
          const broke = await createActivities({ ...deps, store, leaseMs: 0 })
            .advance(input)
            .then(
              () => false,
              () => true,
            );
          // Whoever carried an effect out is gone, and has been for a while.
          await bench.database.asOwner(
            `update effects set updated_at = now() - interval '1 minute' where run_id = $1 and state = 'intent'`,
            [run.runId],
          );
          const place = `exchange ${which}, ${when} its commit`;
          expect((await run.play())?.ended, place).toBe(true);
          expect((await run.row())['status'], place).toBe('succeeded');
          const steps = await run.steps();
          expect(steps['loop']?.['output'], place).toMatchObject(expected);
          expect(steps['after'], place).toMatchObject({ output: { name: 'n0n1n2' } });
          const open = Object.entries(steps).filter(([, { status }]) => status !== 'succeeded');
          expect(open, place).toEqual([]);
          const effects = await bench.database.asOwner(`select state from effects where run_id = $1`, [run.runId]);
          expect(effects, place).toEqual(Array.from({ length: 4 }, () => ({ state: 'confirmed' })));
          exchanges++;
          if (!broke && asked() < which) break;
        }
      expect(exchanges, 'with few it proved little').toBeGreaterThan(20);
    },
    120_000,
  );
});
