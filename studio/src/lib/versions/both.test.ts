import { changesBetween } from '@plumbline/workflows/flow';
import { expect, test } from 'vitest';
import { exampleFlow, typeOf } from '../editor/document/example.ts';
import { addNode, removeNodes } from '../editor/document/nodes.ts';
import { setNode } from '../editor/document/settings.ts';
import { both } from './both.ts';

test('two drawings in one show what was added, removed and changed, each at its place', () => {
  let newer = setNode(exampleFlow, 'bill', { name: 'Enter the bill' });
  newer = removeNodes(newer, ['shape']);
  const added = addNode(newer, typeOf('core.stop'), { kind: 'after', nodeId: 'bill', port: 'out' });
  newer = added.document;
  const { document, marks } = both(exampleFlow, newer, changesBetween(exampleFlow, newer));
  expect(Object.keys(document.nodes)).toEqual(expect.arrayContaining(['approved', 'bill', 'shape', added.nodeId]));
  expect(document.positions['shape']).toEqual(exampleFlow.positions['shape']);
  expect(marks).toMatchObject({ bill: 'changed', shape: 'removed', [added.nodeId]: 'added' });
  expect(marks['approved']).toBeUndefined();
  expect(document.edges.map(({ id, from, to }) => [from, to, marks[id]])).toEqual(
    expect.arrayContaining([
      ['approved', 'bill', undefined],
      ['bill', added.nodeId, 'added'],
      ['bill', 'shape', 'removed'],
    ]),
  );
});
