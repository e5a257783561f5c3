import {
  checkStructure,
  scopeSchema,
  type CatalogInfo,
  type FlowInfo,
  type FlowInterface,
} from '@plumbline/workflows/flow';
import { expect, test } from 'vitest';
import { exampleCatalog, exampleFlow, typeOf } from '../document/example.ts';
import { addNode } from '../document/nodes.ts';
import { setInput } from '../document/settings.ts';
import { callableFlows, calledInterface, resultPaths } from './called-flow.ts';
import { dataTree, findEntry } from './data-tree.ts';

const takes = (name: string): FlowInterface => ({
  kind: 'callable',
  fields: [{ id: 'total', title: 'Total', type: 'number', required: true }],
  result: {
    type: 'object',
    properties: { [name]: { type: 'number' }, 'odd name': { type: 'string' } },
    required: [name],
    additionalProperties: false,
  },
});
const flow = (id: string, more: Partial<FlowInfo>): FlowInfo => ({
  ...{ id, name: id, publishedVersion: 2, latestVersion: 2, interfaces: [] },
  ...more,
});
const flows: readonly FlowInfo[] = [
  flow('book', {
    interfaces: [
      { since: 1, interface: takes('first') },
      { since: 2, interface: takes('second') },
    ],
  }),
  flow('drawn', { publishedVersion: null, latestVersion: 0, draft: takes('planned') }),
  flow('other', { interfaces: [{ since: 1, interface: { kind: 'not_callable' } }] }),
  flow('me', { interfaces: [{ since: 1, interface: takes('mine') }] }),
];
const call = {
  ...typeOf('core.stop'),
  id: 'core.call-flow',
  output: {
    type: 'object',
    properties: { runId: { type: 'string' }, result: { type: 'object', additionalProperties: {} } },
    additionalProperties: false,
  },
};
const catalog: CatalogInfo = { ...exampleCatalog, nodeTypes: [...exampleCatalog.nodeTypes, call], flows, flowId: 'me' };

/** The example with a call of a flow behind its last step, and a step behind that. */
function calling(flowId: string, version?: number) {
  const added = addNode(exampleFlow, call, { kind: 'after', nodeId: 'shape', port: 'out' });
  const after = addNode(added.document, typeOf('core.stop'), { kind: 'after', nodeId: added.nodeId, port: 'out' });
  let document = setInput(after.document, added.nodeId, 'flow', { kind: 'literal', value: flowId });
  if (version !== undefined)
    document = setInput(document, added.nodeId, 'version', { kind: 'literal', value: version });
  const node = document.nodes[added.nodeId];
  if (!node) throw new Error('It was added');
  return { document, node, nodeId: added.nodeId, afterId: after.nodeId };
}

test('flows can be chosen that take calls, or will; not the one that is drawn', () => {
  expect(callableFlows(catalog).map(({ id }) => id)).toEqual(['book', 'drawn']);
  expect(callableFlows(exampleCatalog)).toEqual([]);
});

test.each([
  ['book', undefined, 'second'],
  ['book', 1, 'first'],
  ['drawn', undefined, 'planned'],
  ['other', undefined, undefined],
  ['gone', undefined, undefined],
] as const)('what the flow "%s" in version %s takes and hands back is shown', (flowId, version, name) => {
  const { node } = calling(flowId, version);
  const found = calledInterface(catalog, node);
  expect(found && resultPaths('call', found)).toEqual(
    name && [
      { path: `steps.call.result.${name}`, sure: true },
      { path: 'steps.call.result.`odd name`', sure: false },
    ],
  );
});

test.each([
  [undefined, ['second', 'odd name']],
  [1, ['first', 'odd name']],
])('the data picker offers what version %s of the called flow hands back', (version, names) => {
  const { document, nodeId, afterId } = calling('book', version);
  const scope = scopeSchema(document, checkStructure(document, catalog), afterId);
  const tree = dataTree(scope, {}, { [`steps.${nodeId}`]: 'Call' });
  const result = findEntry(tree, `steps.${nodeId}.result`);
  expect(result?.children.map(({ name, kind }) => [name, kind])).toEqual([
    [names[0], 'number'],
    [names[1], 'text'],
  ]);
});
