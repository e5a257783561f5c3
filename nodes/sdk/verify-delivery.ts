import { createHash, createHmac } from 'node:crypto';
import { isEqual, isTimely, verifyStandardWebhook, type Verdict } from './verify.ts';
import type { WebhookConfig } from './webhook-config.ts';

/** One request that says it comes from the sender. */
export interface Delivery {
  readonly headers: Headers;
  /** As it came over the wire; nothing else was signed. */
  readonly body: Uint8Array;
  /** The whole address as its sender knows it. */
  readonly url: string;
  readonly now: Date;
}

/** How deliveries of an endpoint are signed. */
export type WebhookScheme =
  | { readonly kind: 'standard' | 'stripe' | 'slack' | 'twilio' }
  | {
      readonly kind: 'hmac';
      readonly header: string;
      readonly algorithm: 'sha1' | 'sha256' | 'sha512';
      readonly encoding: 'hex' | 'base64';
      readonly prefix: string;
      /** Header whose value stands before the body in what is signed, with a dot between. */
      readonly timestampHeader?: string;
    }
  | { readonly kind: 'header'; readonly header: string }
  | { readonly kind: 'basic'; readonly userName: string };

/** Shorter secrets can be guessed; an empty one would let everybody in. */
export const SECRET_MIN_LENGTH = 16;

/** The scheme that a configuration means. Vendors that sign in a common way are that way with their own header. */
export function schemeOf(config: WebhookConfig): WebhookScheme {
  const { scheme } = config;
  switch (scheme) {
    case 'hmac':
      return {
        kind: 'hmac',
        header: config.signatureHeader,
        algorithm: config.algorithm,
        encoding: config.encoding,
        prefix: config.signaturePrefix ?? '',
        ...(config.timestampHeader ? { timestampHeader: config.timestampHeader } : {}),
      };
    // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    case 'github':
      return { kind: 'hmac', header: 'X-Hub-Signature-256', algorithm: 'sha256', encoding: 'hex', prefix: 'sha256=' };
    // https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks
    case 'intuit':
      return { kind: 'hmac', header: 'intuit-signature', algorithm: 'sha256', encoding: 'base64', prefix: '' };
    // https://developer.xero.com/documentation/guides/webhooks/configuring-your-server
    case 'xero':
      return { kind: 'hmac', header: 'x-xero-signature', algorithm: 'sha256', encoding: 'base64', prefix: '' };
    // Procore signs nothing: it repeats the Authorization header that was given to it with the hook.
    case 'procore':
      return { kind: 'header', header: 'Authorization' };
    case 'header':
      return { kind: 'header', header: config.secretHeader };
    case 'basic':
      return { kind: 'basic', userName: config.userName };
    default:
      return { kind: scheme };
  }
}

/**
 * Whether a delivery was signed with one of the secrets; while a secret is being changed there are two. Over raw bytes, in constant time: every secret is
 * tried, whatever came of the one before. An `id` is given only where the scheme signs one.
 * @throws TypeError when a secret is too short to be one
 */
export function verifyDelivery(scheme: WebhookScheme, secrets: readonly string[], delivery: Delivery): Verdict {
  const verdicts = secrets.map((secret) => {
    if (secret.length < SECRET_MIN_LENGTH) throw new TypeError('The webhook secret is too short');
    return verifyWith(scheme, secret, delivery);
  });
  const good = verdicts.find(({ ok }) => ok);
  return good ?? verdicts[0] ?? { ok: false, code: 'signature_invalid' };
}

/** Headers that carry the proof: they are not part of what happened, and no mapping may read them. */
export function proofHeaders(scheme: WebhookScheme): readonly string[] {
  const common = ['authorization', 'cookie', 'proxy-authorization', 'webhook-signature', 'svix-signature'];
  if (scheme.kind === 'hmac' || scheme.kind === 'header') return [...common, scheme.header.toLowerCase()];
  if (scheme.kind === 'stripe') return [...common, 'stripe-signature'];
  if (scheme.kind === 'slack') return [...common, 'x-slack-signature'];
  return scheme.kind === 'twilio' ? [...common, 'x-twilio-signature'] : common;
}

