import { ConnectorFailure, type FailureKind } from '@plumbline/nodes';
import { describe, expect, test } from 'vitest';
import { retryAfter, StepError, toStepFailure } from './classify.ts';

const failure = (kind: FailureKind, retryAfterMs?: number) =>
  new ConnectorFailure({
    kind,
    code: 'c',
    message: 'It failed.',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });

/** Every kind, and what becomes of a first attempt that met it. */
const table: Readonly<Record<FailureKind, number | undefined>> = {
  unavailable: 2_000,
  throttled: 2_000,
  reauthorize: undefined,
  forbidden: undefined,
  invalid: undefined,
  not_found: undefined,
  conflict: undefined,
  closed_period: undefined,
  ambiguous: undefined,
  contract: undefined,
};

describe('a failure', () => {
  test.each(Object.entries(table))('of kind %s waits %s ms for its second attempt', (kind, expected) => {
    expect(retryAfter(failure(kind as FailureKind), 1, 2)).toBe(expected);
    const told = toStepFailure(failure(kind as FailureKind));
    expect(told).toMatchObject({ kind, code: 'c', message: 'It failed.' });
    expect(told.fix.length).toBeGreaterThan(10);
  });

  test('doubles its wait with every attempt, up to an hour', () => {
    expect([1, 2, 3, 4].map((attempt) => retryAfter(failure('unavailable'), attempt, 2))).toEqual([
      2_000, 4_000, 8_000, 16_000,
    ]);
    expect(retryAfter(failure('unavailable'), 20, 3_600)).toBe(3_600_000);
  });

  test('waits as long as the vendor asked, but never spins', () => {
    expect(retryAfter(failure('throttled', 61_000), 1, 2)).toBe(61_000);
    expect(retryAfter(failure('throttled', 0), 1, 2)).toBe(100);
    expect(retryAfter(failure('unavailable', 5_000), 1, 2)).toBe(5_000);
  });

  test('of an expression waits for a person, unless the evaluator was only busy', () => {
    const of = (code: string) => new StepError({ kind: 'expression', code, message: 'm', fix: 'f' });
    expect(retryAfter(of('expr_timeout'), 1, 2)).toBeUndefined();
    expect(retryAfter(of('evaluator_busy'), 1, 2)).toBe(2_000);
  });

  test('that nobody foresaw is called a bug and never repeated by itself', () => {
    expect(retryAfter(new TypeError('x is not a function'), 1, 2)).toBeUndefined();
    expect(toStepFailure(new TypeError('x is not a function'))).toMatchObject({ kind: 'bug', code: 'unexpected' });
    expect(toStepFailure('text')).toMatchObject({ kind: 'bug' });
  });

  test('keeps the vendor’s words and its request id', () => {
    const told = toStepFailure(
      new ConnectorFailure({
        kind: 'invalid',
        code: '2020',
        message: 'm',
        vendorMessage: 'Required param missing',
        requestId: '1-abc',
      }),
    );
    expect(told).toMatchObject({ vendorMessage: 'Required param missing', requestId: '1-abc' });
  });
});
