import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FlowDocument } from '../flow/schema.ts';
import type { Dependencies } from './dependencies.ts';
import { openBench, type Bench } from './testing.ts';
import { publishFlow, scriptedVendor, type ScriptedVendor } from './testing-flow.ts';

let bench: Bench;
let deps: Dependencies;
let vendor: ScriptedVendor;
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(() => {
  vendor = scriptedVendor();
  const types = vendor.nodeTypes.map((type) => [`${type.id}@1`, type] as const);
  deps = { ...bench.deps, catalog: { ...bench.catalog, nodeTypes: new Map([...bench.catalog.nodeTypes, ...types]) } };
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