function verifyWith(scheme: WebhookScheme, secret: string, delivery: Delivery): Verdict {
  const { headers, body, now } = delivery;
  const header = (name: string): string => headers.get(name) ?? '';
  switch (scheme.kind) {
    case 'standard':
      return verifyStandardWebhook({ secret, headers, body, now });
    case 'hmac': {
      const { algorithm, encoding, prefix, timestampHeader } = scheme;
      const timestamp = timestampHeader === undefined ? undefined : header(timestampHeader);
      if (timestamp !== undefined && !isTimely(timestamp, now)) return stale;
      const signed = timestamp === undefined ? [body] : [`${timestamp}.`, body];
      const expected = prefix + sign(algorithm, encoding, secret, signed);
      const given = header(scheme.header).trim();
      return answer(isEqual(encoding === 'hex' ? lowerAfter(prefix, given) : given, expected));
    }
    case 'header': {
      const given = header(scheme.header);
      const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
      // Hashed, so that not even the length can be told.
      return answer([secret, `Bearer ${secret}`].map((one) => isEqual(digest(given), digest(one))).includes(true));
    }
    case 'basic': {
      const given = Buffer.from(/^basic ([A-Za-z0-9+/=]+)$/i.exec(header('authorization'))?.[1] ?? '', 'base64');
      const digest = (bytes: string | Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
      return answer(isEqual(digest(given), digest(`${scheme.userName}:${secret}`)));
    }
    // https://docs.stripe.com/webhooks#verify-manually
    case 'stripe': {
      const parts = header('stripe-signature')
        .split(',', 20)
        .map((part) => part.trim().split('=', 2) as [string, string?]);
      const timestamp = parts.find(([name]) => name === 't')?.[1] ?? '';
      if (!isTimely(timestamp, now)) return stale;
      const expected = sign('sha256', 'hex', secret, [`${timestamp}.`, body]);
      // While their secret is rolled there are several.
      const given = parts.filter(([name]) => name === 'v1').map(([, signature = '']) => isEqual(signature, expected));
      return answer(given.includes(true));
    }
    // https://docs.slack.dev/authentication/verifying-requests-from-slack
    case 'slack': {
      const timestamp = header('x-slack-request-timestamp');
      if (!isTimely(timestamp, now)) return stale;
      const expected = `v0=${sign('sha256', 'hex', secret, [`v0:${timestamp}:`, body])}`;
      return answer(isEqual(header('x-slack-signature'), expected));
    }
    case 'twilio':
      return answer(isSignedByTwilio(secret, delivery));
  }
}

/**
 * Forms are signed as address and sorted parameters, other bodies as an address that holds the body's hash.
 * @see https://www.twilio.com/docs/usage/security#validating-requests
 */
function isSignedByTwilio(secret: string, { headers, body, url }: Delivery): boolean {
  const hash = new URL(url).searchParams.get('bodySHA256');
  const given = headers.get('x-twilio-signature') ?? '';
  if (hash !== null) {
    const sum = createHash('sha256').update(body).digest('hex');
    // Both are always reckoned.
    const matches = [isEqual(hash.toLowerCase(), sum), isEqual(given, sign('sha1', 'base64', secret, [url]))];
    return !matches.includes(false);
  }
  const form = new URLSearchParams(Buffer.from(body).toString('utf8'));
  const names = [...new Set(form.keys())].sort();
  const text = names.flatMap((name) => [...new Set(form.getAll(name))].sort().map((value) => name + value)).join('');
  return isEqual(given, sign('sha1', 'base64', secret, [url, text]));
}

function sign(
  algorithm: 'sha1' | 'sha256' | 'sha512',
  encoding: 'hex' | 'base64',
  secret: string,
  parts: readonly (string | Uint8Array)[],
): string {
  const hmac = createHmac(algorithm, secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest(encoding);
}

/** Hexadecimal is the same in capitals; the prefix is not. */
function lowerAfter(prefix: string, text: string): string {
  return text.slice(0, prefix.length) + text.slice(prefix.length).toLowerCase();
}

const stale: Verdict = { ok: false, code: 'timestamp_out_of_range' };

function answer(isGenuine: boolean): Verdict {
  return isGenuine ? { ok: true } : { ok: false, code: 'signature_invalid' };
}
