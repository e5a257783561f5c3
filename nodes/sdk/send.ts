import { Readable } from 'node:stream';
import { ReadableStream as WebStream } from 'node:stream/web';
import { interceptors, request, type Agent, type Dispatcher } from 'undici';
import { isConnectorFailure } from './failure.ts';

/** Answers of these have no body, whatever follows them. */
const bodiless = new Set([204, 205, 304]);

/** What `send` goes through: bodies come out unpacked, those of refusals too. */
export function unpacking(agent: Agent): Dispatcher {
  return agent.compose(interceptors.decompress({ skipErrorResponses: false }));
}

/**
 * One HTTP exchange with the contract of `fetch`, redirects left to the caller: rejects with the signal's reason when it is aborted, with a
 * `ConnectorFailure` thrown while connecting, and with a `TypeError` whose cause says what broke otherwise. undici's `fetch` spends four times the
 * processor time on the same exchange.
 */
export async function send(url: URL, init: RequestInit, dispatcher: Dispatcher): Promise<Response> {
  const { signal } = init;
  const { body, type } = bodyOf(init.body);
  const headers = new Headers(init.headers);
  if (type !== null && !headers.has('content-type')) headers.set('content-type', type);
  if (!headers.has('accept')) headers.set('accept', '*/*');
  if (!headers.has('accept-encoding')) headers.set('accept-encoding', 'gzip, deflate, br');
  if (!headers.has('user-agent')) headers.set('user-agent', 'Plumbline');
  try {
    const answer = await request(url, {
      dispatcher,
      method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
      headers: Object.fromEntries(headers),
      body,
      signal: signal ?? null,
    });
    return response(answer, signal);
  } catch (cause) {
    throw failed('fetch failed', cause, signal);
  }
}

function response(answer: Dispatcher.ResponseData, signal: AbortSignal | null | undefined): Response {
  const { statusCode: status, body } = answer;
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers))
    for (const one of Array.isArray(value) ? value : [value ?? '']) headers.append(name, one);
  if (!bodiless.has(status)) return new Response(bytes(body, signal), { status, headers });
  void body.dump().catch(() => undefined);
  return new Response(null, { status, headers });
}

function bytes(...from: Parameters<typeof pieces>): BodyInit {
  // Node's type of a web stream differs from the DOM's in names only.
  return WebStream.from(pieces(...from)) as unknown as BodyInit;
}

async function* pieces(
  body: Dispatcher.ResponseData['body'],
  signal: AbortSignal | null | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw failed('terminated', cause, signal);
  }
}

/** Text and bytes go as they are; what `fetch` takes besides them is written out the way it would be. */
function bodyOf(given: RequestInit['body']): { body: string | Uint8Array | Readable | null; type: string | null } {
  if (given === null || given === undefined) return { body: null, type: null };
  if (typeof given === 'string') return { body: given, type: 'text/plain;charset=UTF-8' };
  if (given instanceof Uint8Array) return { body: given, type: null };
  const written = new Response(given);
  return { body: Readable.fromWeb(written.body as never), type: written.headers.get('content-type') };
}

function failed(message: string, cause: unknown, signal: AbortSignal | null | undefined): unknown {
  if (signal?.aborted) return signal.reason as unknown;
  for (let current: unknown = cause; current instanceof Error; current = current.cause)
    if (isConnectorFailure(current)) return current;
  return new TypeError(message, { cause });
}
