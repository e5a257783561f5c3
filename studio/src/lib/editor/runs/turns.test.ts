import type { StepDetail, StepStatus } from '@plumbline/engine/contract';
import { describe, expect, test } from 'vitest';
import { exampleFlow } from '../document/example.ts';
import { paintOf, stepsOfNode } from './paint.ts';
import { itemWords, progressOf, turnsOf } from './turns.ts';

const step = (nodeId: string, iteration: string, status: StepStatus, more: Partial<StepDetail> = {}): StepDetail => ({
  ...{ nodeId, iteration, status, name: nodeId, type: '', attempt: 1, maxAttempts: 1, port: null },
  ...{ input: null, output: null, error: null, attempts: [], nextAttemptAt: null, startedAt: '2026-03-02T10:00:00Z' },
  ...{ finishedAt: null, durationMs: null },
  ...more,
});
const loop = { type: 'core.for-each', version: 1, name: 'Each', inputs: {} };
const bill = { type: 'core.map', version: 1, name: 'Bill', inputs: {}, parent: 'each' };
const run = {
  document: { ...exampleFlow, nodes: { ...exampleFlow.nodes, each: loop, bill } },
  steps: [
    step('each', '', 'running', { input: { items: [1, 2, 3, 4] } }),
    step('bill', '0', 'succeeded'),
    step('bill', '2', 'parked'),
    step('bill', '1', 'failed'),
  ],
};

test('turns of a loop stand in their order, each with the state that needs a look first', () => {
  expect(turnsOf(run, 'each', {}).map(({ number, status }) => [number, status])).toEqual([
    [1, 'succeeded'],
    [2, 'failed'],
    [3, 'parked'],
  ]);
});

test('a loop says how far it is of how many, and what failed', () => {
  expect(progressOf(run, 'each', {})).toBe('2 of 4, 1 failed, 1 needs a person');
});

test('the turn that was chosen is painted, and its values are shown', () => {
  expect(paintOf(run).get('bill')?.status).toBe('succeeded');
  expect(paintOf(run, { each: 1 }).get('bill')?.status).toBe('failed');
  expect(stepsOfNode(run, 'bill', { each: 2 }).map(({ status }) => status)).toEqual(['parked']);
  expect(paintOf(run, { each: 3 }).has('bill')).toBe(false);
});

test('a loop around a step that was tried alone tells no progress', () => {
  const alone = { ...run, steps: [step('each', '', 'succeeded', { simulated: true })] };
  expect(progressOf(alone, 'each', {})).toBeUndefined();
});

describe('a scope', () => {
  const scope = { type: 'core.scope', version: 1, name: 'Together', inputs: {} };
  const inner = { ...bill, parent: 'scope' };
  const tried = {
    document: { ...exampleFlow, nodes: { ...exampleFlow.nodes, scope, bill: inner } },
    steps: [
      step('scope', '', 'running', { attempt: 2 }),
      step('bill', '0', 'failed'),
      step('bill', '0.undo', 'succeeded'),
      step('bill', '1', 'succeeded'),
    ],
  };

  test('shows its last try, unless another was chosen', () => {
    expect(paintOf(tried).get('bill')?.status).toBe('succeeded');
    expect(paintOf(tried, { scope: 0 }).get('bill')?.status).toBe('failed');
    expect(turnsOf(tried, 'scope', {}).map(({ number }) => number)).toEqual([1, 2]);
    expect(progressOf(tried, 'scope', {})).toBe('2 tries');
  });

  test('says what became of what it wrote', () => {
    const error = { kind: 'invalid', code: 'invalid', message: '', fix: '', undone: ['a', 'b'], kept: ['c'] };
    const failed = { ...tried, steps: [step('scope', '', 'failed', { error }), step('bill', '0', 'failed')] };
    expect(progressOf(failed, 'scope', {})).toBe('2 undone, 1 stays');
  });

  test('is no item', () => {
    expect(itemWords(tried.document, { nodeId: 'bill', iteration: '0' })).toBe('');
    expect(itemWords(run.document, { nodeId: 'bill', iteration: '2' })).toBe(', item 3');
  });
});
