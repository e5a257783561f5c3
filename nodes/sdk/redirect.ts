import { checkUrl, forbidden, type UrlRules } from './check-url.ts';

/** What is sent next, or would be. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly body: BodyInit | null;
  readonly headers: Headers;
}

/** Headers that are for the origin they were given for, and for no other. */
const credentials = ['authorization', 'cookie', 'proxy-authorization'];

/**
 * The request a redirect asks for, with its address checked like a typed one; undefined when the answer is no redirect.
 * Credentials stay behind when the origin changes; a POST becomes a GET as browsers have it.
 * @throws ConnectorFailure `invalid`, code `url_forbidden`
 * @see https://fetch.spec.whatwg.org/#http-redirect-fetch
 */
export function followRedirect(
  hop: Hop,
  response: Pick<Response, 'status' | 'headers'>,
  rules: UrlRules,
): Hop | undefined {
  const { status } = response;
  const location = response.headers.get('location');
  if (![301, 302, 303, 307, 308].includes(status) || location === null) return undefined;
  if (!URL.canParse(location, hop.url)) throw forbidden('it redirects to something that is not a web address');
  const url = checkUrl(new URL(location, hop.url).href, rules);
  const headers = new Headers(hop.headers);
  if (url.origin !== hop.url.origin) for (const name of credentials) headers.delete(name);
  if (status !== 303 && (status > 303 || hop.method !== 'POST')) return { ...hop, url, headers };
  headers.delete('content-type');
  return { url, method: hop.method === 'HEAD' ? 'HEAD' : 'GET', body: null, headers };
}
