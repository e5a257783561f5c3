import { ConnectorFailure, defineAction } from '@plumbline/nodes/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { FlowDocument } from '../flow/schema.ts';
import type { Dependencies } from './dependencies.ts';
import { openBench, type Bench } from './testing.ts';
import { publishFlow, scriptedVendor, withVendor, type ScriptedVendor } from './testing-flow.ts';

let bench: Bench;
let deps: Dependencies;
let vendor: ScriptedVendor;
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(() => {
  vendor = scriptedVendor();
  deps = withVendor(bench, vendor);
});
afterAll(() => bench.close());

const node = (type: string, name = '', more: object = {}): FlowDocument['nodes'][string] => ({
  ...{ type, version: 1, name: name || type },
  inputs: name ? { name: { kind: 'literal' as const, value: name } } : {},
  ...more,
});
const edge = (from: string, to: string, port = 'out') => ({ id: `${from}:${port}:${to}`, from, port, to });

/** trigger → book one → look → write → book two → last */
const flow = (last: object = {}): Pick<FlowDocument, 'nodes' | 'edges'> => ({
  nodes: {
    t: node('test.begin'),
    one: node('test.book', 'one'),
    look: node('test.look', 'look'),
    write: node('test.write', 'write'),
    two: node('test.book', 'two'),
    last: node('test.write', 'last', last),
  },
  edges: [edge('t', 'one'), edge('one', 'look'), edge('look', 'write'), edge('write', 'two'), edge('two', 'last')],
});

describe('a run that is given up', () => {
  test('and undone takes back what it wrote, last first, and names what cannot be', async () => {
    vendor.outcomes.set('last', ['invalid']);
    const run = await (await publishFlow(bench, deps, flow())).begin();
    await run.play();
    expect(await run.settle('last', { action: 'abort', compensate: true })).toBe(true);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['two', 'one']);
    expect(await run.row()).toMatchObject({
      status: 'failed',
      error: { code: 'invalid', undone: ['two', 'one'], kept: ['write'] },
    });
    expect((await run.steps())['two undo']).toMatchObject({ status: 'succeeded', output: { undone: true } });
  });

  test('and undone while another branch is on its way to fail is undone all the same', async () => {
    vendor.outcomes.set('last', ['invalid']);
    const { promise: hung, resolve: letGo } = Promise.withResolvers<void>();
    let reached = 0;
    const slow = defineAction({
      ...{ id: 'test.slow', title: 'Slow', description: '', category: 'Data', icon: '', effect: 'read' },
      ...{ input: z.object({}), output: z.object({}) },
      run: async () => {
        reached++;
        await hung;
        throw new ConnectorFailure({ kind: 'invalid', message: 'No.' });
      },
    });
    const given = withVendor(bench, { nodeTypes: [...vendor.nodeTypes, slow] });
    const drawn = flow();
    const nodes = { ...drawn.nodes, beside: node('test.slow', '', { onError: 'stop' }) };
    const played = await publishFlow(bench, given, { nodes, edges: [...drawn.edges, edge('two', 'beside')] });
    const run = await played.begin();
    const first = run.advance();
    await vi.waitFor(async () => {
      expect(reached).toBe(1);
      expect((await run.steps())['last']).toMatchObject({ status: 'parked' });
    });
    expect(await run.settle('last', { action: 'abort', compensate: true })).toBe(true);
    letGo();
    expect(await first).toMatchObject({ ended: false, wakeInMs: 0 });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['two', 'one']);
    expect((await run.row())['status']).toBe('failed');
  });

  test('and left as it is takes nothing back', async () => {
    vendor.outcomes.set('last', ['invalid']);
    const run = await (await publishFlow(bench, deps, flow())).begin();
    await run.play();
    await run.settle('last', { action: 'abort' });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual([]);
    expect((await run.row())['status']).toBe('failed');
  });

  test('because its flow says so undoes by itself', async () => {
    vendor.outcomes.set('last', ['invalid']);
    const run = await (await publishFlow(bench, deps, flow({ onError: 'compensate' }))).begin();
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['two', 'one']);
  });

  test('waits for a person where undoing does not go through, and undoes nothing twice', async () => {
    vendor.outcomes.set('last', ['invalid']);
    vendor.outcomes.set('undo one', ['invalid']);
    const run = await (await publishFlow(bench, deps, flow({ onError: 'compensate' }))).begin();
    expect(await run.play()).toMatchObject({ ended: false, wakeInMs: null });
    expect(await run.row()).toMatchObject({ status: 'parked', compensate: true });
    // Whoever takes it up again undoes, and carries nothing on.
    expect(await run.play()).toMatchObject({ ended: false });
    expect(await run.settle('one', { action: 'retry' }, 'undo')).toBe(true);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['two', 'one', 'one']);
    expect(vendor.calls).toEqual(['one', 'look', 'write', 'two', 'last']);
  });

  test('tries undoing again by itself when the vendor is away', async () => {
    vendor.outcomes.set('last', ['invalid']);
    vendor.outcomes.set('undo two', ['unavailable']);
    const run = await (await publishFlow(bench, deps, flow({ onError: 'compensate' }))).begin();
    expect(await run.play()).toMatchObject({ ended: false, wakeInMs: 2_000 });
    const later = { ...deps, now: () => new Date(deps.now().getTime() + 2_000) };
    const { playedRun } = await import('./testing-flow.ts');
    const again = playedRun(bench, later, { runId: run.runId, planHash: String((await run.row())['plan_hash']) });
    expect((await again.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['two', 'two', 'one']);
  });
});

