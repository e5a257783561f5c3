import type { FailureKind } from './vendor.ts';

/** What a `ConnectorFailure` is made of. */
export interface FailureDetails {
  readonly kind: FailureKind;
  /** What happened, to what. Never holds a token. */
  readonly message: string;
  /** The vendor's code, or ours. */
  readonly code?: string | undefined;
  readonly status?: number | undefined;
  /** How long the vendor asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The vendor's own words. */
  readonly vendorMessage?: string | undefined;
  /** The vendor's id of the exchange, for their support. */
  readonly requestId?: string | undefined;
  /** What the reader can do, where it is known better than from the kind. */
  readonly fix?: string | undefined;
  readonly cause?: unknown;
}

/** What every failed exchange with a vendor ends as. Its kind alone decides whether it is repeated. */
export class ConnectorFailure extends Error {
  readonly kind: FailureKind;
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly vendorMessage: string | undefined;
  readonly requestId: string | undefined;
  readonly fix: string | undefined;

  constructor(details: FailureDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'ConnectorFailure';
    this.kind = details.kind;
    this.code = details.code;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.vendorMessage = details.vendorMessage;
    this.requestId = details.requestId;
    this.fix = details.fix;
  }
}

/** Whether something thrown is a `ConnectorFailure`, and so says by its kind what to do. */
export function isConnectorFailure(error: unknown): error is ConnectorFailure {
  return error instanceof ConnectorFailure;
}
