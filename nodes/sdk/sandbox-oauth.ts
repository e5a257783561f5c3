import { createHash, randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { html, sandboxPage } from './sandbox-page.ts';
import type { SandboxOptions } from './connector.ts';
import { isEqual } from './verify.ts';

/** Codes are good for ten minutes, the longest that RFC 6749 recommends. */
const CODE_LIFE_MS = 600_000;

interface Code extends Grant {
  readonly redirectUri: string;
  readonly challenge: string;
  readonly expiresAt: number;
  used: boolean;
}

/** What the person agreed to. */
export interface Grant {
  readonly scope: string;
  /** The account that was chosen on the consent page. */
  readonly account: string;
}

export interface SandboxOAuthOptions extends Pick<SandboxOptions, 'clientId' | 'clientSecret' | 'now'> {
  readonly title: string;
  /** Accounts a person may choose on the consent page: name by id. */
  readonly accounts: Readonly<Record<string, string>>;
  /** What the vendor adds to the callback. */
  readonly callbackParameters?: (account: string) => Readonly<Record<string, string>>;
}

/**
 * The authorization-code half that OAuth 2 vendors share: consent page, one-use codes, PKCE. Tokens differ too much and stay with each double.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1 and https://www.rfc-editor.org/rfc/rfc7636
 */
export class SandboxOAuth {
  readonly #options: SandboxOAuthOptions;
  readonly #codes = new Map<string, Code>();

  constructor(options: SandboxOAuthOptions) {
    this.#options = options;
  }

  /** GET: the consent page. Redirect addresses must be https, or loopback. */
  consent(c: Context): Response {
    const query: Readonly<Record<string, string | undefined>> = c.req.query();
    const { title, accounts, clientId } = this.#options;
    const redirect = redirectOf(query['redirect_uri']);
    // Nobody is sent to an address that was not checked: the refusal is shown here.
    if (query['client_id'] !== clientId || !redirect)
      return c.html(
        sandboxPage(
          `${title} sandbox`,
          html`<h1>Unknown application</h1>
            <p>The client id or the redirect address is not registered here.</p>`,
        ),
        400,
      );
    const { state } = query;
    if ((query['response_type'] ?? 'code') !== 'code')
      return back(c, redirect, { error: 'unsupported_response_type', state });
    if (query['code_challenge'] && query['code_challenge_method'] !== 'S256')
      return back(c, redirect, { error: 'invalid_request', state });
    const kept = ['client_id', 'redirect_uri', 'state', 'scope', 'code_challenge'];
    return c.html(
      sandboxPage(
        `${title} sandbox`,
        html`<h1>${title} <small class="note">sandbox</small></h1>
          <form method="post">
            <fieldset>
              <legend>Plumbline asks for access to</legend>
              ${Object.entries(accounts).map(
                ([id, name], index) =>
                  html`<p>
                    <label
                      ><input type="radio" name="account" value="${id}" ${index === 0 ? html` checked` : ''} />
                      ${name}</label
                    >
                  </p>`,
              )}
              <p class="note">Rights: ${(query['scope'] ?? '').split(/[ ,]+/).filter(Boolean).join(', ')}</p>
            </fieldset>
            ${kept.map((name) => html`<input type="hidden" name="${name}" value="${query[name]}" />`)}
            <p>
              <button name="decision" value="approve">Approve</button><button name="decision" value="deny">Deny</button>
            </p>
          </form>
          <p class="note">This page stands in for the vendor’s own. Nothing leaves this computer.</p>`,
      ),
    );
  }

  /** POST: the person's decision. Anything but an approval is a denial. */
  async decide(c: Context): Promise<Response> {
    const form = await c.req.parseBody();
    const field = (name: string): string => (typeof form[name] === 'string' ? form[name] : '');
    const redirect = redirectOf(field('redirect_uri'));
    const state = field('state');
    if (!redirect || (form['client_id'] !== undefined && field('client_id') !== this.#options.clientId))
      return c.text('Unknown application', 400);
    if (!['approve', 'allow'].includes(field('decision'))) return back(c, redirect, { error: 'access_denied', state });
    const account = field('account');
    if (!Object.hasOwn(this.#options.accounts, account)) return c.text('Unknown account', 400);
    const code = randomBytes(24).toString('base64url');
    this.#codes.set(code, {
      redirectUri: field('redirect_uri'),
      challenge: field('code_challenge'),
      scope: field('scope'),
      account,
      expiresAt: this.#options.now().getTime() + CODE_LIFE_MS,
      used: false,
    });
    return back(c, redirect, { code, state, ...this.#options.callbackParameters?.(account) });
  }

  /** Whether a token request comes from our client, by Basic or by form. */
  authenticates(authorization: string | undefined, form: Readonly<Record<string, unknown>>): boolean {
    const [id, secret] = readBasic(authorization) ?? [
      String(form['client_id'] ?? ''),
      String(form['client_secret'] ?? ''),
    ];
    const rightId = isEqual(id, this.#options.clientId);
    return isEqual(secret, this.#options.clientSecret) && rightId;
  }

  /** Redeems a code, once; undefined when it is unknown, used, stale, for another redirect address, or the verifier is wrong. */
  redeem(form: Readonly<Record<string, unknown>>): Grant | undefined {
    const code = this.#codes.get(String(form['code'] ?? ''));
    if (!code || code.used || code.expiresAt < this.#options.now().getTime()) return undefined;
    code.used = true;
    if (code.redirectUri !== form['redirect_uri']) return undefined;
    const verifier = String(form['code_verifier'] ?? '');
    if (code.challenge && createHash('sha256').update(verifier).digest('base64url') !== code.challenge)
      return undefined;
    return { scope: code.scope, account: code.account };
  }
}

function redirectOf(uri: string | undefined): URL | undefined {
  if (!uri || !URL.canParse(uri)) return undefined;
  const url = new URL(uri);
  const isLoopback = url.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  return url.protocol === 'https:' || isLoopback ? url : undefined;
}

function back(c: Context, redirect: URL, parameters: Readonly<Record<string, string | undefined>>): Response {
  const url = new URL(redirect);
  for (const [name, value] of Object.entries(parameters)) if (value) url.searchParams.set(name, value);
  return c.redirect(url.href, 302);
}

/** RFC 6749 has id and secret form-encoded before they go into Basic; some clients leave that out. */
function readBasic(authorization: string | undefined): [string, string] | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '')?.[1];
  if (!encoded) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : [decodeForm(text.slice(0, colon)), decodeForm(text.slice(colon + 1))];
}

function decodeForm(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
