import { DataError } from '@plumbline/db';
import { isConnectorFailure, type ConnectorFailure } from '@plumbline/nodes';
import type { StepFailure } from '../step-failure.ts';

/** What to tell a person to do, by what went wrong. */
const fixes: Readonly<Record<ConnectorFailure['kind'], string>> = {
  unavailable: 'Nothing to do: it is tried again by itself. Look at the vendor’s status page when it lasts.',
  throttled: 'Nothing to do: it waits as long as the vendor asked for.',
  reauthorize: 'Reconnect the account under Connections; the step then goes on by itself.',
  forbidden: 'Reconnect with an account that may do this, or ask its administrator for the permission.',
  invalid: 'Correct the mapping or the record, then retry.',
  not_found: 'Check that it still exists at the vendor and that the mapping points at the right one, then retry.',
  conflict: 'Look at both sides, decide which is right, then retry.',
  closed_period: 'Use a date in an open period, or ask the accountant to reopen the books, then retry.',
  ambiguous: 'Look at the vendor whether it went through. If it did, skip the step; if it did not, retry.',
  contract: 'The vendor answered in a way we do not know. Retry later; if it lasts, tell support the request id.',
};

/** A thrown value in the words of the person who has to deal with it. */
export function toStepFailure(error: unknown): StepFailure {
  if (error instanceof StepError) return error.failure;
  if (isConnectorFailure(error))
    return {
      kind: error.kind,
      code: error.code ?? error.kind,
      message: error.message,
      fix: error.fix ?? fixes[error.kind],
      ...(error.vendorMessage ? { vendorMessage: error.vendorMessage } : {}),
      ...(error.requestId ? { requestId: error.requestId } : {}),
    };
  if (error instanceof DataError)
    return {
      kind: 'invalid',
      code: error.code,
      message: error.message,
      fix: 'Remove the character where the text comes from, then retry.',
    };
  return {
    kind: 'bug',
    code: 'unexpected',
    message: `The step failed in a way it should not: ${error instanceof Error ? error.message : String(error)}.`,
    fix: 'Retry. If it fails again, send the run’s link to support.',
  };
}

/** A failure found by us, not by a vendor. */
export class StepError extends Error {
  readonly failure: StepFailure;
  constructor(failure: StepFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Kinds that go away by themselves. Everything else waits for a person. */
export function retryAfter(error: unknown, attempt: number, initialSeconds: number): number | undefined {
  const backoffMs = Math.min(initialSeconds * 1_000 * 2 ** (attempt - 1), 3_600_000);
  if (error instanceof StepError) return error.failure.code === 'evaluator_busy' ? backoffMs : undefined;
  if (!isConnectorFailure(error)) return undefined;
  if (error.kind === 'throttled') return Math.max(error.retryAfterMs ?? backoffMs, 100);
  return error.kind === 'unavailable' ? (error.retryAfterMs ?? backoffMs) : undefined;
}
