import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { catalogInfo } from '../catalog-info.ts';
import { passedPort } from '../flow/port.ts';
import type { Dependencies } from './dependencies.ts';
import { firstPort } from './first-port.ts';
import { openBench, type Bench } from './testing.ts';
import {
  drawnEdge as edge,
  drawnNode as node,
  publishFlow,
  scriptedVendor,
  withVendor,
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

const cases = [{ id: 'small', title: 'Small', equals: 'small' }];
const outcomes = [{ id: 'changes', title: 'Changes' }];
const stages = [{ approvers: 'owner', from: '0' }];

test.each([
  ['a condition', node('core.if', { condition: false }), 'then', 'else'],
  ['a question', node('core.approval', { title: 'Pay?', stages, outcomes }), 'approved', 'changes'],
  ['a choice', node('core.switch', { value: 'small', cases }), 'default', 'small'],
  ['a check', node('core.only-once', { key: 'x' }), 'out', 'repeat'],
  ['a scope', node('core.scope'), 'out', 'error'],
  ['a step with one way', node('test.write', { name: 'off' }), 'out', undefined],
])('%s that is switched off is passed by its first way', async (_, off, taken, other) => {
  const inside = off.type === 'core.scope';
  const run = await (
    await publishFlow(bench, deps, {
      nodes: {
        t: node('test.begin'),
        off: { ...off, disabled: true },
        yes: node('test.write', { name: 'yes' }),
        no: node('test.write', { name: 'no' }),
        ...(inside && { in: { ...node('test.write', { name: 'in' }), parent: 'off' } }),
      },
      edges: [
        ...[edge('t', 'off'), edge('off', 'yes', taken)],
        ...(other ? [edge('off', 'no', other)] : []),
        ...(inside ? [edge('off', 'in', 'each')] : []),
      ],
    })
  ).begin();
  expect((await run.play())?.ended).toBe(true);
  expect(vendor.calls).toEqual(['yes']);
  expect((await run.row())['status']).toBe('succeeded');
});

test('the editor and the engine know the same way of every step', () => {
  const info = catalogInfo(deps.catalog);
  for (const { id, version, ports } of info.nodeTypes)
    expect(firstPort(deps.catalog.nodeTypes.get(`${id}@${version}`), { inputs: {} }), id).toBe(passedPort({ ports }));
});
