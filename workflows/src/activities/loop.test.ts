import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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

const expression = (source: string) => ({ kind: 'expression' as const, source });
const literal = (value: string | number) => ({ kind: 'literal' as const, value });
const node = (type: string, inputs: FlowDocument['nodes'][string]['inputs'] = {}, more: object = {}) => ({
  ...{ type, version: 1, name: type, inputs },
  ...more,
});
const edge = (from: string, to: string, port = 'out') => ({ id: `${from}:${port}:${to}`, from, port, to });
const call = (source: string, more: object = {}) => node('test.write', { name: expression(source) }, more);

/** trigger → loop ( write → next ) → after */
function forEach(
  settings: FlowDocument['nodes'][string]['inputs'],
  write: object = {},
): Pick<FlowDocument, 'nodes' | 'edges'> {
  return {
    nodes: {
      t: node('test.begin'),
      loop: node('core.for-each', { items: expression('trigger.items'), ...settings }),
      write: call('"item " & loop.item', { parent: 'loop', ...write }),
      next: node('core.next-item', { value: expression('steps.write.name & " at " & loop.index') }, { parent: 'loop' }),
      after: call('"after " & steps.loop.succeeded & " of " & steps.loop.count'),
    },
    edges: [edge('t', 'loop'), edge('loop', 'write', 'each'), edge('write', 'next'), edge('loop', 'after')],
  };
}

