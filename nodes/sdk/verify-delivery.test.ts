import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { proofHeaders, schemeOf, verifyDelivery, type WebhookScheme } from './verify-delivery.ts';
import { signStandardWebhook } from './verify.ts';
import { webhookConfigSchema } from './webhook-config.ts';

const secret = 'a-secret-of-the-sender-0123456789';
const other = 'another-secret-of-them-9876543210';
const now = new Date('2026-11-24T15:00:00Z');
const time = String(now.getTime() / 1_000);
const body = Buffer.from('{"id":"e-1","note":"drywall\\r\\n"}');
const url = 'https://plumbline.example/hooks/k?site=12';
const hmac = (
  text: string | Uint8Array,
  algorithm = 'sha256',
  encoding: 'hex' | 'base64' = 'hex',
  key: string = secret,
): string => createHmac(algorithm, key).update(text).digest(encoding);

interface Case {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Headers of a genuine delivery. */
  readonly sign: (given: { secret: string; body: Uint8Array; time: string }) => Record<string, string>;
  /** Whether the body is part of what is proved. */
  readonly signsBody: boolean;
  readonly signsTime: boolean;
}

const cases: readonly Case[] = [
  {
    name: 'HMAC, plain',
    config: { scheme: 'hmac', signatureHeader: 'X-Sig' },
    sign: (given) => ({ 'X-Sig': hmac(given.body, 'sha256', 'hex', given.secret) }),
    signsBody: true,
    signsTime: false,
  },
  ...(['sha1', 'sha256', 'sha512'] as const).flatMap((algorithm) =>
    (['hex', 'base64'] as const).map((encoding): Case => ({
      name: `HMAC, ${algorithm}, ${encoding}, with a prefix and a time`,
      config: {
        scheme: 'hmac',
        algorithm,
        encoding,
        signatureHeader: 'X-Webhook-Signature',
        signaturePrefix: `${algorithm}=`,
        timestampHeader: 'X-Webhook-Timestamp',
      },
      sign: (given) => ({
        'X-Webhook-Timestamp': given.time,
        'X-Webhook-Signature': `${algorithm}=${hmac(`${given.time}.${Buffer.from(given.body).toString()}`, algorithm, encoding, given.secret)}`,
      }),
      signsBody: true,
      signsTime: true,
    })),
  ),
  {
    name: 'GitHub',
    config: { scheme: 'github' },
    sign: (given) => ({ 'X-Hub-Signature-256': `sha256=${hmac(given.body, 'sha256', 'hex', given.secret)}` }),
    signsBody: true,
    signsTime: false,
  },
  {
    name: 'Intuit',
    config: { scheme: 'intuit' },
    sign: (given) => ({ 'intuit-signature': hmac(given.body, 'sha256', 'base64', given.secret) }),
    signsBody: true,
    signsTime: false,
  },
  {
    name: 'Xero',
    config: { scheme: 'xero' },
    sign: (given) => ({ 'x-xero-signature': hmac(given.body, 'sha256', 'base64', given.secret) }),
    signsBody: true,
    signsTime: false,
  },
  {
    name: 'Stripe',
    config: { scheme: 'stripe' },
    sign: (given) => ({
      'Stripe-Signature': `t=${given.time},v1=${hmac(`${given.time}.${Buffer.from(given.body).toString()}`, 'sha256', 'hex', given.secret)},v0=6ffbb59b`,
    }),
    signsBody: true,
    signsTime: true,
  },
  {
    name: 'Slack',
    config: { scheme: 'slack' },
    sign: (given) => ({
      'X-Slack-Request-Timestamp': given.time,
      'X-Slack-Signature': `v0=${hmac(`v0:${given.time}:${Buffer.from(given.body).toString()}`, 'sha256', 'hex', given.secret)}`,
    }),
    signsBody: true,
    signsTime: true,
  },
  {
    name: 'Procore',
    config: { scheme: 'procore' },
    sign: (given) => ({ Authorization: given.secret }),
    signsBody: false,
    signsTime: false,
  },
  {
    name: 'a secret in a header',
    config: { scheme: 'header', secretHeader: 'X-Key' },
    sign: (given) => ({ 'X-Key': given.secret }),
    signsBody: false,
    signsTime: false,
  },
  {
    name: 'basic authentication',
    config: { scheme: 'basic', userName: 'yard' },
    sign: (given) => ({ Authorization: `Basic ${Buffer.from(`yard:${given.secret}`).toString('base64')}` }),
    signsBody: false,
    signsTime: false,
  },
];

const schemeFor = (config: object): WebhookScheme => schemeOf(webhookConfigSchema.parse(config));

/** What a scheme says of a delivery with these headers. */
function prepare({ config, sign }: Case) {
  const scheme = schemeFor(config);
  const verify = (
    headers: Record<string, string>,
    more: { body?: Uint8Array; now?: Date; secrets?: readonly string[] } = {},
  ) => verifyDelivery(scheme, more.secrets ?? [secret], { headers: new Headers(headers), body, url, now, ...more });
  return { scheme, verify, sign, genuine: sign({ secret, body, time }) };
}

