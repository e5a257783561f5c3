import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBench, type Bench } from './testing.ts';
import { publishFlow, scriptedVendor, withVendor } from './testing-flow.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test('a flow that is removed takes along what its runs left in the ledger, and nothing of others', async () => {
  const deps = withVendor(bench, scriptedVendor());
  const drawing = {
    nodes: {
      t: { type: 'test.begin', version: 1, name: 't', inputs: {} },
      write: { type: 'test.write', version: 1, name: 'w', inputs: { name: { kind: 'literal' as const, value: 'x' } } },
    },
    edges: [{ id: 'e', from: 't', port: 'out', to: 'write' }],
  };
  const [gone, kept] = [await publishFlow(bench, deps, drawing), await publishFlow(bench, deps, drawing)];
  const runs = [await gone.begin(), await kept.begin()];
  for (const run of runs) await run.play();
  await bench.deps.store.tenant(bench.companyId, (tx) =>
    tx
      .insertInto('run_references')
      .values(runs.map(({ runId }) => ({ company_id: bench.companyId, run_id: runId, value: 'x', at: new Date() })))
      .execute(),
  );
  const left = async (table: 'steps' | 'effects' | 'run_references') =>
    (await bench.database.asOwner<{ run_id: string }>(`select distinct run_id from ${table}`)).map(
      ({ run_id }) => run_id,
    );
  expect((await left('effects')).sort()).toEqual(runs.map(({ runId }) => runId).sort());
  await bench.deps.store.tenant(bench.companyId, (tx) =>
    tx.deleteFrom('flows').where('company_id', '=', bench.companyId).where('id', '=', gone.flowId).execute(),
  );
  expect(await left('steps')).toEqual([runs[1]?.runId]);
  expect(await left('effects')).toEqual([runs[1]?.runId]);
  expect(await left('run_references')).toEqual([runs[1]?.runId]);
});
