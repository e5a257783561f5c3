import { loadCatalog, type Connector } from '@plumbline/nodes';
import { ErrorCode, WebClient, type WebClientOptions } from '@slack/web-api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { approve, redirectUri, serveSandbox, testClient, type SandboxServer } from './sandbox-server.ts';

let server: SandboxServer;
let connector: Connector;
let token: string;
beforeAll(async () => {
  connector = (await loadCatalog()).connectors.get('slack') as Connector;
  server = await serveSandbox(connector);
});
beforeEach(async () => {
  server.sandbox.reset();
  token = await install(connector.auth.scopes.join(','));
});
afterAll(() => server[Symbol.asyncDispose]());

/** `null` for a client without a token. */
function client(given: string | null = token, options: WebClientOptions = {}): WebClient {
  return new WebClient(given ?? undefined, {
    slackApiUrl: `${server.origin}/api/`,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: silent,
    ...options,
  });
}

/** The client writes its warnings to the console otherwise. */
const silent = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  setName() {},
  getLevel: () => 'error',
} as unknown as NonNullable<WebClientOptions['logger']>;

async function install(scope: string): Promise<string> {
  const url = new URL(`${server.origin}/oauth/v2/authorize`);
  url.search = new URLSearchParams({
    client_id: testClient.clientId,
    scope,
    redirect_uri: redirectUri,
    state: 's',
  }).toString();
  const code = new URL(await approve(url.href)).searchParams.get('code') ?? '';
  const answer = await client(null).oauth.v2.access({
    client_id: testClient.clientId,
    client_secret: testClient.clientSecret,
    code,
    redirect_uri: redirectUri,
  });
  return answer.access_token ?? '';
}

const failing = (error: string) =>
  expect.objectContaining({
    code: ErrorCode.PlatformError,
    data: expect.objectContaining({ ok: false, error }) as unknown,
  });

describe('@slack/web-api against the sandbox', () => {
  test('installs the app and learns whose workspace it is', async () => {
    expect(token).toMatch(/^xoxb-/);
    expect(await client().auth.test()).toMatchObject({
      ok: true,
      team: 'Hartwell Homes',
      team_id: expect.stringMatching(/^T/) as string,
      user_id: expect.stringMatching(/^U/) as string,
    });
    expect(await client().team.info()).toMatchObject({ ok: true, team: { name: 'Hartwell Homes' } });
  });

  test('posts a message and reads it back with its metadata', async () => {
    const web = client();
    const metadata = { event_type: 'plumbline_message', event_payload: { key: 'k-1' } };
    const posted = await web.chat.postMessage({ channel: 'C07000002', text: 'Bill PE-1 & more', metadata });
    expect(posted).toMatchObject({
      ok: true,
      channel: 'C07000002',
      ts: expect.stringMatching(/^\d{10}\.\d{6}$/) as string,
      message: { type: 'message', text: 'Bill PE-1 & more' },
    });
    const { messages } = await web.conversations.history({
      channel: 'C07000002',
      include_all_metadata: true,
      limit: 5,
    });
    expect(messages).toMatchObject([{ ts: posted.ts, metadata }]);
  });

  test('lists all channels over as many pages as it takes', async () => {
    const names: string[] = [];
    let pages = 0;
    for await (const page of client().paginate('conversations.list', { limit: 2, exclude_archived: true })) {
      pages++;
      names.push(...(page as unknown as { channels: { name: string }[] }).channels.map(({ name }) => name));
    }
    expect(pages).toBe(3);
    expect(new Set(names).size).toBe(6);
    expect(names).not.toContain('parade-of-homes-2024');
    await expect(client().conversations.list({ cursor: 'bm90IG91cnM=' })).rejects.toEqual(failing('invalid_cursor'));
  });

  test('joins a channel before it reads it', async () => {
    await expect(client().conversations.history({ channel: 'C07000001' })).rejects.toEqual(failing('not_in_channel'));
    await client().conversations.join({ channel: 'C07000001' });
    expect(await client().conversations.history({ channel: 'C07000001' })).toMatchObject({
      ok: true,
      messages: [],
      has_more: false,
    });
  });

  test.each([
    ['a channel that is not there', { channel: 'C09999999', text: 'x' }, 'channel_not_found'],
    ['an archived channel', { channel: 'C07000007', text: 'x' }, 'is_archived'],
    ['no text', { channel: 'C07000002', text: '' }, 'no_text'],
  ])('is told about %s', async (_name, parameters, code) => {
    await expect(client().chat.postMessage(parameters)).rejects.toEqual(failing(code));
  });

  test('is told about tokens and scopes', async () => {
    await expect(client('xoxb-wrong').auth.test()).rejects.toEqual(failing('invalid_auth'));
    await expect(client(null).auth.test()).rejects.toEqual(failing('not_authed'));
    const poor = client(await install('channels:read'));
    await expect(poor.chat.postMessage({ channel: 'C07000002', text: 'x' })).rejects.toMatchObject({
      data: { error: 'missing_scope', needed: 'chat:write', provided: 'channels:read' },
    });
    await client().auth.revoke();
    await expect(client().auth.test()).rejects.toEqual(failing('invalid_auth'));
    await expect(client().apiCall('chat.teleport')).rejects.toEqual(failing('unknown_method'));
  });

  test('waits as long as a 429 says, and then succeeds', async () => {
    server.sandbox.fail({ match: 'chat.postMessage', kind: 'status', status: 429, headers: { 'Retry-After': '1' } });
    const web = client(token, { rejectRateLimitedCalls: false, retryConfig: { retries: 2 } });
    const began = performance.now();
    expect(await web.chat.postMessage({ channel: 'C07000002', text: 'patient' })).toMatchObject({ ok: true });
    expect(performance.now() - began).toBeGreaterThan(950);
    server.sandbox.fail({ match: 'chat.postMessage', kind: 'status', status: 429, headers: { 'Retry-After': '7' } });
    await expect(client().chat.postMessage({ channel: 'C07000002', text: 'hasty' })).rejects.toMatchObject({
      code: ErrorCode.RateLimitedError,
      retryAfter: 7,
    });
  });

  test('finds what our own connector posted, in the very form it would have sent', async () => {
    const catalog = await loadCatalog();
    const connection = { id: 'c', baseUrl: `${server.origin}/api`, accessToken: token, account: {} };
    const http = connector.http({ connection, fetch, now: () => new Date() });
    const send = catalog.nodeTypes.get('slack.send-message@1');
    const result = await send?.run?.({
      input: { channel: 'C07000002', text: '<!channel> & you' } as never,
      connection,
      http,
      fetchPublic: fetch,
      idempotencyKey: 'key-7',
      now: () => new Date(),
      signal: AbortSignal.timeout(5_000),
    });
    const { messages } = await client().conversations.history({ channel: 'C07000002', include_all_metadata: true });
    expect(messages).toMatchObject([
      {
        ts: (result?.output as { ts: string } | undefined)?.ts,
        text: '&lt;!channel&gt; &amp; you',
        metadata: { event_type: 'plumbline_message', event_payload: { key: 'key-7' } },
      },
    ]);
  });
});
