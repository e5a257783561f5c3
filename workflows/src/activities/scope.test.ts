import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FlowDocument } from '../flow/schema.ts';
import type { Dependencies } from './dependencies.ts';
import { openBench, type Bench } from './testing.ts';
import {
  playedRun,
  publishFlow,
  scriptedVendor,
  withVendor,
  type PlayedRun,
  type ScriptedVendor,
} from './testing-flow.ts';

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

type Nodes = FlowDocument['nodes'];
type Drawn = Pick<FlowDocument, 'nodes' | 'edges'>;

const expression = (source: string) => ({ kind: 'expression' as const, source });
const literal = (value: string | number) => ({ kind: 'literal' as const, value });
const node = (type: string, inputs: Nodes[string]['inputs'] = {}, more: object = {}) => ({
  ...{ type, version: 1, name: type, inputs },
  ...more,
});
const call = (type: 'book' | 'write' | 'look', source: string, more: object = {}) =>
  node(`test.${type}`, { name: expression(source) }, { name: source.replaceAll('"', ''), ...more });
const book = (name: string, parent: string, more: object = {}) => call('book', `"${name}"`, { parent, ...more });
const scope = (more: object = {}, onFailure?: 'leave') =>
  node('core.scope', onFailure ? { onFailure: literal(onFailure) } : {}, { name: 'Together', ...more });
const edge = (from: string, to: string, port = 'out') => ({ id: `${from}:${port}:${to}`, from, port, to });

/** trigger → scope ( one → two → three ) → after, and on failure → sorry */
function together(more: { readonly scope?: object; readonly leave?: true; readonly three?: object } = {}): Drawn {
  return {
    nodes: {
      t: node('test.begin'),
      all: scope(more.scope, more.leave && 'leave'),
      one: book('one', 'all'),
      two: call('write', '"two"', { parent: 'all' }),
      three: book('three', 'all', more.three),
      after: call('write', '"after " & steps.one.name & " and " & steps.three.name'),
    },
    edges: [
      edge('t', 'all'),
      edge('all', 'one', 'each'),
      edge('one', 'two'),
      edge('two', 'three'),
      edge('all', 'after'),
    ],
  };
}

/** The same, with a way drawn for a failure. */
function caught(more: Parameters<typeof together>[0] = {}): Drawn {
  const { nodes, edges } = together(more);
  const sorry = call(
    'write',
    '"sorry, " & steps.all.error.step & " " & steps.all.error.code & ", undid " & $join(steps.all.error.undone, "+") & ", kept " & $join(steps.all.error.kept, "+")',
  );
  return { nodes: { ...nodes, sorry }, edges: [...edges, edge('all', 'sorry', 'error')] };
}

async function begun(drawn: Drawn, trigger: unknown = {}): Promise<PlayedRun> {
  return await (await publishFlow(bench, deps, drawn)).begin(trigger);
}

