import type { RunDetail, StepDetail } from '@plumbline/engine/contract';
import { expect, test } from 'vitest';
import { exampleFlow } from '../document/example.ts';
import { announcement, paintOf, travelled } from './paint.ts';

const step = (nodeId: string, status: StepDetail['status'], more: Partial<StepDetail> = {}): StepDetail => ({
  nodeId,
  iteration: '',
  name: nodeId,
  type: '',
  status,
  attempt: 1,
  maxAttempts: 5,
  port: status === 'succeeded' ? 'out' : null,
  input: null,
  output: null,
  error: null,
  nextAttemptAt: null,
  startedAt: '2026-03-02T10:00:00Z',
  finishedAt: null,
  durationMs: null,
  attempts: [],
  ...more,
});
const run = (steps: readonly StepDetail[], status: RunDetail['status'] = 'running') =>
  ({ id: 'r', steps, document: exampleFlow, status }) as RunDetail;

test('lines are travelled from the trigger to what was reached', () => {
  expect([...travelled(run([step('bill', 'succeeded'), step('shape', 'running')]))]).toEqual([
    'approved:out:bill',
    'bill:out:shape',
  ]);
  expect([...travelled(run([step('bill', 'running')]))]).toEqual(['approved:out:bill']);
  expect([...travelled(run([step('bill', 'succeeded'), step('shape', 'skipped')]))]).toEqual(['approved:out:bill']);
});

test('the last turn of a step is what its card shows', () => {
  expect(paintOf(run([step('bill', 'failed'), step('bill', 'succeeded', { attempt: 2 })])).get('bill')).toMatchObject({
    status: 'succeeded',
    attempt: 2,
  });
});

test('only what changed is announced', () => {
  const before = run([step('bill', 'running')]);
  const now = run([step('bill', 'succeeded'), step('shape', 'running')]);
  expect(announcement(before, now)).toBe('Create the bill done.');
  expect(announcement(now, now)).toBeUndefined();
  expect(announcement(now, run(now.steps, 'succeeded'))).toBe('Run finished.');
});
