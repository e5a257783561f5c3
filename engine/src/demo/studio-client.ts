import type { ConnectionSummary, Problem } from '../contract/index.ts';

/** A browser without a window: keeps the session cookie, follows the vendors' consent pages, speaks the studio's API. */
export class StudioClient {
  readonly #origin: string;
  #cookie = '';

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** @throws Error with the problem's own words. */
  async call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const answer = await this.fetch(method, path, body, headers);
    if (!answer.ok) {
      const problem = (await answer.json()) as Problem;
      throw new Error(`${method} ${path}: ${problem.detail} ${problem.fix ?? ''} (${problem.code})`);
    }
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }

  /** The answer as it came. */
  async fetch(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const answer = await fetch(`${this.#origin}${path}`, {
      method,
      headers: {
        Origin: this.#origin,
        Cookie: this.#cookie,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0]);
    if (cookies.length > 0) this.#cookie = cookies.join('; ');
    return answer;
  }

  /** Connects a vendor's sandbox as a person does: consent page, approve, back to us. */
  async connectSandbox(connector: string): Promise<ConnectionSummary> {
    const { url } = await this.call<{ url: string }>('POST', '/api/connections/authorize', {
      connector,
      environment: 'sandbox',
      returnTo: '/settings/integrations',
    });
    const page = await (await fetch(url)).text();
    const form = new URLSearchParams({ decision: 'approve' });
    for (const [, name = '', value = ''] of page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g))
      form.set(name, unescapeHtml(value));
    form.set('account', unescapeHtml(/name="account" value="([^"]*)"/.exec(page)?.[1] ?? ''));
    const { origin, pathname } = new URL(url);
    const consent = await fetch(origin + pathname, { method: 'POST', body: form, redirect: 'manual' });
    const callback = await fetch(consent.headers.get('location') ?? url, {
      headers: { Cookie: this.#cookie },
      redirect: 'manual',
    });
    const target = new URL(callback.headers.get('location') ?? '/', this.#origin);
    const id = target.searchParams.get('connected');
    if (!id)
      throw new Error(
        `${connector} was not connected: ${target.searchParams.get('connect_message') ?? `the callback answered ${callback.status}`}`,
      );
    return await this.call<ConnectionSummary>('GET', `/api/connections/${id}`);
  }
}

function unescapeHtml(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}
