import { defineAction } from '@plumbline/nodes/sdk';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createActivities } from './index.ts';
import { Leases } from './leases.ts';
import { openBench, type Bench } from './testing.ts';
import { drawnEdge, drawnNode, publishFlow, scriptedVendor } from './testing-flow.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

/** A run of a flow whose only step reads something that takes until it is let go. */
async function slowRun(leaseMs: number) {
  const { promise, resolve: letGo } = Promise.withResolvers<void>();
  let reads = 0;
  const slow = defineAction({
    ...{ id: 'test.slow', title: 'Reads slowly', description: '', category: 'Data', icon: '', effect: 'read' },
    ...{ input: z.object({}), output: z.object({}) },
    run: async () => {
      reads++;
      await promise;
      return { output: {} };
    },
  });
  const types = [...scriptedVendor().nodeTypes, slow].map((type) => [`${type.id}@1`, type] as const);
  const nodeTypes = new Map([...bench.catalog.nodeTypes, ...types]);
  const deps = { ...bench.deps, leaseMs, catalog: { ...bench.catalog, nodeTypes } };
  const drawing = {
    nodes: { t: drawnNode('test.begin'), read: drawnNode('test.slow') },
    edges: [drawnEdge('t', 'read')],
  };
  const flow = await publishFlow(bench, deps, drawing);
  const { runId } = await flow.begin();
  const advance = () =>
    createActivities(deps).advance({ companyId: bench.companyId, planHash: flow.planHash, runIds: [runId] });
  const leased = async () =>
    (await bench.database.asOwner<{ lease: string | null }>('select lease from runs where id = $1', [runId]))[0]?.lease;
  return { runId, advance, letGo, leased, reads: () => reads };
}

test('two workers that are asked for one run carry it on once, however long a step of it takes', async () => {
  const run = await slowRun(400);
  const first = run.advance();
  await vi.waitFor(() => expect(run.reads()).toBe(1));
  const second = run.advance();
  // Three times as long as it is held without being prolonged.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(run.reads()).toBe(1);
  run.letGo();
  expect((await first)[0]?.ended).toBe(true);
  expect((await second)[0]?.ended).toBe(true);
  expect(run.reads()).toBe(1);
  expect(await run.leased()).toBeNull();
});

test('a run whose worker is not heard of any more is carried on by the next', async () => {
  const run = await slowRun(60_000);
  await bench.database.asOwner(
    `update runs set status = 'running', lease = gen_random_uuid(), leased_until = now() + interval '300 ms' where id = $1`,
    [run.runId],
  );
  const next = run.advance();
  await vi.waitFor(() => expect(run.reads()).toBe(1), { timeout: 5_000 });
  run.letGo();
  expect((await next)[0]?.ended).toBe(true);
});

test('a run whose ledger was out of reach is free at once', async () => {
  const run = await slowRun(60_000);
  const lease = new Leases({ ...bench.deps, leaseMs: 60_000 }).open(bench.companyId);
  await bench.database.asOwner(`update runs set lease = $2, leased_until = now() + interval '1 hour' where id = $1`, [
    run.runId,
    lease.id,
  ]);
  await expect(lease.during(run.runId, Promise.reject(new Error('no ledger')))).rejects.toThrow('no ledger');
  await vi.waitFor(async () => expect(await run.leased()).toBeNull());
});
