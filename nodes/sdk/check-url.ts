import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { ConnectorFailure } from './failure.ts';

export interface UrlRules {
  /** Exact origins that may be called although they are private or not https; for sandboxes on loopback. */
  readonly allow?: readonly string[];
  /** Whether plain http on port 80 is possible too. @default false */
  readonly allowHttp?: boolean;
}

/** Names that belong to the network we run in, whatever a resolver says. */
const localNames = /(^|\.)(localhost|local|internal|intranet|private|lan|home|corp|localdomain|home\.arpa)$/;

/** Public addresses that answer only from inside a cloud, with that cloud's secrets. */
const metadataAddresses = new Set(['168.63.129.16']);

/**
 * Checks an address that a user typed, as text: at save, before every request and on every redirect. What its name resolves to is checked at connect.
 * Parsed once, the WHATWG way; so `0x7f.1`, `127.1` and full-width digits are all 127.0.0.1 here as they would be at connect.
 * @throws ConnectorFailure `invalid`, code `url_forbidden`
 */
export function checkUrl(text: string, rules: UrlRules = {}): URL {
  // The parser would drop tabs and line breaks and turn backslashes round: what a person read is not what would be called.
  if (text.length > 2_000) throw forbidden('it is too long');
  if (/[\u0000-\u0020\u007f-\u00a0\u2028\u2029\\]/.test(text))
    throw forbidden('it has a blank, a control character or a backslash in it');
  if (!URL.canParse(text)) throw forbidden('it is not a web address');
  const url = new URL(text);
  if (url.username || url.password || /^[a-z]+:\/*[^/?#]*@/i.test(text))
    throw forbidden('it has a user name or password in it');
  if (rules.allow?.includes(url.origin)) return url;
  if (url.protocol !== 'https:' && !(rules.allowHttp && url.protocol === 'http:'))
    throw forbidden('only https is possible');
  if (url.port !== '') throw forbidden('only the standard port is possible');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) requirePublicAddress(host);
  else if (host.endsWith('.')) throw forbidden('its name ends with a dot');
  else if (!host.includes('.') || localNames.test(host))
    throw forbidden(`${host.slice(0, 100)} names this network, not the internet`);
  return url;
}

/**
 * Lets only unicast addresses of the open internet through, whatever they are wrapped in: IPv4-mapped ones are unwrapped, tunnels (6to4, Teredo,
 * NAT64) refused whole.
 * @throws ConnectorFailure `invalid`, code `url_forbidden`
 */
export function requirePublicAddress(address: string): void {
  if (!ipaddr.isValid(address) || address.includes('%')) throw forbidden('it leads to an address we do not understand');
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast' || metadataAddresses.has(parsed.toString()))
    throw forbidden('it leads into a private network');
  // ipaddr.js calls the unassigned rest of IPv6 unicast too, ::127.0.0.1 with it. Only 2000::/3 is given out.
  if (parsed.kind() === 'ipv6' && ((parsed as ipaddr.IPv6).parts[0] ?? 0) >> 13 !== 1)
    throw forbidden('it leads to an address outside the internet');
}

/** Headers that decide how a request is framed or routed: they are ours alone. */
const ownHeaders = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** @throws ConnectorFailure `invalid`, code `header_forbidden` */
export function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    const wellFormed = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
    if (wellFormed && !ownHeaders.has(name.toLowerCase())) continue;
    throw new ConnectorFailure({
      kind: 'invalid',
      code: 'header_forbidden',
      message: `The header "${name.slice(0, 100).replace(/[^\x20-\x7e]/g, '?')}" may not be set, or has characters in it that no header may have. Remove it.`,
    });
  }
}

/** @internal */
export function forbidden(reason: string): ConnectorFailure {
  return new ConnectorFailure({
    kind: 'invalid',
    code: 'url_forbidden',
    message: `This address may not be called: ${reason}. Use an https address on the internet.`,
  });
}
