import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent } from 'undici';
import { checkHeaders, checkUrl, forbidden, requirePublicAddress, type UrlRules } from './check-url.ts';
import { followRedirect, type Hop } from './redirect.ts';
import { send, unpacking } from './send.ts';

export interface PublicFetchOptions extends UrlRules {
  /** @default the system's resolver; tests pass one that changes its mind */
  readonly lookup?: (host: string) => Promise<readonly LookupAddress[]>;
  /** @default 3 */
  readonly maxRedirects?: number;
  /** Longest wait for a connection, for headers and between two pieces of the body. @default 30_000 */
  readonly timeoutMs?: number;
}

/**
 * `fetch` for addresses that users typed: https to the open internet only. The address is checked as text, then at connect on every resolved
 * address (the one that was checked is the one that is dialled), and again on each redirect, which loses credentials across origins.
 *
 * Rejects with a `ConnectorFailure` `invalid` (`url_forbidden`, `header_forbidden`) where nothing was sent, with fetch's own `TypeError` otherwise.
 */
export function createPublicFetch(options: PublicFetchOptions = {}): typeof globalThis.fetch {
  const { allow = [], allowHttp = false, maxRedirects = 3, timeoutMs = 30_000 } = options;
  const timeouts = { connectTimeout: timeoutMs, headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
  const guarded = unpacking(new Agent({ ...timeouts, connect: { lookup: publicLookup(options.lookup ?? resolve) } }));
  const trusted = unpacking(new Agent(timeouts));

  return async (input, init = {}) => {
    const [first, given] =
      input instanceof Request ? [input.url, { ...requestInit(input), ...init }] : [String(input), init];
    const url = checkUrl(first, { allow, allowHttp });
    const headers = new Headers(given.headers);
    checkHeaders(Object.fromEntries(headers));
    // A private origin is trusted when it was asked for, never because somebody's redirect points at it.
    const rules = { allow: allow.includes(url.origin) ? [url.origin] : [], allowHttp };
    let hop: Hop = { url, headers, method: (given.method ?? 'GET').toUpperCase(), body: given.body ?? null };
    for (let redirects = 0; ; redirects++) {
      const dispatcher = rules.allow.includes(hop.url.origin) ? trusted : guarded;
      const { method, body } = hop;
      const response = await send(hop.url, { ...given, method, body, headers: hop.headers }, dispatcher);
      const next = followRedirect(hop, response, rules);
      if (!next) return response;
      await response.body?.cancel();
      if (redirects >= maxRedirects) throw forbidden(`it redirects more than ${maxRedirects} times`);
      hop = next;
    }
  };
}

/**
 * Resolves a name and refuses it when any of its addresses is not public. It stands inside connect, so no second answer can slip in between.
 * @internal
 */
export function publicLookup(lookup: NonNullable<PublicFetchOptions['lookup']>): LookupFunction {
  return (host, { all }, callback) => {
    lookup(host).then(
      (addresses) => {
        const [first] = addresses;
        try {
          if (!first) throw forbidden('its name leads nowhere');
          for (const { address } of addresses) requirePublicAddress(address);
        } catch (error) {
          callback(error as NodeJS.ErrnoException, '');
          return;
        }
        if (all) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, ''),
    );
  };
}

function resolve(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((done, failed) => {
    systemLookup(host, { all: true }, (error, addresses) => (error ? failed(error) : done(addresses)));
  });
}

function requestInit(request: Request): RequestInit {
  return { method: request.method, headers: request.headers, body: request.body, signal: request.signal };
}