describe('a step in a loop whose failure undoes the run', () => {
  /** trigger → book one → loop ( book item → last of item ) → after, a step that always fails */
  const looped = (loop: object = {}, more: object = {}): Pick<FlowDocument, 'nodes' | 'edges'> => {
    const of = (type: string, source: string, extra: object = {}): FlowDocument['nodes'][string] => ({
      ...{ type, version: 1, name: source, parent: 'loop', ...extra },
      inputs: { name: { kind: 'expression', source } },
    });
    return {
      nodes: {
        t: node('test.begin'),
        one: node('test.book', 'one'),
        loop: {
          ...{ type: 'core.for-each', version: 1, name: 'Each', ...more },
          inputs: Object.fromEntries(
            Object.entries({ items: ['a', 'b', 'c'], ...loop }).map(([field, value]) => [
              field,
              { kind: 'literal' as const, value },
            ]),
          ),
        },
        item: of('test.book', '"book " & loop.item'),
        last: of('test.write', '"last " & loop.item', { onError: 'compensate' }),
        after: node('test.write', 'after', { onError: 'stop' }),
      },
      edges: [
        ...[edge('t', 'one'), edge('one', 'loop'), edge('loop', 'item', 'each'), edge('item', 'last')],
        edge('loop', 'after'),
      ],
    };
  };
  const begun = async (drawn: Pick<FlowDocument, 'nodes' | 'edges'>, given = deps) =>
    await (await publishFlow(bench, given, drawn)).begin();
  const undone = {
    status: 'failed',
    error: { code: 'invalid', undone: ['"book " & loop.item', '"book " & loop.item', 'one'] },
  };

  test.each([
    ['goes on after failed items', { onItemError: 'collect' }, {}],
    ['skips failed items', { onItemError: 'skip' }, {}],
    ['would wait for a person', {}, {}],
    ['stops the run', {}, { onError: 'stop' }],
  ])('does so whatever the loop does that %s', async (_, loop, more) => {
    vendor.outcomes.set('last b', ['invalid']);
    vendor.outcomes.set('after', ['invalid']);
    const run = await begun(looped(loop, more));
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['one', 'book a', 'last a', 'book b', 'last b']);
    expect(vendor.undone).toEqual(['book b', 'book a', 'one']);
    expect(await run.row()).toMatchObject(undone);
  });

  test('does so past the way for errors of the loop, and from a loop in a loop', async () => {
    vendor.outcomes.set('last b', ['invalid']);
    const drawn = looped({}, { onError: 'port', parent: 'outer' });
    drawn.nodes['outer'] = {
      ...{ type: 'core.for-each', version: 1, name: 'Outer' },
      inputs: { items: { kind: 'literal', value: ['x', 'y'] }, onItemError: { kind: 'literal', value: 'skip' } },
    };
    Object.assign(drawn.nodes['after'] ?? {}, { parent: 'outer' });
    drawn.edges = [
      ...[edge('t', 'one'), edge('one', 'outer'), edge('outer', 'loop', 'each'), edge('loop', 'item', 'each')],
      ...[edge('item', 'last'), edge('loop', 'after'), edge('loop', 'after', 'error')],
    ];
    const run = await begun(drawn);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['one', 'book a', 'last a', 'book b', 'last b']);
    expect(vendor.undone).toEqual(['book b', 'book a', 'one']);
    expect(await run.row()).toMatchObject(undone);
  });

  test('begins nothing else, nor does whoever takes the run up after a worker died', async () => {
    for (const concurrency of [1, 2]) {
      vendor.calls.length = vendor.undone.length = 0;
      vendor.outcomes.set('last a', ['invalid']);
      // The failure is on record, and nothing else is.
      let left = 1;
      const dying: Dependencies = {
        ...deps,
        crashPoint: (point) => {
          if (point === 'before-undo' && left-- > 0) throw new Error('The worker is gone');
        },
      };
      const run = await begun(looped({ onItemError: 'collect', concurrency }), dying);
      await expect(run.play()).rejects.toThrow('The worker is gone');
      expect(await run.row()).toMatchObject({ compensate: false, finished_at: null });
      const before = [...vendor.calls];
      expect((await run.play())?.ended).toBe(true);
      expect(vendor.calls).toEqual(before);
      expect(vendor.calls).not.toContain('after');
      expect(vendor.undone.at(-1)).toBe('one');
      expect(vendor.undone.toSorted()).toEqual([...before.filter((call) => call.startsWith('book')), 'one'].toSorted());
      expect(await run.row()).toMatchObject({ status: 'failed', compensate: true, error: { code: 'invalid' } });
    }
  });

  test('waits for a person where undoing does not go through, and says what failed when that is done', async () => {
    vendor.outcomes.set('last b', ['invalid']);
    vendor.outcomes.set('undo book a', ['invalid']);
    const run = await begun(looped({ onItemError: 'collect' }));
    expect(await run.play()).toMatchObject({ ended: false, wakeInMs: null });
    expect(await run.row()).toMatchObject({ status: 'parked', compensate: true });
    expect(await run.settle('item', { action: 'retry' }, '0.undo')).toBe(true);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['book b', 'book a', 'book a', 'one']);
    expect(await run.row()).toMatchObject(undone);
  });

  test('leaves alone what a loop gave up that somebody left: that did not fail', async () => {
    vendor.outcomes.set('last a', ['unavailable']);
    const drawn = looped({ items: ['a', 'stop'], concurrency: 2 });
    drawn.nodes['which'] = {
      ...{ type: 'core.if', version: 1, name: 'which', parent: 'loop' },
      inputs: { condition: { kind: 'expression', source: 'loop.item = "stop"' } },
    };
    drawn.nodes['leave'] = { ...node('core.leave-loop'), parent: 'loop' };
    // It comes to that once the other waits for its next try.
    drawn.nodes['wait'] = {
      ...{ type: 'core.wait', version: 1, name: 'wait', parent: 'loop' },
      inputs: { amount: { kind: 'literal', value: 0.01 }, unit: { kind: 'literal', value: 'minutes' } },
    };
    drawn.edges = [
      ...[edge('t', 'one'), edge('one', 'loop'), edge('loop', 'which', 'each'), edge('which', 'item', 'else')],
      ...[edge('item', 'last'), edge('which', 'wait', 'then'), edge('wait', 'leave'), edge('loop', 'after')],
    ];
    let time = deps.now().getTime();
    const run = await begun(drawn, { ...deps, now: () => new Date(time) });
    expect(await run.play()).toMatchObject({ ended: false, wakeInMs: 600 });
    time += 600;
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual([]);
    expect(vendor.calls).toEqual(['one', 'book a', 'last a', 'after']);
    expect((await run.row())['status']).toBe('succeeded');
  });
});