describe('a scope', () => {
  test('whose steps come through goes on, and what follows reads them', async () => {
    const run = await begun(together());
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['one', 'two', 'three', 'after one and three']);
    expect(vendor.undone).toEqual([]);
    const steps = await run.steps();
    expect(steps['all']).toMatchObject({ status: 'succeeded', port: 'out', input: { onFailure: 'undo' } });
    expect(steps['one 0']).toMatchObject({ status: 'succeeded' });
    expect((await run.row())['status']).toBe('succeeded');
  });

  test('with a step that fails undoes what the others wrote and goes on where failures go', async () => {
    vendor.outcomes.set('three', ['invalid']);
    const run = await begun(caught());
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['one']);
    expect(vendor.calls).toEqual(['one', 'two', 'three', 'sorry, three invalid, undid one, kept two']);
    expect((await run.steps())['all']).toMatchObject({
      status: 'failed',
      port: 'error',
      error: { step: 'three', code: 'invalid', message: '"three" in "Together" failed: It was invalid.' },
      output: { error: { undone: ['one'], kept: ['two'] } },
    });
    expect((await run.row())['status']).toBe('succeeded');
  });

  test('that leaves things as they are undoes nothing, and names what stays', async () => {
    vendor.outcomes.set('three', ['invalid']);
    const run = await begun(caught({ leave: true }));
    await run.play();
    expect(vendor.undone).toEqual([]);
    expect(vendor.calls.at(-1)).toBe('sorry, three invalid, undid , kept two+one');
  });

  test('that has no way for failures waits for a person, and begins anew when it is tried again', async () => {
    vendor.outcomes.set('three', ['invalid']);
    const run = await begun(together());
    expect(await run.play()).toMatchObject({ ended: false, wakeInMs: null });
    expect(await run.row()).toMatchObject({ status: 'parked', error: { step: 'three', undone: ['one'] } });
    expect(await run.settle('all', { action: 'retry' })).toBe(true);
    expect((await run.play())?.ended).toBe(true);
    // What was undone is done again, under keys of its own; what could not be undone, too.
    expect(vendor.calls).toEqual(['one', 'two', 'three', 'one', 'two', 'three', 'after one and three']);
    expect(vendor.undone).toEqual(['one']);
    expect((await run.steps())['three 1']).toMatchObject({ status: 'succeeded' });
  });

  test('that leaves things as they are goes on where it failed when it is tried again', async () => {
    vendor.outcomes.set('three', ['invalid']);
    const run = await begun(together({ leave: true }));
    await run.play();
    expect((await run.row())['status']).toBe('parked');
    await run.settle('all', { action: 'retry' });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['one', 'two', 'three', 'three', 'after one and three']);
  });

  test('that a person skips goes on without what failed', async () => {
    vendor.outcomes.set('three', ['invalid']);
    const drawn = together();
    drawn.nodes['after'] = call('write', '"after"');
    const run = await begun(drawn);
    await run.play();
    await run.settle('all', { action: 'skip', output: {} });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls.at(-1)).toBe('after');
  });

  test('that is to stop the run fails it; one that is to undo it undoes what came before, too, and nothing twice', async () => {
    for (const onError of ['stop', 'compensate'] as const) {
      vendor.calls.length = vendor.undone.length = 0;
      vendor.outcomes.set('three', ['invalid']);
      const drawn = together({ scope: { onError } });
      drawn.nodes['before'] = call('book', '"before"');
      drawn.edges = [...drawn.edges.slice(1), edge('t', 'before'), edge('before', 'all')];
      const run = await begun(drawn);
      expect((await run.play())?.ended).toBe(true);
      expect((await run.row())['status']).toBe('failed');
      expect(vendor.undone).toEqual(onError === 'stop' ? ['one'] : ['one', 'before']);
    }
  });

  test('has a step that is to wait for a person wait, and fails when they give it up', async () => {
    vendor.outcomes.set('three', ['invalid', 'invalid']);
    const run = await begun(caught({ three: { onError: 'park' } }));
    expect(await run.play()).toMatchObject({ ended: false, wakeInMs: null });
    expect(vendor.undone).toEqual([]);
    await run.settle('three', { action: 'retry' }, '0');
    expect((await run.play())?.ended).toBe(false);
    expect(await run.settle('three', { action: 'abort' }, '0')).toBe(true);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['one']);
    expect(vendor.calls.at(-1)).toMatch(/^sorry, three/);
    expect((await run.row())['status']).toBe('succeeded');
  });

  test('gives up what waits beside the step that failed', async () => {
    vendor.outcomes.set('three', ['invalid']);
    vendor.outcomes.set('beside', ['invalid']);
    const drawn = caught();
    drawn.nodes['beside'] = call('write', '"beside"', { parent: 'all', onError: 'park' });
    drawn.edges.push(edge('all', 'beside', 'each'));
    const run = await begun(drawn);
    expect((await run.play())?.ended).toBe(true);
    expect((await run.steps())['beside 0']).toMatchObject({ status: 'failed' });
    expect((await run.row())['status']).toBe('succeeded');
  });
});

