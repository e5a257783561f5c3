import { createHmac, timingSafeEqual } from 'node:crypto';

/** Deliveries older or newer than this are refused. */
export const TOLERANCE_SECONDS = 300;

/** Shortest secret that signs anything, in bytes: an empty one would let everybody sign. */
const SECRET_MIN_BYTES = 16;

export type Verdict =
  /** `id` only where the sender signed one. */
  | { readonly ok: true; readonly id?: string }
  | { readonly ok: false; readonly code: 'signature_invalid' | 'timestamp_out_of_range' | 'delivery_id_invalid' };

/** HMAC-SHA256 over raw bytes; parts are joined as they are. */
export function hmacSha256(secret: string | Uint8Array, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const hmac = createHmac('sha256', secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** Compares without telling by its time how much was right. Only the lengths can be told apart. */
export function isEqual(left: string | Uint8Array, right: string | Uint8Array): boolean {
  const a = Buffer.from(left as string);
  const b = Buffer.from(right as string);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Whether a timestamp (whole seconds since 1970, as text) lies within the tolerance around `now`, on either side. */
export function isTimely(timestamp: string, now: Date, toleranceSeconds: number = TOLERANCE_SECONDS): boolean {
  return /^\d{1,12}$/.test(timestamp) && Math.abs(now.getTime() / 1_000 - Number(timestamp)) <= toleranceSeconds;
}

/**
 * Verifies a Standard Webhooks delivery over its raw bytes, in constant time. Several signatures and both header families are accepted.
 * @throws TypeError when the secret is too short to be one
 * @see https://www.standardwebhooks.com
 */
export function verifyStandardWebhook(delivery: {
  readonly secret: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly now: Date;
}): Verdict {
  const header = (name: string): string =>
    delivery.headers.get(`webhook-${name}`) ?? delivery.headers.get(`svix-${name}`) ?? '';
  const id = header('id');
  const timestamp = header('timestamp');
  if (id === '') return { ok: false, code: 'signature_invalid' };
  // A dot in the id would let bytes move between id and timestamp without changing what is signed; the standard rules it out for that.
  if (!/^[\x21-\x2d\x2f-\x7e]{1,256}$/.test(id)) return { ok: false, code: 'delivery_id_invalid' };
  if (!isTimely(timestamp, delivery.now)) return { ok: false, code: 'timestamp_out_of_range' };
  const expected = standardSignature(delivery.secret, id, timestamp, delivery.body);
  const matches = header('signature')
    .split(' ')
    .slice(0, 10)
    .map((signature) => isEqual(signature, expected));
  return matches.includes(true) ? { ok: true, id } : { ok: false, code: 'signature_invalid' };
}

/** The headers a sender adds. `timestamp` is in whole seconds. */
export function signStandardWebhook(delivery: {
  readonly secret: string;
  readonly id: string;
  readonly timestamp: number;
  readonly body: Uint8Array;
}): Record<string, string> {
  const timestamp = String(delivery.timestamp);
  return {
    'webhook-id': delivery.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': standardSignature(delivery.secret, delivery.id, timestamp, delivery.body),
  };
}

/**
 * Bytes of a `whsec_` secret.
 * @throws TypeError when there are fewer than 16 of them
 */
export function standardSecretBytes(secret: string): Buffer {
  const bytes = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  if (bytes.length < SECRET_MIN_BYTES) throw new TypeError('The webhook secret is too short');
  return bytes;
}

function standardSignature(secret: string, id: string, timestamp: string, body: Uint8Array): string {
  return `v1,${hmacSha256(standardSecretBytes(secret), `${id}.${timestamp}.`, body).toString('base64')}`;
}
