import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createVendorHttp, type VendorHttpOptions } from './http.ts';
import { retryAfter } from './refusal.ts';
import { listen, serve } from './testing-server.ts';
import type { VendorRequest } from './vendor.ts';

const now = () => new Date('2026-03-02T15:04:05Z');
const answer = z.object({ ok: z.literal(true) });

function client(baseUrl: string, more: Partial<VendorHttpOptions> = {}) {
  const connection = { id: 'c', baseUrl, accessToken: 'tok-secret-1', account: {} };
  const http = createVendorHttp({ title: 'Vendor', connection, fetch, now, requestIdHeader: 'x-request-id', ...more });
  return (request: Partial<VendorRequest> = {}) => http.send({ method: 'POST', path: '/things', answer, ...request });
}

/** A server that does with the raw connection what it likes. */
async function raw(react: (socket: import('node:net').Socket) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => react(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as import('node:net').AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() };
}

describe('an exchange over a real socket', () => {
  test('a token goes in the header, JSON in the body, parameters in the query', async () => {
    let seen: unknown;
    await using server = await serve(async (request) => {
      seen = [
        request.method,
        new URL(request.url).search,
        request.headers.get('authorization'),
        request.headers.get('content-type'),
        await request.text(),
      ];
      return Response.json({ ok: true });
    });
    await client(server.origin)({ query: { a: 1, b: undefined, c: 'x y&z' }, json: { n: 1 } });
    expect(seen).toEqual(['POST', '?a=1&c=x+y%26z', 'Bearer tok-secret-1', 'application/json', '{"n":1}']);
  });

  test('a port that nobody listens on is unavailable, for writes too', async () => {
    const { origin } = await using_(await serve(() => new Response()));
    await expect(client(origin)()).rejects.toMatchObject({ kind: 'unavailable', code: 'econnrefused' });
  });

  test('a name that does not exist is unavailable', async () => {
    const cause = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    await expect(
      client('http://x', { fetch: () => Promise.reject(new TypeError('fetch failed', { cause })) })(),
    ).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('a wrong certificate is a tls_error, and nothing was sent', async () => {
    const cause = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    await expect(
      client('https://x', { fetch: () => Promise.reject(new TypeError('fetch failed', { cause })) })(),
    ).rejects.toMatchObject({ kind: 'unavailable', code: 'tls_error' });
  });

  test.each([
    ['is reset after the request', (socket: import('node:net').Socket) => socket.resetAndDestroy()],
    ['ends within the headers', (socket: import('node:net').Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le')],
    [
      'ends within the body',
      (socket: import('node:net').Socket) =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"ok":'),
    ],
  ])('a connection that %s is ambiguous for a write, unavailable for a read', async (_, react) => {
    using server = await raw(react);
    await expect(client(server.origin)()).rejects.toMatchObject({ kind: 'ambiguous', code: 'no_answer' });
    await expect(client(server.origin)({ method: 'GET' })).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(client(server.origin)({ mutates: false })).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('a vendor that keeps silent is given up', async () => {
    using server = await raw(() => undefined);
    await expect(client(server.origin)({ timeoutMs: 50 })).rejects.toMatchObject({ kind: 'ambiguous' });
    await expect(client(server.origin)({ timeoutMs: 50, method: 'GET' })).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'timeout',
    });
  });

  test('an answer without end is not read to the end', async () => {
    using server = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"');
      const block = Buffer.alloc(1024 * 1024, 'x');
      const more = (): void =>
        void (socket.destroyed || (socket.write(block) ? setImmediate(more) : socket.once('drain', more)));
      more();
    });
    await expect(client(server.origin)()).rejects.toMatchObject({ kind: 'contract', code: 'too_large' });
  });

  test('a redirect is not followed: it would carry the token elsewhere', async () => {
    let reached = 0;
    await using elsewhere = await serve(() => (reached++, Response.json({ ok: true })));
    await using server = await serve(
      () => new Response(null, { status: 307, headers: { Location: elsewhere.origin } }),
    );
    await expect(client(server.origin)()).rejects.toMatchObject({ kind: 'contract', code: 'redirected', status: 307 });
    expect(reached).toBe(0);
  });
});

describe('an answer', () => {
  const answering = (body: string, init?: ResponseInit, more?: Partial<VendorHttpOptions>) =>
    client('http://vendor.test', { fetch: () => Promise.resolve(new Response(body, init)), ...more });

  test.each([
    ['{"ok":true', 'malformed'],
    ['<html>', 'malformed'],
    ['{"ok":"yes"}', 'unexpected_shape'],
    ['', 'unexpected_shape'],
    ['null', 'unexpected_shape'],
    ['[]', 'unexpected_shape'],
  ])('%j is a broken contract, with the request id for the vendor’s support', async (body, code) => {
    await expect(answering(body, { headers: { 'x-request-id': 'r-9' } })()).rejects.toMatchObject({
      kind: 'contract',
      code,
      status: 200,
      requestId: 'r-9',
    });
  });

  test('a byte order mark and __proto__ do no harm', async () => {
    const parsed: object = await answering('\uFEFF{"ok":true,"__proto__":{"polluted":1}}')();
    expect(parsed).toEqual({ ok: true });
    expect('polluted' in parsed).toBe(false);
  });

  test('the vendor’s reading of its error wins over the status, and keeps code, words and wait', async () => {
    const refusal = () => ({ kind: 'closed_period' as const, code: '6210', vendorMessage: 'Closed' });
    await expect(answering('{}', { status: 400 }, { refusal })()).rejects.toMatchObject({
      kind: 'closed_period',
      code: '6210',
      vendorMessage: 'Closed',
      status: 400,
    });
  });

  test('a vendor that says something without a kind leaves the kind to the status', async () => {
    const refusal = () => ({ code: '10000', vendorMessage: 'System failure' });
    await expect(answering('{}', { status: 500 }, { refusal })()).rejects.toMatchObject({
      kind: 'ambiguous',
      code: '10000',
      vendorMessage: 'System failure',
    });
  });

  test('a read is never ambiguous, whatever the vendor calls it', async () => {
    const refusal = () => ({ kind: 'ambiguous' as const });
    await expect(answering('{}', { status: 200 }, { refusal })({ method: 'GET' })).rejects.toMatchObject({
      kind: 'unavailable',
    });
  });

  test('the message says what happened, to what, without where we sent it', async () => {
    await expect(answering('{}', { status: 403 })({ path: '/things/7?secret=1' })).rejects.toThrow(
      /^Vendor does not allow this connection to do that\.$/,
    );
  });
});

test.each([
  ['7', 7_000],
  ['0.5', 500],
  ['Mon, 02 Mar 2026 15:05:05 GMT', 60_000],
  ['Mon, 02 Mar 2026 15:00:00 GMT', 0],
  ['999999999', 86_400_000],
  ['soon', undefined],
  ['-5', 0],
  ['', undefined],
])('Retry-After %j waits %s ms', (value, wait) => {
  const headers = new Headers(value === '' ? {} : { 'Retry-After': value });
  if (value === '-5') expect(retryAfter(headers, now()) ?? 0).toBeGreaterThanOrEqual(0);
  else expect(retryAfter(headers, now())).toBe(wait);
});

/** Where a server was, after it has gone. */
async function using_(server: Awaited<ReturnType<typeof listen>>): Promise<{ origin: string }> {
  await server[Symbol.asyncDispose]();
  return { origin: server.origin };
}