describe('undoing in a scope', () => {
  test('waits for a person where it does not go through, and then goes on', async () => {
    vendor.outcomes.set('three', ['invalid']);
    vendor.outcomes.set('undo one', ['invalid']);
    const run = await begun(caught());
    expect(await run.play()).toMatchObject({ ended: false, wakeInMs: null });
    expect((await run.steps())['one 0.undo']).toMatchObject({ status: 'parked' });
    // Whoever takes it up again begins nothing in it.
    expect(await run.play()).toMatchObject({ ended: false });
    expect(await run.settle('one', { action: 'retry' }, '0.undo')).toBe(true);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['one', 'one']);
    expect(vendor.calls).toEqual(['one', 'two', 'three', 'sorry, three invalid, undid one, kept two']);
  });

  test.each([
    ['gives it up', { action: 'abort' } as const],
    ['skips it', { action: 'skip', output: {} } as const],
  ])('says what stays when a person %s', async (_, decision) => {
    vendor.outcomes.set('three', ['invalid']);
    vendor.outcomes.set('undo one', ['invalid']);
    const run = await begun(caught());
    await run.play();
    expect(await run.settle('one', decision, '0.undo')).toBe(true);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls.at(-1)).toBe('sorry, three invalid, undid , kept two+one');
  });

  test('tries again by itself when the vendor is away', async () => {
    vendor.outcomes.set('three', ['invalid']);
    vendor.outcomes.set('undo one', ['unavailable']);
    const run = await begun(caught());
    expect(await run.play()).toMatchObject({ ended: false, wakeInMs: 2_000 });
    const later = { ...deps, now: () => new Date(deps.now().getTime() + 2_000) };
    const again = playedRun(bench, later, { runId: run.runId, planHash: String((await run.row())['plan_hash']) });
    expect((await again.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['one', 'one']);
  });
});

describe('scopes in each other', () => {
  /** outer ( a → inner ( b → c ) → d ) → after */
  const nested = (inner: object = {}): Drawn => ({
    nodes: {
      t: node('test.begin'),
      outer: scope({ name: 'Outer' }),
      a: book('a', 'outer'),
      inner: scope({ name: 'Inner', parent: 'outer', ...inner }),
      b: book('b', 'inner'),
      c: book('c', 'inner'),
      d: book('d', 'outer'),
      after: call('write', '"after " & steps.c.name'),
      sorry: call('write', '"sorry, " & steps.outer.error.step'),
    },
    edges: [
      ...[edge('t', 'outer'), edge('outer', 'a', 'each'), edge('a', 'inner'), edge('inner', 'b', 'each')],
      ...[edge('b', 'c'), edge('inner', 'd'), edge('outer', 'after'), edge('outer', 'sorry', 'error')],
    ],
  });

  test('undo what the inner one did when the outer one fails', async () => {
    vendor.outcomes.set('d', ['invalid']);
    const run = await begun(nested());
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['c', 'b', 'a']);
    expect((await run.steps())['b 0.0.undo']).toMatchObject({ status: 'succeeded' });
    expect(vendor.calls.at(-1)).toBe('sorry, d');
  });

  test('undo the inner one first where it fails, and then the rest of the outer one', async () => {
    vendor.outcomes.set('c', ['invalid']);
    const run = await begun(nested());
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['b', 'a']);
    expect(vendor.calls.at(-1)).toBe('sorry, c');
    expect((await run.steps())['outer']?.['error']).toMatchObject({ undone: ['b', 'a'] });
  });

  test('go on in the outer one when the failure of the inner one has a way of its own, and undo it once', async () => {
    vendor.outcomes.set('c', ['invalid']);
    vendor.outcomes.set('e', ['invalid']);
    const drawn = nested();
    drawn.nodes['e'] = book('e', 'outer');
    drawn.edges.push(edge('inner', 'e', 'error'));
    const run = await begun(drawn);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['a', 'b', 'c', 'e', 'sorry, e']);
    expect(vendor.undone).toEqual(['b', 'a']);
  });

  test('read what came before from inside, and what the last try did from behind', async () => {
    vendor.outcomes.set('c', ['invalid']);
    const drawn = nested({ onError: 'park' });
    drawn.nodes['c'] = call('book', 'steps.a.name = "a" ? "c" : "?"', { parent: 'inner' });
    const run = await begun(drawn);
    expect((await run.play())?.ended).toBe(false);
    await run.settle('inner', { action: 'retry' }, '0');
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls.at(-1)).toBe('after c');
    expect((await run.steps())['c 0.1']).toMatchObject({ status: 'succeeded' });
  });
});

