import { loadCatalog } from '@plumbline/nodes';
import { beforeAll, expect, test } from 'vitest';
import { catalogInfo } from '../catalog-info.ts';
import type { NodeTypeInfo } from './catalog.ts';
import { literalsOf } from './literals.ts';
import { portsOf, waysPast } from './port.ts';
import type { FlowNode } from './schema.ts';

let catalog: Awaited<ReturnType<typeof loadCatalog>>;
let types: readonly NodeTypeInfo[];
beforeAll(async () => {
  catalog = await loadCatalog();
  types = catalogInfo(catalog).nodeTypes;
});
const infoOf = (id: string): NodeTypeInfo => {
  const type = types.find((candidate) => candidate.id === id);
  if (!type) throw new Error(`There is no node type ${id}`);
  return type;
};
const inputsOf = (inputs: Readonly<Record<string, unknown>>): FlowNode['inputs'] =>
  Object.fromEntries(
    Object.entries(inputs).map(([field, value]) => [field, { kind: 'literal', value: value as never }]),
  );

test.each([
  ['core.switch', { cases: [{ id: 'small', title: 'Small', equals: 's' }] }, ['small', 'default']],
  [
    'core.approval',
    { outcomes: [{ id: 'changes', title: 'Ask for changes' }] },
    ['approved', 'rejected', 'changes', 'expired'],
  ],
])('the ports of %s come in the order in which it tells them itself', (id, config, ports) => {
  const inputs = inputsOf(config);
  const own = catalog.nodeTypes.get(`${id}@1`)?.ports;
  const told = typeof own === 'function' ? own(literalsOf(inputs)) : own;
  expect(portsOf({ inputs }, infoOf(id))).toEqual(told);
  expect(told?.map((port) => port.id)).toEqual(ports);
});

test.each([
  ['core.notify', ['out']],
  ['core.if', ['then', 'else']],
  ['core.for-each', ['out']],
  ['core.scope', ['out']],
])('past %s lead its ways on, and neither the one inside nor the one for errors', (id, ways) => {
  expect(waysPast({ inputs: {} }, infoOf(id)).map((port) => port.id)).toEqual(ways);
});
