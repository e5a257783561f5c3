import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  hmacSha256,
  isEqual,
  isTimely,
  signStandardWebhook,
  standardSecretBytes,
  verifyStandardWebhook,
} from './verify.ts';

/** The example of the Standard Webhooks specification. */
const known = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: 1_614_265_330,
  body: new TextEncoder().encode('{"test": 2432232314}'),
};
const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const now = new Date(known.timestamp * 1_000);

const deliver = (
  changes: {
    id?: string;
    timestamp?: string;
    signature?: string;
    body?: Uint8Array;
    now?: Date;
    secret?: string;
    prefix?: string;
  } = {},
) => {
  const { prefix = 'webhook' } = changes;
  const headers = new Headers({
    [`${prefix}-id`]: changes.id ?? known.id,
    [`${prefix}-timestamp`]: changes.timestamp ?? String(known.timestamp),
    [`${prefix}-signature`]: changes.signature ?? signature,
  });
  return verifyStandardWebhook({
    secret: changes.secret ?? known.secret,
    headers,
    body: changes.body ?? known.body,
    now: changes.now ?? now,
  });
};

describe('Standard Webhooks', () => {
  test('signs as the specification’s example', () => {
    expect(signStandardWebhook(known)).toEqual({
      'webhook-id': known.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': signature,
    });
  });

  test('a good delivery passes, under either family of headers, beside other signatures', () => {
    expect(deliver()).toEqual({ ok: true, id: known.id });
    expect(deliver({ prefix: 'svix' })).toEqual({ ok: true, id: known.id });
    expect(deliver({ signature: `v1,AAAA v2,zzz ${signature}` })).toEqual({ ok: true, id: known.id });
  });

  const altered = known.body.slice();
  altered[9] = 0x39;
  test.each([
    ['an altered body', { body: altered }],
    ['another id', { id: 'msg_other' }],
    ['no id', { id: '' }],
    ['no signature', { signature: '' }],
    ['half a signature', { signature: signature.slice(0, 20) }],
    ['the signature without its version', { signature: signature.slice(3) }],
    ['another secret', { secret: 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
    ['the right signature as the eleventh', { signature: `${'v1,AAAA '.repeat(10)}${signature}` }],
  ])('%s is refused', (_, changes) => expect(deliver(changes)).toEqual({ ok: false, code: 'signature_invalid' }));

  test.each(['evt.123', 'msg_1.', 'two words', 'x'.repeat(257), 'ä'])('the id %j is none, and that is said', (id) => {
    const signed = signStandardWebhook({ secret: known.secret, id, timestamp: known.timestamp, body: known.body });
    expect(deliver({ id, signature: signed['webhook-signature'] ?? '' })).toEqual({
      ...{ ok: false, code: 'delivery_id_invalid' },
    });
  });

  test.each([
    ['five minutes late', 300, true],
    ['a second later than that', 301, false],
    ['five minutes early', -300, true],
    ['a second earlier than that', -301, false],
  ])('%s', (_, seconds, ok) => expect(deliver({ now: new Date(now.getTime() + seconds * 1_000) }).ok).toBe(ok));

  test.each(['', '1e9', '-1', '16142653300000', '0x60', ' 1614265330'])('the timestamp %j is refused', (timestamp) => {
    expect(isTimely(timestamp, now)).toBe(false);
  });

  test('a secret that is hardly one signs nothing', () => {
    for (const secret of ['', 'whsec_', 'whsec_c2hvcnQ=']) expect(() => standardSecretBytes(secret)).toThrow(TypeError);
  });
});

test('hmacSha256 is over raw bytes, not over text', () => {
  const bytes = Uint8Array.of(0xff, 0x00, 0xc3);
  expect(hmacSha256('k', 'v0:', bytes).toString('hex')).toBe(
    createHmac('sha256', 'k')
      .update(Buffer.concat([Buffer.from('v0:'), bytes]))
      .digest('hex'),
  );
  expect(hmacSha256('k', bytes)).not.toEqual(hmacSha256('k', new TextDecoder().decode(bytes)));
});

test('isEqual tells apart what differs in length or in one bit', () => {
  expect(isEqual('abc', 'abc')).toBe(true);
  expect(isEqual('', '')).toBe(true);
  for (const other of ['abd', 'ab', 'abcd', '']) expect(isEqual('abc', other)).toBe(false);
});
