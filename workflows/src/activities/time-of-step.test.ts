import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Dependencies } from './dependencies.ts';
import { openBench, type Bench } from './testing.ts';
import { drawnEdge as edge, drawnNode as node, publishFlow, scriptedVendor, withVendor } from './testing-flow.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test('an expression’s time is when its step began: not when the run did, and the same when it is tried again', async () => {
  const vendor = scriptedVendor();
  let passed = 0;
  const began = bench.deps.now();
  const at = (seconds: number) => new Date(began.getTime() + seconds * 1_000).toISOString();
  const deps: Dependencies = {
    ...withVendor(bench, vendor),
    now: () => new Date(began.getTime() + passed * 1_000),
  };
  const played = await publishFlow(bench, deps, {
    nodes: {
      t: node('test.begin'),
      wait: node('core.wait', { amount: 3, unit: 'days' }),
      write: node('test.write', { name: '="approved on " & $now()' }),
    },
    edges: [edge('t', 'wait'), edge('wait', 'write')],
  });
  const threeDays = 3 * 86_400;
  vendor.outcomes.set(`approved on ${at(threeDays)}`, ['invalid']);
  const run = await played.begin({});
  await run.play();
  passed = threeDays;
  await run.play();
  passed += 3_600;
  await run.settle('write', { action: 'retry' });
  expect((await run.play())?.ended).toBe(true);
  expect(vendor.calls).toEqual([`approved on ${at(threeDays)}`, `approved on ${at(threeDays)}`]);
});
