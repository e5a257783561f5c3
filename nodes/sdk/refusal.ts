import { ConnectorFailure } from './failure.ts';
import type { FailureKind, VendorRequest } from './vendor.ts';

/** What went wrong, in our kinds, before it becomes a `ConnectorFailure`. */
export interface Refusal {
  readonly kind: FailureKind;
  readonly code?: string;
  /** The vendor's own words. */
  readonly vendorMessage?: string;
  readonly retryAfterMs?: number;
}

/** What a vendor's error body says. Without a `kind` the HTTP status decides, and the vendor's code and words are kept. */
export type VendorRefusal = Omit<Refusal, 'kind'> & { readonly kind?: FailureKind | undefined };

/** Longest wait that is taken from a vendor's answer: one day. */
const WAIT_MAX_MS = 86_400_000;

/**
 * What HTTP itself says, where the vendor says nothing more; `undefined` below 400.
 * A 5xx on a request that changes something may come after the change, so it is `ambiguous`. Only a 503 that says when to come back is a clean no.
 */
export function refusalOfStatus(status: number, headers: Headers, mutating: boolean, now: Date): Refusal | undefined {
  if (status < 400) return undefined;
  const code = `http_${status}`;
  const retryAfterMs = retryAfter(headers, now);
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (status === 401) return { kind: 'reauthorize', code };
  if (status === 403) return { kind: 'forbidden', code };
  if (status === 404 || status === 410) return { kind: 'not_found', code };
  if (status === 409 || status === 412) return { kind: 'conflict', code };
  if (status === 429) return { kind: 'throttled', code, ...wait };
  if (status === 408 || status === 425) return { kind: 'unavailable', code, ...wait };
  if (status < 500) return { kind: 'invalid', code };
  if (!mutating || (status === 503 && retryAfterMs !== undefined)) return { kind: 'unavailable', code, ...wait };
  return { kind: 'ambiguous', code };
}

/** Milliseconds until a `Retry-After`, given in seconds or as an HTTP date; 0 when it has passed, at most a day. */
export function retryAfter(headers: Headers, now: Date): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (!value) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now.getTime();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), WAIT_MAX_MS) : undefined;
}

/** Codes of connections that never stood, so that nothing can have been sent over them. */
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** TLS failed before a request could travel: `CERT_HAS_EXPIRED`, `ERR_TLS_CERT_ALTNAME_INVALID`, `DEPTH_ZERO_SELF_SIGNED_CERT` … */
const tlsRefused = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/**
 * The failure of an exchange that brought no answer. A connection that never stood is `unavailable`; one that broke after a changing request was
 * sent is `ambiguous`, because the change may have been made.
 */
export function failureWithoutAnswer(exchange: {
  readonly title: string;
  readonly request: Pick<VendorRequest, 'method' | 'path'>;
  readonly mutating: boolean;
  readonly cause: unknown;
}): ConnectorFailure {
  const { title, request, mutating, cause } = exchange;
  const code = errorCode(cause);
  const subject = `${request.method} ${pathOnly(request.path)}`;
  if (tlsRefused.test(code))
    return new ConnectorFailure({
      kind: 'unavailable',
      code: 'tls_error',
      message: `${title} could not prove who it is (${subject}, ${code}), so nothing was sent. Check the address and its certificate.`,
      cause,
    });
  if (neverSent.has(code) || !mutating)
    return new ConnectorFailure({
      kind: 'unavailable',
      code: code.toLowerCase(),
      message: `${title} could not be reached.`,
      cause,
    });
  return new ConnectorFailure({
    kind: 'ambiguous',
    code: 'no_answer',
    message: `${title} was asked to do this, but did not answer.`,
    cause,
  });
}

const happened: Readonly<Record<FailureKind, string>> = {
  unavailable: 'is not available at the moment',
  throttled: 'asked us to slow down',
  reauthorize: 'no longer accepts this connection',
  forbidden: 'does not allow this connection to do that',
  invalid: 'refused the data',
  not_found: 'does not have what was asked for',
  conflict: 'holds something else than expected',
  closed_period: 'has closed the books for that date',
  ambiguous: 'answered with an error that may have come after the work was done',
  contract: 'answered in a way we do not know',
};

/** What happened, to what, in the vendor's own words where there are some; at most 1,000 characters. What to do about it follows from the kind. */
export function describeRefusal(title: string, refusal: Refusal): string {
  const said = refusal.vendorMessage ? `: ${refusal.vendorMessage.slice(0, 600).replace(/[.\s]+$/, '')}` : '';
  return `${title} ${happened[refusal.kind]}${said}.`.slice(0, 1_000);
}

function errorCode(error: unknown): string {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current.name === 'TimeoutError') return 'TIMEOUT';
    const code = (current as { code?: unknown }).code;
    if (typeof code === 'string') return code;
  }
  return 'NO_ANSWER';
}

function pathOnly(path: string): string {
  return path.split('?', 1)[0] ?? path;
}
