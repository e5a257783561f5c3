import { createServer, type RequestListener } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createPublicFetch } from './public-fetch.ts';
import { listen, type TestServer } from './testing-server.ts';

const handle = (listener: RequestListener): Promise<TestServer> => listen(createServer(listener));

/** Says back what it was sent. */
const echo: RequestListener = async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({
      method: request.method,
      path: request.url,
      type: request.headers['content-type'] ?? null,
      body: Buffer.concat(chunks).toString('latin1'),
    }),
  );
};

/** What the platform's own `fetch` makes of the same is the referee. */
const clients = (origin: string): readonly (readonly [string, typeof globalThis.fetch])[] => [
  ['fetch', globalThis.fetch],
  ['ours', createPublicFetch({ allow: [origin] })],
];

describe('what is sent', () => {
  test.each<readonly [string, () => RequestInit]>([
    ['nothing but an address', () => ({})],
    ['text', () => ({ method: 'POST', body: 'a text' })],
    ['text with a type', () => ({ method: 'PUT', body: '{}', headers: { 'Content-Type': 'application/json' } })],
    ['bytes', () => ({ method: 'PATCH', body: new Uint8Array([1, 2, 255]) })],
    ['a form', () => ({ method: 'POST', body: new URLSearchParams({ a: '1', b: 'ü&' }) })],
    ['a file', () => ({ method: 'POST', body: new Blob(['%PDF'], { type: 'application/pdf' }) })],
    ['nothing, deleting', () => ({ method: 'DELETE' })],
  ])('%s', async (_, init) => {
    await using server = await handle(echo);
    const [theirs, ours] = await Promise.all(
      clients(server.origin).map(async ([, fetch]) => (await fetch(`${server.origin}/a?b=c%20d#e`, init())).json()),
    );
    expect(ours).toEqual(theirs);
  });

  test('a form with files keeps its parts', async () => {
    await using server = await handle(echo);
    const body = new FormData();
    body.set('name', 'Smith');
    body.set('file', new File(['a,b'], 'rows.csv', { type: 'text/csv' }));
    const fetch = createPublicFetch({ allow: [server.origin] });
    const said = (await (await fetch(server.origin, { method: 'POST', body })).json()) as Record<string, string>;
    expect(said['type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(said['body']).toContain('filename="rows.csv"');
    expect(said['body']).toContain('Smith');
  });
});

describe('what comes back', () => {
  test.each<readonly [string, RequestListener]>([
    ['a text', (_, response) => response.end('ünï')],
    ['a refusal, packed', (_, response) => response.writeHead(422, { 'content-encoding': 'gzip' }).end(gzipSync('no'))],
    [
      'packed with brotli',
      (_, response) => response.setHeader('content-encoding', 'br').end(brotliCompressSync('yes')),
    ],
    ['no content', (_, response) => response.writeHead(204).end()],
    ['nothing new', (_, response) => response.writeHead(304, { etag: '"1"' }).end()],
    ['a header twice', (_, response) => response.setHeader('x-twice', ['a', 'b']).end()],
    ['cookies', (_, response) => response.setHeader('set-cookie', ['a=1; Path=/', 'b=2']).end()],
  ])('%s', async (_, listener) => {
    await using server = await handle(listener);
    const [theirs, ours] = await Promise.all(
      clients(server.origin).map(async ([, fetch]) => {
        const answer = await fetch(server.origin);
        const headers = [...answer.headers].filter(
          ([name]) => !['date', 'keep-alive', 'connection', 'content-encoding', 'content-length'].includes(name),
        );
        return { status: answer.status, ok: answer.ok, headers, text: await answer.text() };
      }),
    );
    expect(ours).toEqual(theirs);
  });

  test('a piece at a time, as it is taken', async () => {
    await using server = await handle((_, response) => void response.write('first', () => undefined));
    const fetch = createPublicFetch({ allow: [server.origin] });
    const reader = (await fetch(server.origin)).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first');
    await reader?.cancel();
  });
});

describe('what breaks', () => {
  /** The name, the message and the code, wherever in the chain it stands. */
  const brokenAs = async (doing: Promise<unknown>): Promise<unknown> => {
    const error = await doing.then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );
    let code: unknown;
    for (let at: unknown = error; at instanceof Error; at = at.cause) code ??= (at as { code?: unknown }).code;
    return { name: error?.name, message: error?.message, code };
  };

  test.each<readonly [string, RequestListener]>([
    ['before it answers', (request) => request.socket.destroy()],
    [
      'in the middle of its answer',
      (_, response) => {
        response.writeHead(200, { 'content-length': 10 });
        response.write('half', () => response.socket?.destroy());
      },
    ],
  ])('a server that hangs up %s', async (_, listener) => {
    await using server = await handle(listener);
    const [theirs, ours] = await Promise.all(
      clients(server.origin).map(([, fetch]) =>
        brokenAs(fetch(server.origin, { method: 'POST', body: 'x' }).then(async (answer) => await answer.text())),
      ),
    );
    expect(ours).toEqual(theirs);
    expect(ours).toMatchObject({ name: 'TypeError' });
  });

  test('nobody there', async () => {
    const { origin } = await (async () => {
      await using server = await handle(echo);
      return { origin: server.origin };
    })();
    const [theirs, ours] = await Promise.all(clients(origin).map(([, fetch]) => brokenAs(fetch(origin))));
    expect(ours).toEqual(theirs);
    expect(ours).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test.each<readonly [string, RequestListener]>([
    ['before it answers', () => undefined],
    ['in the middle of its answer', (_, response) => void response.write('half')],
    [
      'in the middle of a packed answer',
      (_, response) =>
        void response.writeHead(200, { 'content-encoding': 'gzip' }).write(gzipSync('half').subarray(0, 12)),
    ],
  ])('one that was given up %s says why it was', async (_, listener) => {
    await using server = await handle(listener);
    const reason = new Error('enough');
    for (const [name, fetch] of clients(server.origin)) {
      const giving = new AbortController();
      const doing = fetch(server.origin, { signal: giving.signal }).then(async (answer) => await answer.text());
      setTimeout(() => giving.abort(reason), 100);
      await expect(doing, name).rejects.toBe(reason);
    }
  });

  test('one that was given up beforehand is not sent', async () => {
    let seen = 0;
    await using server = await handle((_, response) => void (seen++, response.end()));
    const fetch = createPublicFetch({ allow: [server.origin] });
    await expect(fetch(server.origin, { signal: AbortSignal.abort(new Error('late')) })).rejects.toThrow('late');
    expect(seen).toBe(0);
  });

  test('a packed body that ends too early', async () => {
    await using server = await handle((_, response) =>
      response.setHeader('content-encoding', 'gzip').end(gzipSync('a body of some length').subarray(0, 20)),
    );
    const fetch = createPublicFetch({ allow: [server.origin] });
    await expect((await fetch(server.origin)).text()).rejects.toThrow(TypeError);
  });
});
