import type { z } from 'zod';
import { ConnectorFailure, isConnectorFailure } from './failure.ts';
import { readCapped } from './read-capped.ts';
import { describeRefusal, failureWithoutAnswer, refusalOfStatus, type Refusal, type VendorRefusal } from './refusal.ts';
import type { ConnectionContext, VendorHttp, VendorRequest } from './vendor.ts';
import { within } from './within.ts';

export interface VendorHttpOptions {
  /** For messages: "QuickBooks Online". */
  readonly title: string;
  readonly connection: ConnectionContext;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => Date;
  readonly signal?: AbortSignal | undefined;
  /** @default the access token as bearer */
  readonly headers?: (connection: ConnectionContext) => Readonly<Record<string, string>>;
  /** The one place that reads the vendor's errors. Sees every answer; `undefined` where it has nothing to say. */
  readonly refusal?: (answer: {
    readonly status: number;
    readonly headers: Headers;
    readonly body: unknown;
  }) => VendorRefusal | undefined;
  /** Header that names the exchange for the vendor's support. */
  readonly requestIdHeader?: string;
}

/**
 * Makes the client of one vendor account. Whatever goes wrong comes out as a `ConnectorFailure` of the kind that fits; tokens never stand in its text.
 * Redirects are not followed: no vendor API needs them, and they would carry the token elsewhere.
 */
export function createVendorHttp(options: VendorHttpOptions): VendorHttp {
  return {
    async send<T extends z.ZodType>(request: VendorRequest & { readonly answer: T }): Promise<z.infer<T>> {
      const { status, headers, text } = await exchange(options, request);
      const requestId = (options.requestIdHeader && headers.get(options.requestIdHeader)) || undefined;
      const fail = (refusal: Refusal, message: string, cause?: unknown): ConnectorFailure =>
        new ConnectorFailure({
          ...scrubbed(refusal, options),
          status,
          message: scrub(message, options),
          requestId,
          cause,
        });
      const body = parse(text);
      const refusal = readRefusal(options, request, { status, headers, body: body.ok ? body.value : undefined });
      if (refusal) throw fail(refusal, describeRefusal(options.title, refusal));
      const contract = (code: string, what: string, cause?: unknown): ConnectorFailure =>
        fail(
          { kind: 'contract', code },
          `${options.title} answered ${request.method} ${request.path} with ${what}. Tell support the request id.`,
          cause,
        );
      if (status >= 300) throw contract('redirected', `a redirect (${status})`);
      if (!body.ok) throw contract('malformed', 'something that is not JSON');
      const checked = request.answer.safeParse(body.value);
      if (checked.success) return checked.data;
      const [issue] = checked.error.issues;
      throw contract(
        'unexpected_shape',
        `an unknown shape (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})`,
        checked.error,
      );
    },
  };
}

async function exchange(
  options: VendorHttpOptions,
  request: VendorRequest,
): Promise<{ status: number; headers: Headers; text: string }> {
  const url = new URL(options.connection.baseUrl.replace(/\/$/, '') + request.path);
  for (const [name, value] of Object.entries(request.query ?? {}))
    if (value !== undefined) url.searchParams.set(name, String(value));
  const body = bodyOf(request);
  try {
    const answered = async (signal: AbortSignal) => {
      const response = await options.fetch(url, {
        method: request.method,
        redirect: 'manual',
        signal,
        headers: {
          Accept: 'application/json',
          ...(options.headers?.(options.connection) ?? { Authorization: `Bearer ${options.connection.accessToken}` }),
          ...(body ? { 'Content-Type': body.type } : {}),
          ...request.headers,
        },
        ...(body ? { body: body.text } : {}),
      });
      return { status: response.status, headers: response.headers, text: await readCapped(response) };
    };
    return await within(request.timeoutMs ?? 30_000, answered, options.signal);
  } catch (cause) {
    if (isConnectorFailure(cause)) throw cause;
    throw failureWithoutAnswer({ title: options.title, request, mutating: mutates(request), cause });
  }
}

function bodyOf({ json, form }: VendorRequest): { readonly type: string; readonly text: string } | undefined {
  if (json !== undefined) return { type: 'application/json', text: JSON.stringify(json) };
  return form && { type: 'application/x-www-form-urlencoded', text: new URLSearchParams(form).toString() };
}

function readRefusal(
  options: VendorHttpOptions,
  request: VendorRequest,
  answer: { readonly status: number; readonly headers: Headers; readonly body: unknown },
): Refusal | undefined {
  const said = options.refusal?.(answer);
  const byStatus = refusalOfStatus(answer.status, answer.headers, mutates(request), options.now());
  const kind = said?.kind ?? byStatus?.kind;
  if (!kind) return undefined;
  // A read leaves nothing behind, so it cannot be ambiguous.
  return { ...byStatus, ...said, kind: kind === 'ambiguous' && !mutates(request) ? 'unavailable' : kind };
}

function mutates(request: VendorRequest): boolean {
  return request.mutates ?? request.method !== 'GET';
}

/** A vendor may quote our request, token and all, in its error. */
function scrub(text: string, { connection }: VendorHttpOptions): string {
  return connection.accessToken ? text.replaceAll(connection.accessToken, '[secret]') : text;
}

function scrubbed(refusal: Refusal, options: VendorHttpOptions): Refusal {
  const { code, vendorMessage } = refusal;
  return {
    ...refusal,
    ...(code === undefined ? {} : { code: scrub(code, options).slice(0, 100) }),
    ...(vendorMessage === undefined ? {} : { vendorMessage: scrub(vendorMessage, options) }),
  };
}

function parse(text: string): { readonly ok: true; readonly value: unknown } | { readonly ok: false } {
  try {
    // A byte order mark in front is allowed by nobody and sent by some.
    return { ok: true, value: text === '' ? null : (JSON.parse(text.replace(/^\uFEFF/, '')) as unknown) };
  } catch {
    // The parser's message quotes the answer, which may hold anything: it is not kept.
    return { ok: false };
  }
}
