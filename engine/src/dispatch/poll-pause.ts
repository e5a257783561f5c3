import { isConnectorFailure, type FailureKind } from '@plumbline/nodes';

export interface PollFailure {
  readonly kind: FailureKind | 'bug';
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs?: number;
}

const HOUR_MS = 3_600_000;

/** Anything a poll threw; what is no `ConnectorFailure` is a mistake of the node's. */
export function toPollFailure(error: unknown): PollFailure {
  if (!isConnectorFailure(error))
    return {
      kind: 'bug',
      code: 'unexpected',
      message: `The trigger could not read what it was given (${error instanceof Error ? error.name : 'unknown'}). Tell support.`,
    };
  return {
    kind: error.kind,
    code: error.code ?? error.kind,
    message: error.message,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  };
}

/** Whether it may pass by itself. */
export function isPassing({ kind }: PollFailure): boolean {
  return kind === 'unavailable' || kind === 'throttled' || kind === 'ambiguous';
}

/**
 * How long to leave a source alone after so many failures in a row, in milliseconds. What may pass is tried again after twice the time each time, up to an
 * hour and never before the source says; what needs a person is tried hourly, in case they mended it elsewhere.
 */
export function pauseAfter(failure: PollFailure, failures: number, everyMs: number): number {
  if (!isPassing(failure)) return Math.max(everyMs, HOUR_MS);
  const pause = Math.min(everyMs * 2 ** Math.min(failures - 1, 20), Math.max(HOUR_MS, everyMs));
  return Math.max(pause, failure.retryAfterMs ?? 0);
}
