import type { StepDetail, StepStatus } from '@plumbline/engine/contract';
import { describe, expect, test } from 'vitest';
import { suggestions } from './suggest.ts';

function stuck(kind: string, status: StepStatus = 'parked', port: string | null = null): StepDetail {
  const error = { kind, code: kind, message: '', fix: '' };
  return { status, port, error } as StepDetail;
}
const acts = (step: StepDetail, more: { connected?: boolean; errorWay?: boolean } = {}) =>
  suggestions({ step, connected: true, errorWay: false, ...more }).map(({ act }) => act);

describe('the first thing to try', () => {
  test.each([
    ['reauthorize', 'reconnect'],
    ['unavailable', 'retry'],
    ['invalid', 'edit'],
    ['closed_period', 'edit'],
    ['ambiguous', 'skip'],
    ['T2001', 'mapping'],
  ])('for %s is %s', (kind, act) => expect(acts(stuck(kind))[0]).toBe(act));

  test('is not to reconnect what has no account', () =>
    expect(acts(stuck('reauthorize'), { connected: false })[0]).toBe('retry'));
});

test('the error way is offered only where the flow has drawn it', () => {
  expect(acts(stuck('invalid'))).not.toContain('error_port');
  expect(acts(stuck('invalid'), { errorWay: true })).toContain('error_port');
});

test('a run that has ended is run again from the step; a failure the flow took care of needs nothing', () => {
  expect(acts(stuck('invalid', 'failed'))).toEqual(['mapping', 'rerun']);
  expect(acts(stuck('invalid', 'failed', 'error'))).toEqual([]);
});
