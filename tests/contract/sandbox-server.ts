import type { Connector, Sandbox } from '@plumbline/nodes';
import { serve } from '../../nodes/sdk/testing-server.ts';
import { redirectUri, testClient } from '../../nodes/sdk/testing.ts';

/** A connector's double behind real HTTP, for clients that bring their own. */
export interface SandboxServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>/sandbox/<connector>` */
  readonly origin: string;
  readonly sandbox: Sandbox;
  /** Requests in order, as they came over the wire. */
  readonly requests: readonly {
    readonly method: string;
    readonly url: URL;
    readonly headers: Headers;
    readonly body: string;
  }[];
  advance(seconds: number): void;
}

export async function serveSandbox(connector: Connector): Promise<SandboxServer> {
  let offset = 0;
  const requests: { method: string; url: URL; headers: Headers; body: string }[] = [];
  let sandbox: Sandbox | undefined;
  const server = await serve(async (request) => {
    requests.push({
      method: request.method,
      url: new URL(request.url),
      headers: request.headers,
      body: await request.clone().text(),
    });
    return (await sandbox?.fetch(request)) ?? new Response(null, { status: 503 });
  });
  const origin = `${server.origin}/sandbox/${connector.id}`;
  sandbox = connector.sandbox({ ...testClient, origin, now: () => new Date(Date.now() + offset) });
  return {
    origin,
    sandbox,
    requests,
    advance: (seconds) => {
      offset += seconds * 1_000;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A person who approves on the consent page that a client's own authorize address leads to. Returns where the browser is sent. */
export async function approve(authorizeUrl: string): Promise<string> {
  const page = await (await fetch(authorizeUrl)).text();
  const form = new URLSearchParams({ decision: 'approve' });
  for (const [, name = '', value = ''] of page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g))
    form.set(
      name,
      value.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))).replaceAll('&amp;', '&'),
    );
  form.set('account', /name="account" value="([^"]*)"/.exec(page)?.[1] ?? '');
  const { origin, pathname } = new URL(authorizeUrl);
  const answer = await fetch(origin + pathname, { method: 'POST', body: form, redirect: 'manual' });
  return answer.headers.get('location') ?? '';
}

export { redirectUri, testClient };
