import { checkStructure, scopeSchema, type FlowDocument } from '@plumbline/workflows/flow';
import { expect, test } from 'vitest';
import { copyNodes, duplicateNodes, pasteNodes } from './clipboard.ts';
import { folded, loopsOf, withInside } from './containers.ts';
import { exampleCatalog, exampleFlow, typeOf } from './example.ts';
import { boxOf, frameAt, framesOf, makeRoom } from './frames.ts';
import { record, redo, startHistory, undo } from './history.ts';
import { tidy } from './layout.ts';
import { moveInto, removeWithInside, unwrapLoop, wrapInLoop } from './loop-steps.ts';
import { addNode, moveNodes } from './nodes.ts';
import { neighbour, readingOrder } from './reading-order.ts';

const lines = (document: FlowDocument) => document.edges.map(({ from, port, to }) => `${from}.${port}>${to}`).sort();
const typesOf = (document: FlowDocument) => checkStructure(document, exampleCatalog).types;
const faults = (document: FlowDocument) => checkStructure(document, exampleCatalog).findings.map(({ code }) => code);
const parents = (document: FlowDocument) =>
  Object.fromEntries(Object.entries(document.nodes).flatMap(([id, { parent }]) => (parent ? [[id, parent]] : [])));
const wrapped = (ids: readonly string[], document = exampleFlow) => {
  const made = wrapInLoop(document, typesOf(document), { type: typeOf('core.for-each'), ids });
  if (!made) throw new Error('Nothing was put into a loop');
  return made.document;
};
const apart = (document: FlowDocument) => {
  const loops = loopsOf(document, typesOf(document));
  const frames = framesOf(document, loops);
  const ids = Object.keys(document.nodes);
  return ids.every((a) =>
    ids.every((b) => {
      if (a === b || document.nodes[a]?.parent !== document.nodes[b]?.parent) return true;
      const [one, other] = [boxOf(document, frames, a), boxOf(document, frames, b)];
      return (
        one.x + one.width <= other.x ||
        other.x + other.width <= one.x ||
        one.y + one.height <= other.y ||
        other.y + other.height <= one.y
      );
    }),
  );
};

test('a loop drawn around a step takes over its lines, and the step stands inside', () => {
  const document = wrapped(['bill']);
  expect(lines(document)).toEqual(['approved.out>for_each', 'for_each.each>bill', 'for_each.out>shape']);
  expect(parents(document)).toEqual({ bill: 'for_each' });
  expect(faults(document)).toEqual([]);
});

test('steps in a row go into a loop together, triggers stay out', () => {
  const document = wrapped(['approved', 'bill', 'shape']);
  expect(lines(document)).toEqual(['approved.out>for_each', 'bill.out>shape', 'for_each.each>bill']);
  expect(faults(document)).toEqual([]);
});

test('a step added inside an empty loop is led to by it, and one on that line goes before it', () => {
  const loop = addNode(exampleFlow, typeOf('core.for-each'), { kind: 'edge', edgeId: 'bill:out:shape' });
  expect(lines(loop.document)).toEqual(['approved.out>bill', 'bill.out>for_each', 'for_each.out>shape']);
  const first = addNode(loop.document, typeOf('core.map'), { kind: 'inside', loopId: 'for_each' });
  expect(parents(first.document)).toEqual({ map: 'for_each' });
  const second = addNode(first.document, typeOf('core.map'), { kind: 'edge', edgeId: 'for_each:each:map' });
  expect(lines(second.document)).toContain('for_each.each>map_2');
  expect(lines(second.document)).toContain('map_2.out>map');
  const third = addNode(second.document, typeOf('core.map'), { kind: 'after', nodeId: 'map', port: 'out' });
  expect(parents(third.document)).toEqual({ map: 'for_each', map_2: 'for_each', map_3: 'for_each' });
  expect(faults(third.document)).toEqual([]);
});

test('what is added on the line behind a loop stands outside of it', () => {
  const { document, nodeId } = addNode(wrapped(['bill']), typeOf('core.map'), {
    kind: 'edge',
    edgeId: 'for_each:out:shape',
  });
  expect(document.nodes[nodeId]?.parent).toBeUndefined();
});