describe('a step that waits for a person', () => {
  test('goes on with the input that they give', async () => {
    vendor.outcomes.set('last', ['invalid']);
    const run = await (await publishFlow(bench, deps, flow())).begin();
    await run.play();
    expect(await run.settle('last', { action: 'retry', input: { name: 'corrected' } })).toBe(true);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls.at(-1)).toBe('corrected');
    expect((await run.steps())['last']).toMatchObject({ status: 'succeeded', input: { name: 'corrected' } });
  });

  test('is told so when what they give does not fit', async () => {
    vendor.outcomes.set('last', ['invalid']);
    const run = await (await publishFlow(bench, deps, flow())).begin();
    await run.play();
    await run.settle('last', { action: 'retry', input: { nombre: 'x' } });
    await run.play();
    expect((await run.steps())['last']).toMatchObject({ status: 'parked', error: { code: 'required_missing' } });
  });

  test('goes the way for errors when they say so and one is drawn, and not otherwise', async () => {
    vendor.outcomes.set('last', ['invalid', 'invalid']);
    const drawn = flow();
    const run = await (
      await publishFlow(bench, deps, {
        nodes: {
          ...drawn.nodes,
          sorry: {
            ...node('test.write', 'sorry'),
            inputs: { name: { kind: 'expression', source: '"sorry, " & steps.last.error.code' } },
          },
        },
        edges: [...drawn.edges, edge('last', 'sorry', 'error')],
      })
    ).begin();
    await run.play();
    expect(await run.settle('last', { action: 'error_port' })).toBe(true);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls.at(-1)).toBe('sorry, invalid');
    expect((await run.row())['status']).toBe('succeeded');

    const plain = await (await publishFlow(bench, deps, drawn)).begin();
    await plain.play();
    expect(await plain.settle('last', { action: 'error_port' })).toBe(false);
  });
});
