import { expect, test } from 'vitest';
import { changesBetween, type FlowDocument } from '@plumbline/workflows/flow';
import { copyNodes, duplicateNodes, pasteNodes } from './clipboard.ts';
import { exampleFlow, typeOf } from './example.ts';
import { placed, tidy } from './layout.ts';
import { addNode, connect, moveNodes, removeNodes } from './nodes.ts';
import { neighbour, readingOrder, stepNumbers } from './reading-order.ts';
import { chooseConnection, ensureSlot, setInput, setNode, setParam } from './settings.ts';

test('copied steps leave connections behind and arrive under free ids, their expressions following', () => {
  const text = copyNodes(exampleFlow, ['bill', 'shape']);
  expect(text).not.toContain('6f9619ff');
  const pasted = pasteNodes(exampleFlow, text);
  expect(pasted?.nodeIds).toEqual(['bill_2', 'shape_2']);
  expect(pasted?.document.nodes['shape_2']?.inputs['value']).toEqual({
    kind: 'expression',
    source: 'steps.bill_2.number',
  });
  expect(pasted?.document.nodes['bill_2']).toMatchObject({ name: 'Create the bill 2', connection: 'quickbooks' });
  expect(pasted?.document.edges).toContainEqual({
    id: 'bill_2:out:shape_2',
    from: 'bill_2',
    port: 'out',
    to: 'shape_2',
  });
});

test('a whole flow may be pasted; other text may not', () => {
  const empty = { ...exampleFlow, nodes: {}, edges: [], positions: {}, connections: {} };
  const pasted = pasteNodes(empty, JSON.stringify(exampleFlow));
  expect(Object.keys(pasted?.document.nodes ?? {})).toEqual(['approved', 'bill', 'shape']);
  expect(pasted?.document.connections['quickbooks']?.id).toBeNull();
  for (const text of [
    'hello',
    '{}',
    '[1]',
    'null',
    '{"plumbline":"steps","version":2,"nodes":{}}',
    '{"plumbline":"steps","version":1,"nodes":{"A b":{}}}',
  ])
    expect(pasteNodes(exampleFlow, text)).toBeUndefined();
});

test('a duplicate stands beside its original', () => {
  const duplicate = duplicateNodes(exampleFlow, ['bill']);
  expect(duplicate?.document.positions['bill_2']?.y).toBe(150);
  expect(duplicate?.document.positions['bill_2']?.x).toBeGreaterThan(200);
});

test('a slot is reused, else made with the only connection there is', () => {
  const connector = { id: 'slack', title: 'Slack' };
  const one = ensureSlot(exampleFlow, connector, [{ id: 'c1', connector: 'slack' }]);
  expect(one.document.connections[one.slot]).toEqual({ connector: 'slack', title: 'Slack', id: 'c1' });
  const two = ensureSlot(exampleFlow, connector, [
    { id: 'c1', connector: 'slack' },
    { id: 'c2', connector: 'slack' },
  ]);
  expect(two.document.connections[two.slot]?.id).toBeNull();
  expect(ensureSlot(exampleFlow, { id: 'quickbooks', title: 'QuickBooks' }, [])).toEqual({
    document: exampleFlow,
    slot: 'quickbooks',
  });
});

test('choosing another connection for a step that shares its slot gives it a slot of its own', () => {
  const { document } = addNode(
    exampleFlow,
    typeOf('quickbooks.create-bill'),
    { kind: 'after', nodeId: 'shape', port: 'out' },
    { connection: 'quickbooks' },
  );
  const chosen = chooseConnection(
    document,
    'create_bill',
    { id: 'quickbooks', title: 'QuickBooks Online' },
    '00000000-0000-4000-8000-000000000002',
  );
  expect(chosen.nodes['create_bill']?.connection).toBe('quickbooks_2');
  expect(chosen.connections['quickbooks']?.id).toBe('6f9619ff-8b86-4011-b42d-00c04fc964ff');
});

test('a step without a place gets its own, beside the others of a fork; what has one stays', () => {
  const nodes = Object.fromEntries(['t', 'a', 'b'].map((id) => [id, { ...exampleFlow.nodes['bill'], name: id }]));
  const edges = ['a', 'b'].map((to) => ({ id: to, from: 't', port: 'out', to }));
  const drawn = { ...exampleFlow, nodes, edges, positions: {} } as FlowDocument;
  const { a, b } = placed(drawn).positions;
  expect(a?.y).toBe(b?.y);
  expect(a?.x).not.toBe(b?.x);
  expect(placed({ ...drawn, positions: { a: { x: 7, y: 8 } } }).positions['a']).toEqual({ x: 7, y: 8 });
  expect(placed(exampleFlow)).toBe(exampleFlow);
});

test('tidying lays steps out from the top down, in line with each other', () => {
  const places = tidy(moveNodes(exampleFlow, { bill: { x: 500, y: -300 } }));
  expect(places['approved']?.y).toBeLessThan(places['bill']?.y ?? 0);
  expect(places['bill']?.x).toBe(places['approved']?.x);
  expect((places['bill']?.y ?? 0) - (places['approved']?.y ?? 0)).toBe(150);
});

test('steps are numbered in the order people read them, circles last', () => {
  expect(readingOrder(exampleFlow)).toEqual(['approved', 'bill', 'shape']);
  expect(stepNumbers(connect(exampleFlow, 'shape', 'out', 'bill')).get('approved')).toBe(1);
  expect(readingOrder(connect(exampleFlow, 'shape', 'out', 'bill'))).toHaveLength(3);
});

test('arrows follow the lines up and down', () => {
  expect(neighbour(exampleFlow, 'bill', 'down')).toBe('shape');
  expect(neighbour(exampleFlow, 'bill', 'up')).toBe('approved');
  expect(neighbour(exampleFlow, 'shape', 'down')).toBeUndefined();
});

test('the list before publishing names added, removed and changed steps with their fields, and ignores places', () => {
  expect(changesBetween(exampleFlow, moveNodes(exampleFlow, { bill: { x: 9, y: 9 } }))).toEqual([]);
  let next = setInput(exampleFlow, 'bill', 'docNumber', { kind: 'expression', source: 'trigger.record.id' });
  next = setNode(next, 'bill', { name: 'Enter the bill' });
  next = setParam(next, 'account', { value: '30' });
  next = removeNodes(next, ['shape']);
  next = addNode(next, typeOf('core.stop'), { kind: 'after', nodeId: 'bill', port: 'out' }).document;
  const changes = changesBetween(exampleFlow, next, () => ({ docNumber: 'Bill number' }));
  expect(changes.map((change) => `${change.kind} ${change.what} ${change.title}`)).toEqual([
    'changed step Enter the bill',
    'removed step Shape data',
    'added step Stop here',
    'added line Enter the bill → Stop here',
    'removed line Create the bill → Shape data',
    'changed setting Account',
  ]);
  expect(changes[0]?.fields).toContainEqual({
    title: 'Bill number',
    before: '= trigger.record.number',
    after: '= trigger.record.id',
  });
});