describe.each(cases)('$name', (given) => {
  const { scheme, verify, sign, genuine } = prepare(given);

  test('takes what the sender signed, and the old and the new secret while one is changed', () => {
    expect(verify(genuine)).toEqual({ ok: true });
    expect(verify(genuine, { secrets: [other, secret] })).toEqual({ ok: true });
    expect(verify(genuine, { secrets: [secret, other] })).toEqual({ ok: true });
  });

  test('refuses no proof, an empty one, rubbish, and another’s secret', () => {
    expect(verify({}).ok).toBe(false);
    for (const value of ['', 'rubbish', 'Basic', 'Basic !!!', 't=,v1=', 'é'.normalize(), 'sha256=', '0'.repeat(64)])
      expect(verify(Object.fromEntries(Object.keys(genuine).map((name) => [name, value]))).ok, value).toBe(false);
    expect(verify(sign({ secret: other, body, time }))).toEqual({ ok: false, code: 'signature_invalid' });
  });

  test('withholds what proves the sender from flows', () => {
    const withheld = proofHeaders(scheme);
    for (const [name, value] of Object.entries(genuine))
      if (value !== time) expect(withheld).toContain(name.toLowerCase());
  });

  test('no secret that can be guessed is one', () => {
    expect(() => verify(genuine, { secrets: ['short'] })).toThrow(TypeError);
  });
});

test.each(cases.filter(({ signsBody }) => signsBody))(
  '$name refuses a body that is not the one that was signed, byte for byte',
  (given) => {
    const { verify, genuine } = prepare(given);
    const changed = Buffer.from(body);
    changed[3] = (changed[3] ?? 0) ^ 1;
    const rewritten = Buffer.from(JSON.stringify(JSON.parse(body.toString()), null, 1));
    const unixed = Buffer.from(body.toString().replace('\\r\\n', '\\n'));
    for (const one of [changed, rewritten, unixed, Buffer.alloc(0), Buffer.concat([body, Buffer.from(' ')])])
      expect(verify(genuine, { body: one })).toEqual({ ok: false, code: 'signature_invalid' });
  },
);

test.each(cases.filter(({ signsTime }) => signsTime))(
  '$name refuses times that are more than five minutes off, or none',
  (given) => {
    const { verify, sign } = prepare(given);
    const at = (seconds: number) => String(Number(time) + seconds);
    for (const good of [at(0), at(300), at(-300)])
      expect(verify(sign({ secret, body, time: good }))).toEqual({ ok: true });
    for (const bad of [at(301), at(-301), '', '-1', '1e20', `${time}.0`, 'yesterday', `${time} `.trim() + '0'])
      expect(verify(sign({ secret, body, time: bad })), bad).toEqual({ ok: false, code: 'timestamp_out_of_range' });
  },
);

describe('Standard Webhooks', () => {
  test('is what a trigger means that says nothing, and gives the id that was signed', () => {
    const key = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const headers = new Headers(signStandardWebhook({ secret: key, id: 'msg_1', timestamp: Number(time), body }));
    expect(verifyDelivery(schemeFor({}), [key], { headers, body, url, now })).toEqual({ ok: true, id: 'msg_1' });
  });
});

describe('Stripe', () => {
  test('takes one of several signatures, as there are while their secret is rolled', () => {
    const good = hmac(`${time}.${body.toString()}`);
    const headers = new Headers({ 'Stripe-Signature': `t=${time},v1=${'0'.repeat(64)},v1=${good}` });
    expect(verifyDelivery(schemeFor({ scheme: 'stripe' }), [secret], { headers, body, url, now })).toEqual({
      ok: true,
    });
  });
});

describe('Twilio', () => {
  const scheme = schemeFor({ scheme: 'twilio' });
  const verify = (address: string, signature: string, sent: Uint8Array) =>
    verifyDelivery(scheme, [secret], {
      headers: new Headers({ 'X-Twilio-Signature': signature }),
      body: sent,
      url: address,
      now,
    }).ok;

  test('signs a form as address and sorted fields', () => {
    const form = new URLSearchParams({ To: '+15550100', Body: 'On my way ✓', From: '+15550199' });
    const signed = hmac(`${url}BodyOn my way ✓From+15550199To+15550100`, 'sha1', 'base64');
    expect(verify(url, signed, Buffer.from(form.toString()))).toBe(true);
    form.set('From', '+15550666');
    expect(verify(url, signed, Buffer.from(form.toString()))).toBe(false);
    expect(verify(`${url}&more=1`, signed, Buffer.from(form.toString()))).toBe(false);
  });

  test('signs anything else by its hash in the address', () => {
    const address = `${url}&bodySHA256=${createHash('sha256').update(body).digest('hex')}`;
    expect(verify(address, hmac(address, 'sha1', 'base64'), body)).toBe(true);
    expect(verify(address, hmac(address, 'sha1', 'base64'), Buffer.from('{}'))).toBe(false);
    expect(verify(address, hmac(url, 'sha1', 'base64'), body)).toBe(false);
  });
});
