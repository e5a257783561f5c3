import type { RunDetail, StepDetail } from '@plumbline/engine/contract';
import { describe, expect, test } from 'vitest';
import { countedLoops, iterationOf, linesAround } from './rounds.ts';

const node = (type: string, parent?: string) => ({
  type,
  version: 1,
  name: type,
  inputs: {},
  ...(parent ? { parent } : {}),
});
const document = {
  ...{ schema: 1, params: {}, connections: {}, positions: {}, edges: [] },
  nodes: {
    each: node('core.for-each'),
    inner: node('core.for-each', 'each'),
    say: node('core.notify', 'inner'),
    scope: node('core.scope'),
    tried: node('core.for-each', 'scope'),
    note: node('core.notify', 'tried'),
  },
} as unknown as RunDetail['document'];
const step = (nodeId: string, iteration: string, output: unknown = null) =>
  ({ nodeId, iteration, output }) as unknown as StepDetail;
const run = {
  document,
  steps: [
    step('each', '', { count: 3_000 }),
    step('inner', '2999', { count: 2 }),
    step('say', '2999.0'),
    step('tried', '0'),
    step('note', '0.4'),
    step('note', '1.4'),
  ],
};

describe('rounds by their number', () => {
  test('are those of loops that stand in no other loop; how many there are is known once a loop has ended', () => {
    expect(countedLoops(run)).toEqual([
      { id: 'each', name: 'core.for-each', count: 3_000 },
      { id: 'tried', name: 'core.for-each', count: undefined },
    ]);
  });

  test('are found among the steps that are told; in a scope in its last try', () => {
    expect(iterationOf(run, { loop: 'each', round: 3_000 })).toBe('2999');
    expect(iterationOf(run, { loop: 'each', round: 1 })).toBeUndefined();
    expect(iterationOf(run, { loop: 'tried', round: 5 })).toBe('1.4');
  });

  test('are seen when all around them is open', () => {
    expect(linesAround(run, 'each', '2999')).toEqual(['rounds:each:', 'round:each:2999']);
    expect(linesAround(run, 'tried', '1.4')).toEqual([
      ...['rounds:scope:', 'round:scope:1'],
      ...['rounds:tried:1', 'round:tried:1.4'],
    ]);
  });
});