test('a step moved into a loop goes on where its steps end, and leaves no gap behind', () => {
  const start = wrapped(['bill']);
  const document = moveInto(start, typesOf(start), { ids: ['shape'], loopId: 'for_each' });
  expect(lines(document)).toEqual(['approved.out>for_each', 'bill.out>shape', 'for_each.each>bill']);
  expect(faults(document)).toEqual([]);
});

test('a step moved out of a loop stands behind it, before what followed', () => {
  const start = wrapped(['bill']);
  const inside = addNode(start, typeOf('core.map'), { kind: 'after', nodeId: 'bill', port: 'out' }).document;
  const document = moveInto(inside, typesOf(inside), { ids: ['map'], loopId: undefined });
  expect(lines(document)).toEqual(['approved.out>for_each', 'for_each.each>bill', 'for_each.out>map', 'map.out>shape']);
  expect(parents(document)).toEqual({ bill: 'for_each' });
});

test('a loop moves into another with all its steps, and never into itself', () => {
  const outer = wrapped(['bill']);
  const two = addNode(outer, typeOf('core.for-each'), { kind: 'after', nodeId: 'shape', port: 'out' }).document;
  const full = addNode(two, typeOf('core.map'), { kind: 'inside', loopId: 'for_each_2' }).document;
  const document = moveInto(full, typesOf(full), { ids: ['for_each_2'], loopId: 'for_each' });
  expect(parents(document)).toEqual({ bill: 'for_each', for_each_2: 'for_each', map: 'for_each_2' });
  expect(lines(document)).toContain('for_each_2.each>map');
  expect(lines(document)).toContain('bill.out>for_each_2');
  expect(faults(document)).toEqual([]);
  expect(moveInto(document, typesOf(document), { ids: ['for_each'], loopId: 'for_each_2' })).toBe(document);
});

test('a loop is taken away around its steps, and those that only end a turn go with it', () => {
  const start = wrapped(['bill']);
  const ends = addNode(start, typeOf('core.next-item'), { kind: 'after', nodeId: 'bill', port: 'out' }).document;
  const document = unwrapLoop(ends, typesOf(ends), 'for_each');
  expect(lines(document)).toEqual(lines(exampleFlow));
  expect(Object.keys(document.nodes).sort()).toEqual(Object.keys(exampleFlow.nodes).sort());
  expect(parents(document)).toEqual({});
});

test('a loop deleted with its steps leaves what was around it joined', () => {
  const document = removeWithInside(wrapped(['bill']), ['for_each']);
  expect(lines(document)).toEqual(['approved.out>shape']);
  expect(Object.keys(document.nodes)).toEqual(['approved', 'shape']);
});

test('every one of these is one step to undo, and to do again', () => {
  const start = wrapped(['bill']);
  const types = typesOf(start);
  for (const state of [
    wrapped(['shape'], start),
    moveInto(start, types, { ids: ['shape'], loopId: 'for_each' }),
    moveInto(start, types, { ids: ['bill'], loopId: undefined }),
    unwrapLoop(start, types, 'for_each'),
    removeWithInside(start, ['for_each']),
  ]) {
    expect(state).not.toBe(start);
    const changed = record(startHistory(start), { label: 'x', state, at: 0 });
    expect(undo(changed).present).toBe(start);
    expect(redo(undo(changed)).present).toBe(state);
  }
});

test('a copied loop brings its steps, and its own names in expressions follow', () => {
  const start = wrapped(['bill']);
  const bill = start.nodes['bill'];
  if (!bill) throw new Error('No bill');
  const reading: FlowDocument = {
    ...start,
    nodes: {
      ...start.nodes,
      bill: { ...bill, inputs: { memo: { kind: 'expression', source: 'loops.for_each.item & steps.shape.x' } } },
    },
  };
  expect(withInside(reading, ['for_each'])).toEqual(['for_each', 'bill']);
  const pasted = pasteNodes(reading, copyNodes(reading, ['for_each']));
  expect(pasted && parents(pasted.document)).toEqual({ bill: 'for_each', bill_2: 'for_each_2' });
  expect(pasted?.document.nodes['bill_2']?.inputs['memo']).toEqual({
    kind: 'expression',
    source: 'loops.for_each_2.item & steps.shape.x',
  });
  const twice = duplicateNodes(reading, ['bill']);
  expect(twice?.document.nodes['bill_2']?.parent).toBe('for_each');
});

