import type { Finding } from '@plumbline/workflows/flow';
import type { Context } from 'hono';
import { DataError } from '@plumbline/db';
import { isDatabaseAway } from '@plumbline/db/database-away';
import { isConnectorFailure } from '@plumbline/nodes';
import { ApprovalRefusal } from '@plumbline/workflows/approvals/refusal';
import { CarrierBusyError, TemporalAwayError } from '@plumbline/workflows/client';
import type { Problem } from './contract/index.ts';

/** Every code the API answers with, and its status. Clients may rely on codes, never on texts. */
export const problemCodes = {
  invalid_input: 422,
  unknown_field: 422,
  unsupported_character: 422,
  number_not_finite: 422,
  idempotency_mismatch: 422,
  flow_invalid: 422,
  invalid_transition: 409,
  revision_conflict: 409,
  version_conflict: 409,
  connection_in_use: 409,
  value_map_in_use: 409,
  name_taken: 409,
  column_invalid: 422,
  too_many_rows: 422,
  row_duplicate: 422,
  key_missing: 422,
  cell_invalid: 422,
  cell_too_long: 422,
  csv_invalid: 422,
  not_parked: 409,
  already_ended: 409,
  already_decided: 409,
  approval_over: 409,
  not_asked: 403,
  link_used: 410,
  link_expired: 410,
  link_revoked: 410,
  signed_out: 401,
  credentials_invalid: 401,
  signature_invalid: 401,
  timestamp_out_of_range: 401,
  delivery_id_invalid: 401,
  forbidden: 403,
  origin_forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  payload_too_large: 413,
  unsupported_media_type: 415,
  json_invalid: 400,
  json_too_deep: 400,
  json_too_large: 400,
  body_invalid: 400,
  delivery_id_missing: 400,
  loop_detected: 508,
  oauth_state_invalid: 400,
  connect_failed: 502,
  vendor_failed: 502,
  too_many_requests: 429,
  run_busy: 429,
  unavailable: 503,
  unexpected: 500,
} as const;

export type ProblemCode = keyof typeof problemCodes;

/** An error with a code, on its way to a person or a program. */
export class ApiError extends Error {
  readonly code: ProblemCode;
  readonly fix: string | undefined;
  readonly path: string | undefined;
  readonly findings: readonly Finding[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    more: {
      fix?: string;
      path?: string;
      findings?: readonly Finding[];
      headers?: Readonly<Record<string, string>>;
      cause?: unknown;
    } = {},
  ) {
    super(detail, more.cause === undefined ? {} : { cause: more.cause });
    this.code = code;
    this.fix = more.fix;
    this.path = more.path;
    this.findings = more.findings;
    this.headers = more.headers ?? {};
  }
}

/** One answer for "it is not there" and "it is not yours", so that nobody learns which. */
export function notFound(what: string): ApiError {
  return new ApiError('not_found', `There is no such ${what}.`, {
    fix: 'It may have been removed. Go back to the list.',
  });
}

/** Any thrown value as problem+json. What is unexpected is logged by the caller, never shown. */
export function toProblem(
  error: unknown,
  requestId: string,
): { readonly problem: Problem; readonly headers: Readonly<Record<string, string>> } {
  const known = toApiError(error);
  const status = problemCodes[known.code];
  return {
    problem: {
      type: `urn:plumbline:problem:${known.code}`,
      title: known.code.replaceAll('_', ' '),
      status,
      code: known.code,
      detail: known.message,
      ...(known.fix ? { fix: known.fix } : {}),
      ...(known.path ? { path: known.path } : {}),
      ...(known.findings ? { findings: known.findings } : {}),
      request_id: requestId,
    },
    headers: known.headers,
  };
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof DataError) {
    const code = error.code in problemCodes ? (error.code as ProblemCode) : 'invalid_input';
    return new ApiError(code, error.message, { cause: error });
  }
  if (error instanceof ApprovalRefusal) {
    const { code, message, fix, path } = error;
    return new ApiError(code, message, { fix, ...(path === undefined ? {} : { path }), cause: error });
  }
  if (isConnectorFailure(error)) return new ApiError('vendor_failed', error.message, { cause: error });
  if (error instanceof CarrierBusyError)
    return new ApiError('run_busy', error.message, {
      fix: 'Look at the run in a few seconds: it may have gone through by then. If not, try again.',
      headers: { 'Retry-After': '5' },
      cause: error,
    });
  if (error instanceof TemporalAwayError)
    return new ApiError(
      'unavailable',
      'What carries the runs on cannot be reached at the moment. Nothing was changed.',
      {
        fix: 'Try again in a few seconds. Health shows when it is back.',
        headers: { 'Retry-After': '5' },
        cause: error,
      },
    );
  if (isBrokenOff(error))
    return new ApiError('body_invalid', 'The body broke off before its end.', {
      fix: 'Send it again, whole.',
      cause: error,
    });
  const trouble = databaseTrouble(error);
  if (trouble)
    return new ApiError('unavailable', trouble.message, {
      fix: trouble.fix,
      headers: { 'Retry-After': '5' },
      cause: error,
    });
  return new ApiError('unexpected', 'Something went wrong on our side.', {
    fix: 'Try again. If it goes wrong again, tell support the request id.',
    cause: error,
  });
}

/** What Node's server says of a client that went away before it had sent everything. */
function isBrokenOff(error: unknown): boolean {
  return error instanceof Error && error.message === 'aborted' && (error as { code?: unknown }).code === 'ECONNRESET';
}

/** What is wrong with the database, where it is not what was asked of it. */
export function databaseTrouble(error: unknown): { readonly message: string; readonly fix: string } | undefined {
  if (!isDatabaseAway(error)) return undefined;
  return (error as { code?: unknown }).code === '53100'
    ? {
        message: 'The disk of the database is full: it can be read, and nothing can be stored.',
        fix: 'Tell whoever runs this installation; once there is room, try again.',
      }
    : { message: 'The database cannot be reached at the moment.', fix: 'Try again in a few seconds.' };
}

/** The handler of a Hono app's `onError`. */
export function answerProblem(c: Context, error: unknown, requestId: string): Response {
  const { problem, headers } = toProblem(error, requestId);
  return c.body(JSON.stringify(problem), problem.status as 500, {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    ...headers,
  });
}
