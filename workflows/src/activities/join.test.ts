import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FlowDocument } from '../flow/schema.ts';
import type { Dependencies } from './dependencies.ts';
import { openBench, type Bench } from './testing.ts';
import {
  drawnEdge as edge,
  drawnNode as node,
  publishFlow,
  scriptedVendor,
  withVendor,
  type PlayedRun,
  type ScriptedVendor,
} from './testing-flow.ts';

let bench: Bench;
let deps: Dependencies;
let vendor: ScriptedVendor;
let time: number;
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(() => {
  vendor = scriptedVendor();
  time = bench.deps.now().getTime();
  deps = { ...withVendor(bench, vendor), now: () => new Date(time) };
});
afterAll(() => bench.close());

const minutes = (amount: number): number => amount * 60_000;

/** container ( pause so many minutes → join, and straight to join ), or the same behind the trigger; the join waits ten minutes at most. */
function joining(container: 'core.for-each' | 'core.scope' | undefined, pause: string): Partial<FlowDocument> {
  const parent = container ? { parent: 'around' } : {};
  const first = container ? 'around' : 't';
  const port = container ? 'each' : 'out';
  return {
    nodes: {
      t: node('test.begin'),
      ...(container && {
        around: node(container, container === 'core.for-each' ? { items: '=["a", "b"]' } : {}),
      }),
      pause: { ...node('core.wait', { amount: pause, unit: 'minutes' }), ...parent },
      join: { ...node('test.write', { name: 'joined' }), ...parent, join: { mode: 'all', timeoutSeconds: 600 } },
    },
    edges: [
      ...(container ? [edge('t', 'around')] : []),
      edge(first, 'pause', port),
      edge('pause', 'join'),
      edge(first, 'join', port),
    ],
  };
}

async function begun(drawn: Partial<FlowDocument>): Promise<PlayedRun> {
  return await (await publishFlow(bench, deps, { nodes: {}, edges: [], ...drawn })).begin();
}

const beginnings = [
  ['the trigger', undefined],
  ['the beginning of a scope', 'core.scope'],
  ['the beginning of a turn', 'core.for-each'],
] as const;

describe('a join with a time limit, to which one way leads straight', () => {
  test.each(beginnings)('from %s waits for the other', async (_, container) => {
    const run = await begun(joining(container, '=8'));
    const turns = container === 'core.for-each' ? 2 : 1;
    for (let turn = 1; turn <= turns; turn++) {
      expect(await run.play()).toMatchObject({ ended: false, wakeInMs: minutes(8) });
      expect(vendor.calls).toHaveLength(turn - 1);
      // Looked at in between, it counts from when it began all the same.
      time += minutes(5);
      expect(await run.play()).toMatchObject({ ended: false, wakeInMs: minutes(3) });
      time += minutes(3);
    }
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toHaveLength(turns);
    expect((await run.row())['status']).toBe('succeeded');
  });

  test.each(beginnings)('from %s goes on alone when its time is up', async (_, container) => {
    const run = await begun(joining(container, '=30'));
    const turns = container === 'core.for-each' ? 2 : 1;
    for (let turn = 1; turn <= turns; turn++) {
      expect(await run.play()).toMatchObject({ ended: false, wakeInMs: minutes(10) });
      time += minutes(4);
      expect(await run.play()).toMatchObject({ ended: false, wakeInMs: minutes(6) });
      expect(vendor.calls).toHaveLength(turn - 1);
      time += minutes(6);
      // The other way is still under way.
      expect(await run.play()).toMatchObject({ ended: false, wakeInMs: minutes(20) });
      expect(vendor.calls).toHaveLength(turn);
      time += minutes(20);
    }
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toHaveLength(turns);
  });
});
