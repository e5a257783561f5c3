import type { z } from 'zod';

/** What went wrong at a vendor. Nothing else decides whether a step is repeated. */
export type FailureKind =
  | 'unavailable' // 5xx before the request was applied, connection refused: repeat
  | 'throttled' // 429: repeat after `retryAfterMs`
  | 'reauthorize' // 401, revoked: park on the connection
  | 'forbidden' // 403, missing scope
  | 'invalid' // 400, 422: the input is wrong
  | 'not_found'
  | 'conflict' // stale version, duplicate name
  | 'closed_period' // the books are closed for that date
  | 'ambiguous' // sent, but no answer: read back, never resend blindly
  | 'contract'; // the vendor's answer does not have the documented shape

/** Tokens and settings of one company's link to one vendor account, as a node sees them while it runs. */
export interface ConnectionContext {
  readonly id: string;
  /** Base URL of the vendor, or of its sandbox. */
  readonly baseUrl: string;
  readonly accessToken: string;
  /** What the connector's `readAccount` returned at connect time, e.g. `{ realmId }`. */
  readonly account: Readonly<Record<string, string>>;
}

/** An HTTP request to the connection's vendor. `path` is appended to the connection's base URL. */
export interface VendorRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether a lost answer leaves the vendor changed. `@default` true for anything but GET. */
  readonly mutates?: boolean;
  /** @default 30_000 */
  readonly timeoutMs?: number;
}

/** Speaks to one vendor account: adds the token, reads refusals, checks the answer, throws only `ConnectorFailure`. */
export interface VendorHttp {
  send<T extends z.ZodType>(request: VendorRequest & { readonly answer: T }): Promise<z.infer<T>>;
}
