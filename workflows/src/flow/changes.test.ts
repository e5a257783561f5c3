import { expect, test } from 'vitest';
import { changesBetween } from './changes.ts';
import type { FlowDocument, FlowNode, Mapping } from './schema.ts';

type Value = Extract<Mapping, { kind: 'literal' }>['value'];
const literal = (value: Value): Mapping => ({ kind: 'literal', value });

function drawing(step: Partial<FlowNode>, more: Partial<FlowDocument> = {}): FlowDocument {
  return {
    nodes: { step: { type: 'core.map', version: 1, name: 'Step', inputs: {}, ...step } },
    edges: [],
    params: {},
    connections: {},
    positions: {},
    ...more,
  } as FlowDocument;
}

/** What is read of the changes of one step, one line each. */
function lines(before: FlowDocument, after: FlowDocument): string[] {
  return changesBetween(before, after).flatMap(({ fields }) =>
    fields.map(({ title, before: was, after: is }) => `${title}: ${was ?? '-'} → ${is ?? '-'}`),
  );
}

test('of a list of named things, only what differs is told, by their names', () => {
  const fields = (list: Value[]) => drawing({ inputs: { fields: literal(list) } });
  const amount = { name: 'amount', type: 'number', required: false };
  expect(lines(fields([amount]), fields([{ ...amount, required: true }]))).toEqual([
    'fields › amount › required: no → yes',
  ]);
  expect(lines(fields([amount]), fields([{ name: 'vendor', type: 'text', required: true }, amount]))).toEqual([
    'fields › vendor: - → name: vendor · type: text · required: yes',
  ]);
  const vendor = { name: 'vendor', type: 'text' };
  expect(lines(fields([amount, vendor]), fields([vendor, amount]))).toEqual([
    'Order of fields: amount, vendor → vendor, amount',
  ]);
});

test('things without names are told by their place, and what changes its shape is told whole', () => {
  const value = (given: Value) => drawing({ inputs: { value: literal(given) } });
  expect(lines(value(['a', 'b']), value(['a', 'c', 'd']))).toEqual(['value › 2: b → c', 'value › 3: - → d']);
  expect(lines(value({ a: { b: 1 } }), value({ a: { b: 2 } }))).toEqual(['value › a › b: 1 → 2']);
  expect(lines(value({ a: 1 }), value(['x', 'y']))).toEqual(['value: a: 1 → x, y']);
  expect(lines(value([]), value(null))).toEqual(['value: nothing → null']);
  expect(lines(value(null), value(null))).toEqual([]);
  // Two of the same name cannot be told apart by it.
  expect(lines(value([{ name: 'a' }, { name: 'a' }]), value([{ name: 'a' }, { name: 'b' }]))).toEqual([
    'value › 2 › name: a → b',
  ]);
});

test('policies, joins, connections and places are told in words', () => {
  const connections = {
    quickbooks: { connector: 'quickbooks', title: 'QuickBooks', id: null },
  } as unknown as FlowDocument['connections'];
  const loop = { type: 'core.for-each', version: 1, name: 'Each bill', inputs: {} };
  const nodes = (step: Partial<FlowNode>) => ({
    loop,
    step: { type: 'core.map', version: 1, name: 'Step', inputs: {}, ...step },
  });
  expect(
    lines(
      drawing({}, { connections, nodes: nodes({}) }),
      drawing(
        {},
        {
          connections,
          nodes: nodes({
            connection: 'quickbooks',
            parent: 'loop',
            onError: 'port',
            join: { mode: 'count', count: 2, timeoutSeconds: 60 },
            retry: { attempts: 3, initialSeconds: 2 },
          }),
        },
      ),
    ),
  ).toEqual([
    'Connection: - → QuickBooks',
    'Retries: - → 3 tries, from 2 s',
    'When it still fails: - → go on along an error line',
    'Starts when: - → 2 ways into it are done, or after 60 s',
    'Stands in: - → Each bill',
  ]);
});