describe('a loop over a list', () => {
  test('has no turn for a list that is null', async () => {
    const run = await (await publishFlow(bench, deps, forEach({}))).begin({ items: null });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['after 0 of 0']);
  });

  test('does its steps for every item in order, and hands their values on', async () => {
    const run = await (await publishFlow(bench, deps, forEach({}))).begin({ items: ['a', 'b', 'c'] });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['item a', 'item b', 'item c', 'after 3 of 3']);
    expect((await run.steps())['loop']).toMatchObject({
      status: 'succeeded',
      output: {
        ...{ count: 3, succeeded: 3, failed: 0, skipped: 0, errors: [] },
        values: ['item a at 0', 'item b at 1', 'item c at 2'],
      },
    });
    expect((await run.row())['status']).toBe('succeeded');
  });

  test('over nothing goes on at once', async () => {
    const run = await (await publishFlow(bench, deps, forEach({}))).begin({ items: [] });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['after 0 of 0']);
  });

  test('has no more under way than allowed', async () => {
    let [now, most] = [0, 0];
    const slow = vendor.nodeTypes.find(({ id }) => id === 'test.write');
    const busy = {
      ...slow,
      run: async (context: never) => {
        most = Math.max(most, ++now);
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
        now--;
        return await slow?.run?.(context);
      },
    };
    const nodeTypes = new Map([...deps.catalog.nodeTypes, ['test.write@1', busy as never]]);
    const given = { ...deps, catalog: { ...deps.catalog, nodeTypes } };
    const run = await (
      await publishFlow(bench, given, forEach({ concurrency: literal(4) }))
    ).begin({ items: Array.from({ length: 30 }, (_, index) => String(index)) });
    expect((await run.play())?.ended).toBe(true);
    expect(most).toBe(4);
    expect(vendor.calls).toHaveLength(31);
  });

  test('gives several items a turn', async () => {
    const flow = forEach({ batchSize: literal(2) });
    flow.nodes['write'] = call('$string($count(loop.item))', { parent: 'loop' });
    const run = await (await publishFlow(bench, deps, flow)).begin({ items: [1, 2, 3, 4, 5] });
    await run.play();
    expect(vendor.calls).toEqual(['2', '2', '1', 'after 3 of 3']);
  });

  test('waits for a person at the item that does not go through, and repeats nothing else', async () => {
    vendor.outcomes.set('item b', ['invalid']);
    const run = await (await publishFlow(bench, deps, forEach({}))).begin({ items: ['a', 'b', 'c'] });
    expect(await run.play()).toMatchObject({ ended: false, wakeInMs: null });
    // One after another: the third waits for the second.
    expect(vendor.calls).toEqual(['item a', 'item b']);
    expect((await run.row())['status']).toBe('parked');
    expect(await run.settle('write', { action: 'retry' }, '0')).toBe(false);
    expect(await run.settle('write', { action: 'retry' }, '1')).toBe(true);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['item a', 'item b', 'item b', 'item c', 'after 3 of 3']);
  });

  test('that may do several at once goes on beside the item that waits', async () => {
    vendor.outcomes.set('item b', ['invalid']);
    const run = await (
      await publishFlow(bench, deps, forEach({ concurrency: literal(2) }))
    ).begin({ items: ['a', 'b', 'c', 'd'] });
    expect((await run.play())?.ended).toBe(false);
    expect([...vendor.calls].sort()).toEqual(['item a', 'item b', 'item c', 'item d']);
    await run.settle('write', { action: 'skip', output: { name: 'by hand' } }, '1');
    expect((await run.play())?.ended).toBe(true);
    expect((await run.steps())['loop']?.['output']).toMatchObject({
      values: ['item a at 0', 'by hand at 1', 'item c at 2', 'item d at 3'],
    });
  });

  test.each([
    ['collect', [{ index: 1, code: 'invalid', message: 'It was invalid.' }]],
    ['skip', []],
  ])('that goes on after failed items (%s) says how many, without asking anybody', async (onItemError, errors) => {
    vendor.outcomes.set('item b', ['invalid']);
    const run = await (
      await publishFlow(bench, deps, forEach({ onItemError: literal(onItemError) }))
    ).begin({ items: ['a', 'b', 'c'] });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['item a', 'item b', 'item c', 'after 2 of 3']);
    expect((await run.steps())['loop']?.['output']).toMatchObject({
      ...{ succeeded: 2, failed: 1, errors, values: ['item a at 0', null, 'item c at 2'] },
    });
  });

  test('stops at a failed item, begins no other, and does only what failed again when told to', async () => {
    vendor.outcomes.set('item b', ['invalid']);
    const run = await (
      await publishFlow(bench, deps, forEach({}, { onError: 'stop' }))
    ).begin({ items: ['a', 'b', 'c'] });
    expect((await run.play())?.ended).toBe(false);
    expect((await run.steps())['loop']).toMatchObject({
      status: 'parked',
      error: { code: 'item_failed', message: 'Item 2 of "core.for-each" failed: It was invalid.' },
    });
    expect(await run.settle('loop', { action: 'retry' })).toBe(true);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['item a', 'item b', 'item b', 'item c', 'after 3 of 3']);
  });

  test('whose worker died when an item had failed, or had left it, begins no other after that', async () => {
    // Once the turn is closed, and before anything is said of the loop.
    const dying = (times: number): Dependencies => ({
      ...deps,
      crashPoint: (point) => {
        if (point === 'after-turn-closed' && times-- === 1) throw new Error('The worker is gone');
      },
    });
    vendor.outcomes.set('item b', ['invalid']);
    const failing = forEach({ items: expression('["a", "b", "c"]') }, { onError: 'stop' });
    Object.assign(failing.nodes['loop'] ?? {}, { onError: 'stop' });
    const failed = await (await publishFlow(bench, dying(2), failing)).begin();
    await expect(failed.play()).rejects.toThrow('The worker is gone');
    expect((await failed.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['item a', 'item b']);
    expect((await failed.row())['error']).toMatchObject({ code: 'item_failed' });

    vendor.calls.length = 0;
    const leaving = forEach({ items: expression('["a", "b", "c"]') });
    leaving.nodes['next'] = node('core.leave-loop', {}, { parent: 'loop' });
    const left = await (await publishFlow(bench, dying(1), leaving)).begin();
    await expect(left.play()).rejects.toThrow('The worker is gone');
    expect((await left.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['item a', 'after 1 of 3']);
  });

  test('takes its own way for errors when an item fails', async () => {
    vendor.outcomes.set('item a', ['invalid']);
    const flow = forEach({}, { onError: 'stop' });
    const run = await (
      await publishFlow(bench, deps, {
        nodes: {
          ...flow.nodes,
          loop: { ...(flow.nodes['loop'] as FlowDocument['nodes'][string]), onError: 'port' },
          sorry: call('"sorry: " & steps.loop.error.code'),
        },
        edges: [...flow.edges, edge('loop', 'sorry', 'error')],
      })
    ).begin({ items: ['a', 'b'] });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['item a', 'sorry: item_failed']);
    expect((await run.row())['status']).toBe('succeeded');
  });

  test('is left when it has found what it looked for', async () => {
    const run = await (
      await publishFlow(bench, deps, {
        nodes: {
          t: node('test.begin'),
          loop: node('core.for-each', { items: expression('trigger.items') }),
          test: node('core.if', { condition: expression('loop.item = "b"') }, { parent: 'loop' }),
          out: node('core.leave-loop', { value: expression('loop.item') }, { parent: 'loop' }),
          write: call('"item " & loop.item', { parent: 'loop' }),
          after: call('"found " & steps.loop.values[-1]'),
        },
        edges: [
          edge('t', 'loop'),
          edge('loop', 'test', 'each'),
          edge('test', 'out', 'then'),
          edge('test', 'write', 'else'),
          edge('loop', 'after'),
        ],
      })
    ).begin({ items: ['a', 'b', 'c'] });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['item a', 'found b']);
    expect((await run.steps())['loop']?.['output']).toMatchObject({ count: 3, succeeded: 2, skipped: 1 });
  });

  test('stands inside another one; both turns are seen, and each step is done once per pair', async () => {
    const run = await (
      await publishFlow(bench, deps, {
        nodes: {
          t: node('test.begin'),
          outer: node('core.for-each', { items: expression('trigger.rows') }),
          inner: node('core.for-each', { items: expression('loop.item.cells') }, { parent: 'outer' }),
          write: call('loops.outer.item.name & loop.item', { parent: 'inner' }),
          sum: call('loop.item.name & steps.inner.count', { parent: 'outer' }),
        },
        edges: [
          edge('t', 'outer'),
          edge('outer', 'inner', 'each'),
          edge('inner', 'write', 'each'),
          edge('inner', 'sum'),
        ],
      })
    ).begin({
      rows: [
        { name: 'x', cells: ['1', '2'] },
        { name: 'y', cells: ['1'] },
      ],
    });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['x1', 'x2', 'x2', 'y1', 'y1']);
    expect(
      Object.keys(await run.steps())
        .filter((name) => name.startsWith('write'))
        .sort(),
    ).toEqual(['write 0.0', 'write 0.1', 'write 1.0']);
  });

  test('longer than allowed is refused before anything is done', async () => {
    const run = await (
      await publishFlow(bench, deps, forEach({ limit: literal(2) }))
    ).begin({ items: ['a', 'b', 'c'] });
    await run.play();
    expect(vendor.calls).toEqual([]);
    expect((await run.steps())['loop']).toMatchObject({ status: 'parked', error: { code: 'loop_limit' } });
    // Tried again it is as long as before.
    await run.settle('loop', { action: 'retry' });
    expect((await run.play())?.ended).toBe(false);
    expect((await run.steps())['loop']).toMatchObject({ status: 'parked', error: { code: 'loop_limit' } });
  });

  test('that comes to too many rounds with the loops around it is refused before anything is done', async () => {
    const list = (length: number) => ({ kind: 'literal' as const, value: Array.from({ length }, (_, n) => n) });
    const run = await (
      await publishFlow(bench, deps, {
        nodes: {
          t: node('test.begin'),
          outer: node('core.for-each', { items: list(1_001) }),
          inner: node('core.for-each', { items: list(1_000) }, { parent: 'outer' }),
          write: call('"never"', { parent: 'inner' }),
        },
        edges: [edge('t', 'outer'), edge('outer', 'inner', 'each'), edge('inner', 'write', 'each')],
      })
    ).begin({});
    await run.play();
    expect(vendor.calls).toEqual([]);
    expect((await run.steps())['inner 0']).toMatchObject({
      status: 'parked',
      error: { code: 'loop_limit', message: expect.stringContaining('1001000 rounds') as unknown },
    });
  });

  test('reads, when it is carried on, only the turns that are under way', async () => {
    vendor.outcomes.set('item 7', ['invalid']);
    const items = Array.from({ length: 200 }, (_, index) => String(index));
    const run = await (await publishFlow(bench, deps, forEach({ concurrency: literal(2) }))).begin({ items });
    await run.play();
    const steps = Object.entries(await run.steps()).filter(([name]) => name.includes(' '));
    expect(steps.length).toBeGreaterThan(390);
    expect(steps.filter(([, step]) => !step['closed']).map(([name]) => name)).toEqual(['write 7']);
    await run.settle('write', { action: 'retry' }, '7');
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls.filter((name) => name.startsWith('item'))).toHaveLength(201);
  });
});

