import type { RunDetail, StepDetail } from '@plumbline/engine/contract';
import { describe, expect, test } from 'vitest';
import { lineToShow, waterfall } from './waterfall.ts';

const queuedAt = '2026-03-01T00:00:00.000Z';
const at = (ms: number): string => new Date(Date.parse(queuedAt) + ms).toISOString();

function step(nodeId: string, from: number, to: number | null, status: StepDetail['status']): StepDetail {
  return {
    nodeId,
    iteration: '',
    name: nodeId,
    type: '',
    status,
    attempt: 1,
    maxAttempts: 5,
    port: null,
    input: null,
    output: null,
    error: null,
    nextAttemptAt: null,
    startedAt: at(from),
    finishedAt: to === null ? null : at(to),
    durationMs: to === null ? null : to - from,
  };
}

function run(steps: readonly StepDetail[], finished: number | null): RunDetail {
  const node = (name: string) => ({ type: 'core.stop', version: 1, name, inputs: {} });
  return {
    queuedAt,
    finishedAt: finished === null ? null : at(finished),
    steps,
    document: {
      schema: 1,
      params: {},
      connections: {},
      // Stored out of order on purpose.
      nodes: { last: node('Last'), start: node('Start'), middle: node('Middle') },
      edges: [
        { id: 'a', from: 'start', port: 'out', to: 'middle' },
        { id: 'b', from: 'middle', port: 'out', to: 'last' },
      ],
      positions: {},
    },
  } as unknown as RunDetail;
}

describe('the waterfall', () => {
  test('follows the drawing, and shows what was not reached', () => {
    const lines = waterfall(run([step('start', 0, 100, 'succeeded')], null), Date.parse(at(200)));
    expect(lines.map((line) => [line.nodeId, line.step?.status])).toEqual([
      ['start', 'succeeded'],
      ['middle', undefined],
      ['last', undefined],
    ]);
  });

  test('measures bars from when the run was queued, so waiting shows', () => {
    const lines = waterfall(run([step('start', 500, 750, 'succeeded')], 1_000), 0);
    expect(lines[0]).toMatchObject({ from: 50, width: 25 });
  });

  test('a bar that is still open ends now', () => {
    const lines = waterfall(run([step('start', 0, null, 'running')], null), Date.parse(at(400)));
    expect(lines[0]).toMatchObject({ from: 0, width: 100 });
  });

  test('what waits for a person is shown before what failed', () => {
    const steps = [step('start', 0, 10, 'failed'), step('middle', 10, null, 'parked')];
    expect(lineToShow(waterfall(run(steps, null), Date.parse(at(20))))?.nodeId).toBe('middle');
  });
});