test('a frame goes around its steps, moves with its loop, and is known by a point in it', () => {
  const start = wrapped(['bill']);
  const loops = loopsOf(start, typesOf(start));
  const frame = framesOf(start, loops).get('for_each');
  const bill = boxOf(start, framesOf(start, loops), 'bill');
  expect(frame && frame.x < bill.x && frame.y < bill.y && frame.y + frame.height > bill.y + bill.height).toBe(true);
  const at = { x: bill.x + 10, y: bill.y + 10 };
  expect(frameAt(framesOf(start, loops), at, new Set())).toBe('for_each');
  expect(frameAt(framesOf(start, loops), at, new Set(['for_each']))).toBeUndefined();
  const loop = start.positions['for_each'] ?? { x: 0, y: 0 };
  const moved = moveNodes(start, { for_each: { x: loop.x + 100, y: loop.y } });
  expect(moved.positions['bill']?.x).toBe((start.positions['bill']?.x ?? 0) + 100);
});

test('what a growing loop would cover makes room, and a tidy drawing overlaps nowhere', () => {
  let document = wrapped(['bill']);
  for (let depth = 0; depth < 2; depth++)
    ({ document } = addNode(document, typeOf('core.map'), {
      kind: 'after',
      nodeId: depth ? 'map' : 'bill',
      port: 'out',
    }));
  document = wrapped(['map'], document);
  const loops = loopsOf(document, typesOf(document));
  expect(loops.size).toBe(2);
  expect(apart(document)).toBe(false);
  expect(apart(makeRoom(document, loops))).toBe(true);
  expect(apart({ ...document, positions: { ...tidy(document, loops) } })).toBe(true);
  expect(makeRoom(exampleFlow, new Set())).toBe(exampleFlow);
});

test('steps are numbered into a loop before what follows it, and arrows walk the same way', () => {
  const document = wrapped(['bill']);
  expect(readingOrder(document)).toEqual(['approved', 'for_each', 'bill', 'shape']);
  expect(neighbour(document, 'for_each', 'down')).toBe('bill');
  expect(neighbour(document, 'bill', 'down')).toBe('shape');
  expect(neighbour(document, 'shape', 'up')).toBe('for_each');
  const closed = folded(document, new Set(['for_each']));
  expect(Object.keys(closed.nodes)).not.toContain('bill');
  expect(neighbour(closed, 'for_each', 'down')).toBe('shape');
});

test('a step in a loop may read the item it is in', () => {
  const document = wrapped(['bill']);
  const structure = checkStructure(document, exampleCatalog);
  expect(Object.keys(scopeSchema(document, structure, 'bill').properties ?? {})).toContain('loop');
  expect(Object.keys(scopeSchema(document, structure, 'shape').properties ?? {})).not.toContain('loop');
});

test('a scope drawn around steps takes over their lines, those for errors too, and they may leave it again', () => {
  const failing: FlowDocument = {
    ...exampleFlow,
    nodes: {
      ...exampleFlow.nodes,
      bill: { ...(exampleFlow.nodes['bill'] as FlowDocument['nodes'][string]), onError: 'port' },
      sorry: { type: 'core.map', version: 1, name: 'Sorry', inputs: {} },
    },
    edges: [...exampleFlow.edges, { id: 'bill:error:sorry', from: 'bill', port: 'error', to: 'sorry' }],
  };
  const made = wrapInLoop(failing, typesOf(failing), { type: typeOf('core.scope'), ids: ['bill'] });
  const document = made?.document ?? failing;
  expect(lines(document)).toEqual(['approved.out>scope', 'scope.each>bill', 'scope.error>sorry', 'scope.out>shape']);
  expect(loopsOf(document, typesOf(document))).toEqual(new Set(['scope']));
  const left = moveInto(document, typesOf(document), { ids: ['bill'], loopId: undefined });
  expect(lines(left)).toContain('scope.out>bill');
  expect(lines(unwrapLoop(document, typesOf(document), 'scope'))).toEqual(['approved.out>bill', 'bill.out>shape']);
});
