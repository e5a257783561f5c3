import { createHash, randomBytes } from 'node:crypto';
import { sandboxFetch } from './sandbox-fetch.ts';
import type { Connector, Sandbox } from './connector.ts';
import type { NodeResult, NodeType, RunContext } from './node-type.ts';
import type { ConnectionContext, VendorHttp } from './vendor.ts';

/** Our application at a sandbox, in tests. */
export const testClient = { clientId: 'plumbline-test', clientSecret: 'test-client-secret-c0ffee' } as const;

/** A Monday on which nothing moves by itself. */
export const testTime = new Date('2026-03-02T15:04:05.000Z');

/** A connector's double with one account connected to it, as a person would have connected it. */
export interface OpenedSandbox {
  readonly connector: Connector;
  readonly sandbox: Sandbox;
  readonly fetch: typeof globalThis.fetch;
  readonly connection: ConnectionContext;
  readonly refreshToken: string | undefined;
  /** Moves the clock. */
  advance(seconds: number): void;
  readonly now: () => Date;
  http(options?: {
    readonly fetch?: typeof globalThis.fetch;
    readonly signal?: AbortSignal;
    readonly connection?: ConnectionContext;
  }): VendorHttp;
}

/** Opens a sandbox in process and goes through its consent page. */
export async function openSandbox(
  connector: Connector,
  options: { readonly enforceLimits?: boolean } = {},
): Promise<OpenedSandbox> {
  let time = testTime.getTime();
  const now = (): Date => new Date(time);
  const origin = `http://sandbox.test/sandbox/${connector.id}`;
  const sandbox = connector.sandbox({ ...testClient, ...options, origin, now });
  const fetch = sandboxFetch(sandbox);
  const { code, verifier, parameters } = await consent({ connector, origin, fetch });
  const { answer, status } = await requestToken({
    connector,
    origin,
    fetch,
    parameters: { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier },
  });
  if (status !== 200) throw new Error(`The sandbox of ${connector.title} gave no token: ${status}`);
  const token = connector.auth.readToken(answer);
  const kept = Object.fromEntries(
    (connector.auth.callbackParameters ?? []).map((name) => [name, parameters[name] ?? '']),
  );
  const connection: ConnectionContext = {
    id: 'connection-1',
    baseUrl: connector.sandboxUrls(origin).baseUrl,
    accessToken: token.accessToken,
    account: { ...token.account, ...kept },
  };
  return {
    connector,
    sandbox,
    fetch,
    connection,
    refreshToken: token.refreshToken,
    now,
    advance: (seconds) => {
      time += seconds * 1_000;
    },
    http: (more = {}) => connector.http({ connection, fetch, now, ...more }),
  };
}

export const redirectUri = 'http://127.0.0.1:4400/oauth/callback';

/** A person's way through the consent page. `decision` other than `approve` denies. */
export async function consent(options: {
  readonly connector: Connector;
  readonly origin: string;
  readonly fetch: typeof globalThis.fetch;
  readonly decision?: string;
}): Promise<{
  readonly code: string;
  readonly verifier: string;
  readonly parameters: Readonly<Record<string, string>>;
}> {
  const { connector, origin, fetch, decision = 'approve' } = options;
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(connector.sandboxUrls(origin).authorizeUrl);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: testClient.clientId,
    redirect_uri: redirectUri,
    scope: connector.auth.scopes.join(connector.auth.scopeSeparator ?? ' '),
    state: 'state-1',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  const page = await (await fetch(url)).text();
  const form = new URLSearchParams({ decision });
  for (const [, name = '', value = ''] of page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g))
    form.set(name, unescapeHtml(value));
  form.set('account', unescapeHtml(/name="account" value="([^"]*)"/.exec(page)?.[1] ?? ''));
  const answer = await fetch(url.origin + url.pathname, { method: 'POST', body: form, redirect: 'manual' });
  const parameters = Object.fromEntries(new URL(answer.headers.get('location') ?? 'about:blank').searchParams);
  return { code: parameters['code'] ?? '', verifier, parameters };
}

/** Asks the sandbox's token endpoint as this vendor's clients authenticate. */
export async function requestToken(options: {
  readonly connector: Connector;
  readonly origin: string;
  readonly fetch: typeof globalThis.fetch;
  readonly parameters: Readonly<Record<string, string>>;
}): Promise<{ readonly status: number; readonly answer: unknown }> {
  const { connector, origin, fetch, parameters } = options;
  const basic = connector.auth.clientAuthentication === 'basic';
  const response = await fetch(connector.sandboxUrls(origin).tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      ...parameters,
      ...(basic ? {} : { client_id: testClient.clientId, client_secret: testClient.clientSecret }),
    }),
    headers: basic ? { Authorization: `Basic ${btoa(`${testClient.clientId}:${testClient.clientSecret}`)}` } : {},
  });
  return { status: response.status, answer: (await response.json()) as unknown };
}

/** What a node's `run` and `findExisting` get, around an opened sandbox. The input is checked as the engine checks it. */
export function runContext(
  opened: OpenedSandbox,
  type: NodeType,
  input: unknown,
  options: { readonly key?: string; readonly http?: VendorHttp; readonly connection?: ConnectionContext } = {},
): RunContext<never> {
  const { key = 'key-1', connection = opened.connection, http = opened.http({ connection }) } = options;
  return {
    input: type.input.parse(input) as never,
    connection,
    http,
    fetchPublic: () => Promise.reject(new Error('A connector may not call other addresses.')),
    idempotencyKey: key,
    now: opened.now,
    signal: AbortSignal.timeout(30_000),
  };
}

/** Runs one of the connector's nodes against its sandbox and checks what it returns. */
export async function runNode(
  opened: OpenedSandbox,
  id: string,
  input: unknown,
  options?: Parameters<typeof runContext>[3],
): Promise<NodeResult> {
  const type = opened.connector.nodes.find((node) => node.id === id);
  if (!type?.run) throw new Error(`${opened.connector.title} has no node ${id} that runs`);
  const result = await type.run(runContext(opened, type, input, options));
  return { ...result, output: type.output.parse(result.output) };
}

function unescapeHtml(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}
