import type { RunDetail, StepDetail } from '@plumbline/engine/contract';
import { describe, expect, test } from 'vitest';
import { lineToShow, waterfall, type WaterfallLine } from './waterfall.ts';

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
    attempts: [],
    nextAttemptAt: null,
    startedAt: at(from),
    finishedAt: to === null ? null : at(to),
    durationMs: to === null ? null : to - from,
  };
}

function run(steps: readonly StepDetail[], finished: number | null, more: object = {}): RunDetail {
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
      nodes: { last: node('Last'), start: node('Start'), middle: node('Middle'), ...more },
      edges: [
        { id: 'a', from: 'start', port: 'out', to: 'middle' },
        { id: 'b', from: 'middle', port: 'out', to: 'last' },
      ],
      positions: {},
    },
  } as unknown as RunDetail;
}

const bars = (line: WaterfallLine | undefined) => line?.segments.map(({ kind, left, width }) => [kind, left, width]);

describe('the waterfall', () => {
  test('follows the drawing, and shows what was not reached', () => {
    const lines = waterfall(run([step('start', 0, 100, 'succeeded')], null), Date.parse(at(200)));
    expect(lines.map((line) => line.kind === 'step' && [line.nodeId, line.step?.status])).toEqual([
      ['start', 'succeeded'],
      ['middle', undefined],
      ['last', undefined],
    ]);
  });

  test('measures bars from when the run was queued, so waiting shows', () => {
    const lines = waterfall(run([step('start', 500, 750, 'succeeded')], 1_000), 0);
    expect(bars(lines[0])).toEqual([
      ['queue', 0, 50],
      ['attempt', 50, 25],
    ]);
  });

  test('a bar that is still open ends now', () => {
    const lines = waterfall(run([step('start', 0, null, 'running')], null), Date.parse(at(400)));
    expect(bars(lines[0])).toEqual([['attempt', 0, 100]]);
  });

  test('what waits for a person is shown before what failed', () => {
    const steps = [step('start', 0, 10, 'failed'), step('middle', 10, null, 'parked')];
    expect(lineToShow(waterfall(run(steps, null), Date.parse(at(20))))?.nodeId).toBe('middle');
  });

  test('shows each attempt, the waits between them, and what a person waited', () => {
    const failed = { kind: 'unavailable', code: 'http_503', message: 'Away.' };
    const attempts = [
      { attempt: 1, startedAt: at(0), endedAt: at(100), nextAt: at(300), ...failed },
      { attempt: 2, startedAt: at(300), endedAt: at(400), ...failed },
      { attempt: 1, startedAt: at(800), endedAt: at(1_000) },
    ];
    const [line] = waterfall(run([{ ...step('start', 0, 1_000, 'succeeded'), attempts }], 1_000), 0);
    expect(line?.segments.map(({ kind, tone, left, width }) => [kind, tone, left, width])).toEqual([
      ['attempt', 'bad', 0, 10],
      ['wait', 'warn', 10, 20],
      ['attempt', 'bad', 30, 10],
      ['wait', 'warn', 40, 40],
      ['attempt', 'ok', 80, 20],
    ]);
    const open = { ...step('start', 0, null, 'running'), attempt: 3, attempts: attempts.slice(0, 2) };
    expect(bars(waterfall(run([open], null), Date.parse(at(800)))[0])?.at(-1)).toEqual(['attempt', 50, 50]);
    const parked = { ...open, status: 'parked' as const };
    expect(bars(waterfall(run([parked], null), Date.parse(at(800)))[0])?.at(-1)).toEqual(['wait', 50, 50]);
  });

  describe('of a loop', () => {
    const inLoop = (parent: string) => ({ type: 'core.stop', version: 1, name: 'Inside', inputs: {}, parent });
    const round = (iteration: string, status: StepDetail['status'], nodeId = 'body') => ({
      ...step(nodeId, Number(iteration.split('.')[0]), 50, status),
      iteration,
    });
    const loop = run(
      [
        step('start', 0, 1, 'succeeded'),
        step('middle', 1, 60, 'succeeded'),
        ...['0', '1', '2', '10'].map((iteration) => round(iteration, 'succeeded')),
        step('last', 60, 70, 'succeeded'),
      ],
      100,
      { body: inLoop('middle') },
    );
    const names = (lines: readonly WaterfallLine[]) => lines.map(({ name, depth }) => `${'  '.repeat(depth)}${name}`);

    test('folds the rounds into one line under the loop, which counts them', () => {
      const lines = waterfall(loop, 0);
      expect(names(lines)).toEqual(['start', 'middle', '  Rounds', 'last']);
      expect(lines[2]).toMatchObject({ note: '4: 4 done', open: false });
    });

    test('opens to its rounds in their order, and those to their steps', () => {
      const lines = waterfall(loop, 0, new Set(['rounds:middle:', 'round:middle:1']));
      expect(names(lines)).toEqual([
        'start',
        'middle',
        '  Rounds',
        '    Round 1',
        '    Round 2',
        '      body',
        '    Round 3',
        '    Round 11',
        'last',
      ]);
    });

    test('is open where there is trouble, loops in loops too', () => {
      const nested = run(
        [
          step('start', 0, 1, 'succeeded'),
          step('middle', 1, null, 'running'),
          round('0', 'succeeded'),
          round('0.0', 'succeeded', 'inner'),
          round('3', 'running'),
          round('3.1', 'parked', 'inner'),
        ],
        null,
        { body: inLoop('middle'), inner: inLoop('body') },
      );
      const lines = waterfall(nested, Date.parse(at(100)));
      expect(names(lines)).toEqual([
        'start',
        'middle',
        '  Rounds',
        '    Round 1',
        '    Round 4',
        '      body',
        '        Rounds',
        '          Round 4.2',
        '            inner',
        'Last',
      ]);
      expect(lineToShow(lines)).toMatchObject({ nodeId: 'inner', step: { iteration: '3.1' } });
    });

    test('of a scope is just its steps, with what was undone; several tries are folded', () => {
      const scope = { middle: { type: 'core.scope', version: 1, name: 'Middle', inputs: {} }, body: inLoop('middle') };
      const steps = [
        step('start', 0, 1, 'succeeded'),
        step('middle', 1, 60, 'failed'),
        step('last', 60, 70, 'succeeded'),
      ];
      const once = [...steps, round('0', 'succeeded'), round('0.undo', 'succeeded')];
      expect(names(waterfall(run(once, 100, scope), 0))).toEqual([
        'start',
        'middle',
        '  body',
        '    Undo body',
        'last',
      ]);
      const twice = [...once, round('1', 'succeeded')];
      expect(names(waterfall(run(twice, 100, scope), 0, new Set(['rounds:middle:'])))).toEqual([
        ...['start', 'middle', '  Tries', '    Try 1', '    Try 2', 'last'],
      ]);
    });
  });
});