describe('a loop that repeats', () => {
  const repeat = (condition: string, limit = 100) => ({
    nodes: {
      t: node('test.begin'),
      loop: node('core.repeat', { condition: expression(condition), limit: literal(limit) }),
      page: call('"page " & loop.index', { parent: 'loop' }),
      next: node('core.next-item', { value: expression('{"more": loop.index < 2}') }, { parent: 'loop' }),
      after: call('"after " & steps.loop.count'),
    },
    edges: [edge('t', 'loop'), edge('loop', 'page', 'each'), edge('page', 'next'), edge('loop', 'after')],
  });

  test('goes round as long as its condition holds', async () => {
    const run = await (await publishFlow(bench, deps, repeat('loop.index = 0 or loop.value.more'))).begin();
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['page 0', 'page 1', 'page 2', 'after 3']);
  });

  test('goes on in the round it stood in', async () => {
    vendor.outcomes.set('page 1', ['invalid']);
    const run = await (await publishFlow(bench, deps, repeat('loop.index = 0 or loop.value.more'))).begin();
    await run.play();
    await run.settle('page', { action: 'retry' }, '1');
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['page 0', 'page 1', 'page 1', 'page 2', 'after 3']);
  });

  test('asks its condition for the first time when there is no round yet, as its own help says it', async () => {
    for (const condition of [
      'loop.index < 3',
      '$not($exists(loop.value)) or loop.value.more',
      'loops.loop.index < 3 and loop.index < 3',
    ]) {
      vendor.calls.length = 0;
      const run = await (await publishFlow(bench, deps, repeat(condition))).begin();
      expect((await run.play())?.ended, condition).toBe(true);
      expect(vendor.calls).toEqual(['page 0', 'page 1', 'page 2', 'after 3']);
    }
  });

  /** trigger → loop ( pause → page ); each round says whether it was handed anything */
  const waiting = (hands?: 'nothing') => ({
    nodes: {
      t: node('test.begin'),
      loop: node('core.repeat', { condition: expression('loop.index < 3') }),
      pause: node('core.wait', { amount: expression('trigger.minutes'), unit: literal('minutes') }, { parent: 'loop' }),
      page: call('"page " & loop.index & ($exists(loop.value) ? " after something" : " after nothing")', {
        parent: 'loop',
      }),
      ...(hands ? { next: node('core.next-item', {}, { parent: 'loop' }) } : {}),
    },
    edges: [
      ...[edge('t', 'loop'), edge('loop', 'pause', 'each'), edge('pause', 'page')],
      ...(hands ? [edge('page', 'next')] : []),
    ],
  });

  test.each([undefined, 'nothing'] as const)(
    'was handed nothing by a round that hands on nothing, whether it waits in between or not (next item: %s)',
    async (hands) => {
      let time = deps.now().getTime();
      const given = { ...deps, now: () => new Date(time) };
      for (const minutes of [0, 2]) {
        vendor.calls.length = 0;
        const run = await (await publishFlow(bench, given, waiting(hands))).begin({ minutes });
        for (let round = 0; round < 5 && !(await run.play())?.ended; round++) time += 120_000;
        expect(vendor.calls, `${minutes} minutes`).toEqual([
          'page 0 after nothing',
          'page 1 after nothing',
          'page 2 after nothing',
        ]);
      }
    },
  );

  test('that would never end is stopped, and says so', async () => {
    const run = await (await publishFlow(bench, deps, repeat('true', 4))).begin();
    await run.play();
    expect(vendor.calls).toEqual(['page 0', 'page 1', 'page 2', 'page 3']);
    expect((await run.steps())['loop']).toMatchObject({ status: 'parked', error: { code: 'loop_limit' } });
  });
});
