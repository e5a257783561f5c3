import { checkStructure } from '@plumbline/workflows/flow';
import { expect, test } from 'vitest';
import { exampleCatalog, exampleFlow, typeOf } from './example.ts';
import { addNode, connect, disconnect, moveNodes, removeNodes, wouldCircle } from './nodes.ts';

const lines = (document: typeof exampleFlow) =>
  document.edges.map((edge) => `${edge.from}.${edge.port}>${edge.to}`).sort();

test('a condition put on a line takes it apart, and its first way goes where the line went', () => {
  const { document, nodeId } = addNode(exampleFlow, typeOf('core.if'), { kind: 'edge', edgeId: 'approved:out:bill' });
  expect(nodeId).toBe('if');
  expect(lines(document)).toEqual(['approved.out>if', 'bill.out>shape', 'if.then>bill']);
  expect(document.positions['if']).toEqual({ x: 0, y: 150 });
  expect(document.positions['bill']).toEqual({ x: 0, y: 300 });
  expect(document.positions['shape']).toEqual({ x: 0, y: 450 });
  expect(checkStructure(document, exampleCatalog).findings).toEqual([]);
});

test('a step added behind another stands under it, or beside what is there already', () => {
  const first = addNode(exampleFlow, typeOf('core.map'), { kind: 'after', nodeId: 'shape', port: 'out' });
  expect(first.document.positions[first.nodeId]).toEqual({ x: 0, y: 450 });
  const second = addNode(first.document, typeOf('core.map'), { kind: 'after', nodeId: 'shape', port: 'out' });
  expect(second.document.positions[second.nodeId]?.x).toBeGreaterThan(250);
  expect(second.document.nodes[second.nodeId]?.name).toBe('Shape data 3');
});

test('removing a step joins what was before it with what came behind', () => {
  expect(lines(removeNodes(exampleFlow, ['bill']))).toEqual(['approved.out>shape']);
  expect(removeNodes(exampleFlow, ['bill']).positions).not.toHaveProperty('bill');
});

test('removing two steps in a row bridges over both', () => {
  const { document } = addNode(exampleFlow, typeOf('core.if'), { kind: 'edge', edgeId: 'approved:out:bill' });
  expect(lines(removeNodes(document, ['if', 'bill']))).toEqual(['approved.out>shape']);
});

test('the other ways of a removed condition are left without a line into them', () => {
  let { document } = addNode(exampleFlow, typeOf('core.if'), { kind: 'edge', edgeId: 'approved:out:bill' });
  ({ document } = addNode(document, typeOf('core.stop'), { kind: 'after', nodeId: 'if', port: 'else' }));
  expect(lines(removeNodes(document, ['if']))).toEqual(['approved.out>bill', 'bill.out>shape']);
});

test('the same line is not drawn twice, and a circle is seen beforehand', () => {
  expect(connect(exampleFlow, 'approved', 'out', 'bill')).toBe(exampleFlow);
  expect(wouldCircle(exampleFlow, 'shape', 'approved')).toBe(true);
  expect(wouldCircle(exampleFlow, 'approved', 'shape')).toBe(false);
});

test('commands that change nothing return the document they were given', () => {
  expect(moveNodes(exampleFlow, { bill: { x: 0, y: 150 }, nobody: { x: 1, y: 1 } })).toBe(exampleFlow);
  expect(disconnect(exampleFlow, ['nothing'])).toBe(exampleFlow);
  expect(removeNodes(exampleFlow, ['nobody'])).toBe(exampleFlow);
});