describe('scopes and loops', () => {
  /** loop ( scope ( write → check ) → next ) → after */
  const looped = (settings: Nodes[string]['inputs'] = {}): Drawn => ({
    nodes: {
      t: node('test.begin'),
      loop: node('core.for-each', { items: expression('trigger.items'), ...settings }),
      all: scope({ parent: 'loop' }),
      write: call('book', '"w" & loop.item', { parent: 'all' }),
      check: call('look', '"c" & loops.loop.item', { parent: 'all' }),
      next: node('core.next-item', { value: expression('steps.write.name') }, { parent: 'loop' }),
      after: call('write', '"after " & $join(steps.loop.values[$ != null], "+")'),
    },
    edges: [
      ...[edge('t', 'loop'), edge('loop', 'all', 'each'), edge('all', 'write', 'each'), edge('write', 'check')],
      ...[edge('all', 'next'), edge('loop', 'after')],
    ],
  });

  test('undo the item that fails and go on with the others', async () => {
    vendor.outcomes.set('cb', ['invalid']);
    const run = await begun(looped({ onItemError: literal('skip') }), { items: ['a', 'b', 'c'] });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['wb']);
    expect(vendor.calls).toEqual(['wa', 'ca', 'wb', 'cb', 'wc', 'cc', 'after wa+wc']);
    const steps = await run.steps();
    expect(steps['write 1.0']).toMatchObject({ closed: true });
    expect(steps['write 1.0.undo']).toMatchObject({ closed: true });
  });

  test('begin the scope of a failed item anew when the loop is tried again', async () => {
    vendor.outcomes.set('cb', ['invalid']);
    const drawn = looped();
    drawn.nodes['all'] = scope({ parent: 'loop', onError: 'stop' });
    const run = await begun(drawn, { items: ['a', 'b', 'c'] });
    expect((await run.play())?.ended).toBe(false);
    expect((await run.steps())['loop']).toMatchObject({ status: 'parked', error: { code: 'item_failed' } });
    await run.settle('loop', { action: 'retry' });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['wa', 'ca', 'wb', 'cb', 'wb', 'cb', 'wc', 'cc', 'after wa+wb+wc']);
    expect(vendor.undone).toEqual(['wb']);
  });

  test('end the turn of the loop from inside the scope', async () => {
    const drawn = looped();
    drawn.nodes['check'] = node('core.next-item', { value: expression('"early " & loop.item') }, { parent: 'all' });
    const run = await begun(drawn, { items: ['a', 'b'] });
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls.at(-1)).toBe('after early a+early b');
    expect((await run.steps())['all 0']).toMatchObject({ status: 'succeeded', port: 'next' });
  });

  test('undo all turns of a loop inside, last first', async () => {
    vendor.outcomes.set('last', ['invalid']);
    const run = await begun(
      {
        nodes: {
          t: node('test.begin'),
          all: scope(),
          loop: node('core.for-each', { items: expression('trigger.items') }, { parent: 'all' }),
          one: call('book', '"1" & loop.item', { parent: 'loop' }),
          two: call('book', '"2" & loop.item', { parent: 'loop' }),
          last: book('last', 'all'),
          sorry: call('write', '"sorry"'),
        },
        edges: [
          ...[edge('t', 'all'), edge('all', 'loop', 'each'), edge('loop', 'one', 'each'), edge('one', 'two')],
          ...[edge('loop', 'last'), edge('all', 'sorry', 'error')],
        ],
      },
      { items: ['a', 'b'] },
    );
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.undone).toEqual(['2b', '1b', '2a', '1a']);
    expect(vendor.calls.at(-1)).toBe('sorry');
  });
});

test('a loop in a loop does its failed items again when the outer one is tried again', async () => {
  vendor.outcomes.set('x2', ['invalid']);
  const run = await begun(
    {
      nodes: {
        t: node('test.begin'),
        outer: node('core.for-each', { items: expression('["x", "y"]') }),
        inner: node('core.for-each', { items: expression('[1, 2, 3]') }, { parent: 'outer', onError: 'stop' }),
        write: call('write', 'loops.outer.item & $string(loop.item)', { parent: 'inner', onError: 'stop' }),
      },
      edges: [edge('t', 'outer'), edge('outer', 'inner', 'each'), edge('inner', 'write', 'each')],
    },
    {},
  );
  expect((await run.play())?.ended).toBe(false);
  await run.settle('outer', { action: 'retry' });
  expect((await run.play())?.ended).toBe(true);
  expect(vendor.calls).toEqual(['x1', 'x2', 'x2', 'x3', 'y1', 'y2', 'y3']);
});
