import { expect, test } from 'vitest';
import { loadCatalog } from '@plumbline/nodes';
import { catalogInfo } from '../../catalog-info.ts';
import { drawnEdge, drawnNode } from '../../activities/testing-flow.ts';
import { compile } from './compile.ts';

const info = catalogInfo(await loadCatalog());

/** Trigger, then these in a line. */
function findingsOf(
  ...steps: readonly (readonly [id: string, type: string, name: string, permits?: number])[]
): string[] {
  const nodes = Object.fromEntries([
    ['t', drawnNode('core.manual')],
    ...steps.map(([id, type, name, permits]) => [id, drawnNode(type, { name, ...(permits ? { permits } : {}) })]),
  ]);
  const ids = ['t', ...steps.map(([id]) => id)];
  const edges = ids.slice(1).map((id, index) => drawnEdge(ids[index] ?? '', id));
  const { findings } = compile({ schema: 1, params: {}, connections: {}, positions: {}, nodes, edges }, info);
  return findings.map(({ code, nodeId }) => `${code} ${nodeId}`);
}

test('a name that the run holds already is not waited for', () => {
  expect(findingsOf(['a', 'core.lock', 'x'], ['b', 'core.lock', 'x'])).toEqual(['lock_waits_for_itself b']);
  expect(findingsOf(['a', 'core.lock', 'x'], ['u', 'core.unlock', 'y'], ['b', 'core.lock', 'x'])).toEqual([
    'lock_waits_for_itself b',
  ]);
});

test('one that a branch beside it, or a loop before it, lets go of is waited for', () => {
  const nodes = {
    t: drawnNode('core.manual'),
    a: drawnNode('core.lock', { name: 'x' }),
    u: drawnNode('core.unlock', { name: 'x' }),
    b: drawnNode('core.lock', { name: 'x' }),
  };
  const beside = [drawnEdge('t', 'a'), drawnEdge('a', 'u'), drawnEdge('a', 'b')];
  const document = { schema: 1 as const, params: {}, connections: {}, positions: {}, nodes, edges: beside };
  expect(compile(document, info).findings).toEqual([]);
  const loop = drawnNode('core.for-each', { items: '=[1]' });
  const inLoop = { ...document, nodes: { ...nodes, loop, u: { ...nodes.u, parent: 'loop' } } };
  const edges = [drawnEdge('t', 'a'), drawnEdge('a', 'loop'), drawnEdge('loop', 'u', 'each'), drawnEdge('loop', 'b')];
  expect(compile({ ...inLoop, edges }, info).findings).toEqual([]);
});

test('one that was let go of, another one, or one that has room for more is', () => {
  expect(findingsOf(['a', 'core.lock', 'x'], ['u', 'core.unlock', 'x'], ['b', 'core.lock', 'x'])).toEqual([]);
  expect(findingsOf(['a', 'core.lock', 'x'], ['b', 'core.lock', 'y'])).toEqual([]);
  expect(findingsOf(['a', 'core.lock', 'x', 2], ['b', 'core.lock', 'x', 2])).toEqual([]);
  expect(findingsOf(['a', 'core.lock', '=run.id'], ['b', 'core.lock', '=run.id'])).toEqual([]);
});

test('one that is taken in a loop is let go of there, or the next round waits for the one before', () => {
  const findings = (...more: readonly (readonly [id: string, type: string, name?: string])[]) => {
    const inside = [['a', 'core.lock', 'x'] as const, ...more];
    const nodes = {
      t: drawnNode('core.manual'),
      loop: drawnNode('core.for-each', { items: '=[1, 2]' }),
      ...Object.fromEntries(
        inside.map(([id, type, name]) => [id, { ...drawnNode(type, name ? { name } : {}), parent: 'loop' }]),
      ),
    };
    const edges = [
      ...[drawnEdge('t', 'loop'), drawnEdge('loop', 'a', 'each')],
      ...more.map(([id], index) => drawnEdge(inside[index]?.[0] ?? '', id)),
    ];
    const compiled = compile({ schema: 1, params: {}, connections: {}, positions: {}, nodes, edges }, info);
    return compiled.findings.map(({ code, severity, nodeId }) => `${severity} ${code} ${nodeId}`);
  };
  expect(findings()).toEqual(['warning lock_waits_for_itself a']);
  expect(findings(['u', 'core.unlock', 'y'])).toEqual(['warning lock_waits_for_itself a']);
  expect(findings(['u', 'core.unlock', 'x'])).toEqual([]);
  expect(findings(['u', 'core.unlock', '=loop.item'])).toEqual([]);
  expect(findings(['l', 'core.leave-loop'])).toEqual([]);
});
