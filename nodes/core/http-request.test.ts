import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPublicFetch } from '../sdk/public-fetch.ts';
import { SandboxHangUp } from '../sdk/sandbox-store.ts';
import { serve, type TestServer } from '../sdk/testing-server.ts';
import type { NodeResult, RunContext } from '../sdk/node-type.ts';
import { node } from './http-request.ts';

let server: TestServer;
let requests: { method: string; path: string; headers: Headers; body: string }[] = [];
let respond: (request: Request) => Response = () => Response.json({ ok: true });
beforeAll(async () => {
  server = await serve(async (request) => {
    requests.push({
      method: request.method,
      path: new URL(request.url).pathname,
      headers: request.headers,
      body: await request.clone().text(),
    });
    return respond(request);
  });
});
beforeEach(() => {
  requests = [];
  respond = () => Response.json({ ok: true });
});
afterAll(() => server[Symbol.asyncDispose]());

async function send(
  input: Record<string, unknown>,
  fetchPublic = createPublicFetch({ allow: [server.origin] }),
): Promise<NodeResult> {
  const context = {
    input: node.input.parse({ url: `${server.origin}/hook`, ...input }),
    fetchPublic,
    idempotencyKey: 'key-1',
    now: () => new Date('2026-03-02T15:04:05Z'),
    signal: AbortSignal.timeout(10_000),
  } as unknown as RunContext<never>;
  const result = (await node.run?.(context)) as NodeResult;
  return { ...result, output: node.output.parse(result.output) };
}

describe('a request', () => {
  test('posts JSON with our key, and hands on status, headers and body', async () => {
    respond = () => Response.json({ id: 7 }, { status: 201, headers: { 'X-Request': 'r-1' } });
    const { output } = await send({ body: { total: '12.50' }, headers: { 'X-Api-Key': 'k' } });
    expect(output).toMatchObject({ status: 201, body: { id: 7 }, headers: { 'x-request': 'r-1' } });
    expect(requests).toMatchObject([{ method: 'POST', path: '/hook', body: '{"total":"12.50"}' }]);
    expect(Object.fromEntries(requests[0]?.headers ?? [])).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': 'key-1',
      'x-api-key': 'k',
    });
  });

  test.each([
    ['JSON', '{"a":[1]}', { a: [1] }],
    ['text', 'pong', 'pong'],
    ['nothing', '', null],
    ['JSON that is broken', '{"a":', '{"a":'],
  ])('reads %s', async (_name, text, body) => {
    respond = () => new Response(text);
    expect((await send({ method: 'GET' })).output).toMatchObject({ status: 200, body });
  });

  test.each([
    'http://127.0.0.1:1/x',
    'http://169.254.169.254/latest/meta-data',
    'https://localhost',
    'https://[::1]',
    'https://10.0.0.1',
    'file:///etc/passwd',
    'https://example.com:8443/',
    'https://user@example.com/',
    'not an address',
  ])('to %s is refused before anything is sent', async (url) => {
    await expect(send({ url })).rejects.toMatchObject({ kind: 'invalid', code: 'url_forbidden' });
  });

  test('is refused where its name leads into a private network, whatever the name says', async () => {
    const fetchPublic = createPublicFetch({ lookup: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]) });
    await expect(send({ url: 'https://hooks.example.com/x' }, fetchPublic)).rejects.toMatchObject({
      kind: 'invalid',
      code: 'url_forbidden',
    });
  });

  test('does not follow a redirect into a private network', async () => {
    respond = () =>
      new Response(null, { status: 307, headers: { Location: 'http://169.254.169.254/latest/meta-data' } });
    await expect(send({ body: {} })).rejects.toMatchObject({ kind: 'invalid', code: 'url_forbidden' });
    expect(requests).toHaveLength(1);
  });

  test.each([
    { Host: 'evil' },
    { 'Content-Length': '1' },
    { 'Transfer-Encoding': 'chunked' },
    { Connection: 'close' },
    { 'X-A': 'a\r\nX-B: b' },
    { 'X A': 'a' },
  ])('with the header %j is refused', async (headers) => {
    await expect(send({ headers })).rejects.toMatchObject({ kind: 'invalid', code: 'header_forbidden' });
    expect(requests).toHaveLength(0);
  });

  test.each([
    [400, 'POST', 'invalid'],
    // There is no account to reconnect: a refused key stands in the step’s own headers.
    [401, 'POST', 'invalid'],
    [403, 'GET', 'forbidden'],
    [404, 'GET', 'not_found'],
    [409, 'POST', 'conflict'],
    [422, 'POST', 'invalid'],
    [429, 'POST', 'throttled'],
    [500, 'GET', 'unavailable'],
    [500, 'POST', 'ambiguous'],
    [503, 'DELETE', 'ambiguous'],
  ])('answered %i to a %s is %s', async (status, method, kind) => {
    respond = () => new Response('no such luck', { status });
    await expect(send({ method })).rejects.toMatchObject({ kind, status, vendorMessage: 'no such luck' });
  });

  test('waits as long as a 503 or a 429 asks', async () => {
    for (const status of [429, 503]) {
      respond = () => new Response('', { status, headers: { 'Retry-After': '30' } });
      await expect(send({})).rejects.toMatchObject({ retryAfterMs: 30_000 });
    }
  });

  test('that got no answer is ambiguous when it may have changed something, and is tried again when it cannot', async () => {
    respond = () => {
      throw new SandboxHangUp();
    };
    await expect(send({ method: 'POST' })).rejects.toMatchObject({ kind: 'ambiguous', code: 'no_answer' });
    await expect(send({ method: 'GET' })).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('that nobody took is tried again', async () => {
    const closed = await serve(() => new Response());
    await closed[Symbol.asyncDispose]();
    await expect(send({ url: closed.origin }, createPublicFetch({ allow: [closed.origin] }))).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'econnrefused',
    });
  });

  test('with a body that GET cannot have says so, and is not repeated', async () => {
    await expect(send({ method: 'GET', body: { a: 1 } })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'body_forbidden',
    });
    expect(requests).toHaveLength(0);
  });

  test('reads no more than a megabyte', async () => {
    respond = () => new Response('x'.repeat(1024 * 1024 + 1));
    await expect(send({ method: 'GET' })).rejects.toMatchObject({ kind: 'contract', code: 'too_large' });
  });

  test('keeps cookies of the other system out of the flow', async () => {
    respond = () => new Response('', { headers: { 'Set-Cookie': 'session=secret' } });
    expect(JSON.stringify((await send({})).output)).not.toContain('secret');
  });
});
