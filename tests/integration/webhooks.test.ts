import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Page, RunDetail, RunSummary, TriggerInfo, WebhookSecret } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { signStandardWebhook } from '@plumbline/nodes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, postSigned, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
beforeAll(async () => {
  up = await testPlatform();
  client = await up.client();
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
});

const hook = (name: string, config: Readonly<Record<string, unknown>> = {}): Promise<WebhookFlow> =>
  publishWebhookFlow(client, name, {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'Delivery', config),
      take: node('core.map', 'Take', { value: '=trigger' }),
    },
    edges: line('incoming', 'take'),
  });
const trigger = async (flow: WebhookFlow): Promise<TriggerInfo | undefined> =>
  (await client.call<TriggerInfo[]>('GET', `/api/flows/${flow.id}/triggers`))[0];
const post = (url: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body });
const problem = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code];
const eventsOf = async (flow: WebhookFlow): Promise<number> => {
  const { rows } = await up.owner.query<{ count: number }>(
    'select count(*)::int as count from events join subscriptions s on s.key = events.key where s.flow_id = $1',
    [flow.id],
  );
  return rows[0]?.count ?? 0;
};
const endedRuns = async (flow: WebhookFlow, count: number): Promise<readonly RunSummary[]> =>
  await until(`${count} runs to end`, async () => {
    const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`);
    return items.length === count && items.every(({ finishedAt }) => finishedAt !== null) && items;
  });
const hmac = (secret: string, text: string | Uint8Array, encoding: 'hex' | 'base64' = 'hex') =>
  createHmac('sha256', secret).update(text).digest(encoding);
const seconds = () => Math.floor(Date.now() / 1_000);

describe('a webhook of before', () => {
  test('keeps its address and its secret over new versions, and takes what is signed as Standard Webhooks say', async () => {
    const flow = await hook('As before');
    const before = await trigger(flow);
    await client.call('POST', `/api/flows/${flow.id}/publish`, {});
    expect((await trigger(flow))?.webhook?.url).toBe(before?.webhook?.url);
    expect(await (await flow.post('msg_1', { text: 'one' })).json()).toEqual({ accepted: true, duplicate: false });
    await endedRuns(flow, 1);
  });

  test('refuses what is unsigned, signed with another secret, or meant for another address, and keeps nothing but a count', async () => {
    const [flow, other] = [await hook('Refuses'), await hook('Another')];
    expect(await problem(await post(flow.url, '{}'))).toEqual([401, 'signature_invalid']);
    expect(await problem(await postSigned({ url: flow.url, secret: other.secret }, 'msg_1', {}))).toEqual([
      401,
      'signature_invalid',
    ]);
    const body = Buffer.from('{"a":1}');
    const stale = signStandardWebhook({ secret: flow.secret, id: 'msg_2', timestamp: seconds() - 302, body });
    expect(await problem(await post(flow.url, body, stale))).toEqual([401, 'timestamp_out_of_range']);
    const signed = signStandardWebhook({ secret: flow.secret, id: 'msg_3', timestamp: seconds(), body });
    expect(await problem(await post(flow.url, '{"a": 1}', signed))).toEqual([401, 'signature_invalid']);
    const dotted = await postSigned(flow, 'evt.123', {});
    expect([dotted.status, await dotted.json()]).toMatchObject([
      401,
      { code: 'delivery_id_invalid', detail: expect.stringMatching(/webhook-id.*dot/) as string },
    ]);
    expect(await eventsOf(flow)).toBe(0);
    const refused = await until('the count', async () => {
      const found = (await trigger(flow))?.webhook?.refused;
      return found?.count === 5 && found;
    });
    expect(refused.code).toBe('delivery_id_invalid');
  });
});

test('a number with more digits than numbers keep comes through with all of them', async () => {
  const flow = await hook('Long numbers');
  const body = Buffer.from('{"id":9007199254740993,"count":7}');
  const signed = signStandardWebhook({ secret: flow.secret, id: 'msg_long', timestamp: seconds(), body });
  expect((await post(flow.url, body, signed)).status).toBe(200);
  const [run] = await endedRuns(flow, 1);
  const { event } = await client.call<RunDetail>('GET', `/api/runs/${run?.id}`);
  expect(event?.data).toMatchObject({ body: { id: '9007199254740993', count: 7 } });
});

describe('the same delivery', () => {
  test('fifty times at once starts one run; and again after the API came up anew', async () => {
    const flow = await hook('Fifty');
    const answers = await Promise.all(Array.from({ length: 50 }, () => flow.post('msg_same', { n: 1 })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    const fresh = (await Promise.all(answers.map((one) => one.json() as Promise<{ duplicate: boolean }>))).filter(
      ({ duplicate }) => !duplicate,
    );
    expect(fresh).toHaveLength(1);
    await endedRuns(flow, 1);
    await up.owner.query(`update events set received_at = now() - interval '8 days' where dedupe_key = 'msg_same'`);
    await up.platform.apis[0]?.stop();
    await up.platform.apis[0]?.start();
    const again = await flow.post('msg_same', { n: 1 });
    expect(await again.json()).toEqual({ accepted: true, duplicate: true });
    expect(await eventsOf(flow)).toBe(1);
  });

  test('is told by the id in its body; a header in place of it, or none, makes it no new one', async () => {
    const flow = await hook('By body', { scheme: 'hmac', signatureHeader: 'X-Sig', idPath: 'data.id' });
    const send = (body: string, headers = {}) => post(flow.url, body, { 'X-Sig': hmac(flow.secret, body), ...headers });
    const body = '{"data":{"id":"d-1"}}';
    expect(await (await send(body)).json()).toMatchObject({ duplicate: false });
    expect(await (await send(body, { 'X-Id': 'other' })).json()).toMatchObject({ duplicate: true });
    expect(await (await send('{"data":{"id":"d-1"},"tries":2}')).json()).toMatchObject({ duplicate: true });
    const without = '{"data":{}}';
    expect(await (await send(without)).json()).toMatchObject({ duplicate: false });
    expect(await (await send(without)).json()).toMatchObject({ duplicate: true });
  });

  test('is told by its query too, where the secret itself is what is proved; where only the body is signed a query makes it no new one', async () => {
    const bare = await hook('By query', { scheme: 'header', secretHeader: 'X-Yard-Key' });
    const signed = await hook('By its signed body', { scheme: 'hmac', signatureHeader: 'X-Sig' });
    const duplicates = async (flow: WebhookFlow, headers: Record<string, string>) => {
      const answers = [];
      for (const query of ['', '?job=1', '?job=2', '?job=1'])
        answers.push(await (await post(flow.url + query, '{}', headers)).json());
      return answers.map(({ duplicate }: { readonly duplicate: boolean }) => duplicate);
    };
    expect(await duplicates(bare, { 'X-Yard-Key': bare.secret })).toEqual([false, false, false, true]);
    expect(await duplicates(signed, { 'X-Sig': hmac(signed.secret, '{}') })).toEqual([false, true, true, true]);
  });

  test('whose id is in a header is refused without the header, so leaving it out starts nothing', async () => {
    const flow = await hook('By header', { scheme: 'github' });
    const body = '{"action":"opened"}';
    const signed = { 'X-Hub-Signature-256': `sha256=${hmac(flow.secret, body)}` };
    expect((await post(flow.url, body, { ...signed, 'X-GitHub-Delivery': 'g-1' })).status).toBe(200);
    expect(await problem(await post(flow.url, body, signed))).toEqual([400, 'delivery_id_missing']);
    expect(await problem(await post(flow.url, body, { ...signed, 'X-GitHub-Delivery': ' ' }))).toEqual([
      400,
      'delivery_id_missing',
    ]);
    expect(await eventsOf(flow)).toBe(1);
  });
});

describe('how a sender proves itself', () => {
  test('a chosen scheme holds for the address that is there: HMAC with a time bound into it', async () => {
    const flow = await hook('HMAC', {
      scheme: 'hmac',
      signatureHeader: 'X-Webhook-Signature',
      signaturePrefix: 'sha256=',
      timestampHeader: 'X-Webhook-Timestamp',
    });
    const send = (time: number) => {
      const body = `{"at":${time}}`;
      const signature = `sha256=${hmac(flow.secret, `${time}.${body}`)}`;
      return post(flow.url, body, { 'X-Webhook-Timestamp': String(time), 'X-Webhook-Signature': signature });
    };
    expect((await send(seconds())).status).toBe(200);
    expect(await problem(await send(seconds() - 310))).toEqual([401, 'timestamp_out_of_range']);
    const [run] = await endedRuns(flow, 1);
    const { event } = await client.call<RunDetail>('GET', `/api/runs/${run?.id}`);
    expect(JSON.stringify(event)).not.toContain('sha256=');
  });

  test('a secret in a header, or a password, never reaches a flow', async () => {
    const flow = await hook('Header', { scheme: 'header', secretHeader: 'X-Yard-Key' });
    expect(await problem(await post(flow.url, '{}', { 'X-Yard-Key': 'x' }))).toEqual([401, 'signature_invalid']);
    expect((await post(flow.url, '{}', { 'X-Yard-Key': flow.secret, 'X-Site': '12' })).status).toBe(200);
    const [run] = await endedRuns(flow, 1);
    const text = JSON.stringify(await client.call<RunDetail>('GET', `/api/runs/${run?.id}`));
    expect(text).toContain('x-site');
    expect(text).not.toContain(flow.secret);
  });

  test('Xero’s intent to receive: an empty 200 for the right signature, an empty 401 for the wrong one, no cookie, no run', async () => {
    const flow = await hook('Xero', { scheme: 'xero' });
    const key = Buffer.alloc(64, 5).toString('base64');
    await client.call('PUT', `/api/flows/${flow.id}/triggers/incoming/secret`, { secret: key });
    const body = '{"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"S0m3r4nd0mt3xt"}';
    for (const [secret, status] of [
      [key, 200],
      ['0123456789abcdef0123456789abcdef', 401],
    ] as const) {
      const answer = await post(flow.url, body, { 'x-xero-signature': hmac(secret, body, 'base64') });
      expect([answer.status, await answer.text(), answer.headers.get('set-cookie')]).toEqual([status, '', null]);
    }
    expect(await eventsOf(flow)).toBe(0);
    const news = '{"events":[{"resourceId":"1"}],"firstEventSequence":1,"lastEventSequence":1,"entropy":"X"}';
    expect((await post(flow.url, news, { 'x-xero-signature': hmac(key, news, 'base64') })).status).toBe(200);
    await endedRuns(flow, 1);
  });

  test('Slack’s challenge is answered when it is signed, and starts nothing', async () => {
    const flow = await hook('Slack', { scheme: 'slack' });
    const send = (body: string) => {
      const time = String(seconds());
      const signature = `v0=${hmac(flow.secret, `v0:${time}:${body}`)}`;
      return post(flow.url, body, { 'X-Slack-Request-Timestamp': time, 'X-Slack-Signature': signature });
    };
    expect(await (await send('{"type":"url_verification","challenge":"c-1"}')).json()).toEqual({ challenge: 'c-1' });
    expect((await post(flow.url, '{"type":"url_verification","challenge":"c-1"}')).status).toBe(401);
    const event = '{"type":"event_callback","event_id":"Ev1"}';
    expect(await (await send(event)).json()).toMatchObject({ duplicate: false });
    expect(await (await send('{"type":"event_callback","event_id":"Ev1","retry":1}')).json()).toMatchObject({
      duplicate: true,
    });
    expect(await eventsOf(flow)).toBe(1);
  });

  test('Twilio posts a form to the address it was given, and signs both', async () => {
    const flow = await hook('Twilio', { scheme: 'twilio' });
    const form = 'From=%2B15550199&Body=On+my+way';
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const sign = (text: string) => createHmac('sha1', flow.secret).update(text).digest('base64');
    const signature = sign(`${flow.url}?site=12BodyOn my wayFrom+15550199`);
    expect((await post(`${flow.url}?site=12`, form, { ...type, 'X-Twilio-Signature': signature })).status).toBe(200);
    expect((await post(`${flow.url}?site=13`, form, { ...type, 'X-Twilio-Signature': signature })).status).toBe(401);
    const [run] = await endedRuns(flow, 1);
    const { event } = await client.call<RunDetail>('GET', `/api/runs/${run?.id}`);
    expect(event?.data).toMatchObject({ query: { site: '12' }, body: { From: '+15550199', Body: 'On my way' } });
  });
});

describe('a secret that is changed', () => {
  const replace = (flow: WebhookFlow, body: object = {}) =>
    client.call<WebhookSecret>('PUT', `/api/flows/${flow.id}/triggers/incoming/secret`, body);

  test('works on for a day beside the new one, and not a moment longer', async () => {
    const flow = await hook('Rotates');
    const { secret, previousUntil } = await replace(flow);
    expect(secret).not.toBe(flow.secret);
    expect(Date.parse(previousUntil ?? '') - Date.now()).toBeGreaterThan(23.9 * 3_600_000);
    expect((await trigger(flow))?.webhook?.previousUntil).toBe(previousUntil);
    expect((await postSigned({ ...flow, secret }, 'new', {})).status).toBe(200);
    expect((await flow.post('old', {})).status).toBe(200);
    await up.owner.query(`update subscriptions set previous_secret_until = now() where flow_id = $1`, [flow.id]);
    await until('the old one to be refused', async () => (await flow.post('late', {})).status === 401);
    expect((await postSigned({ ...flow, secret }, 'newer', {})).status).toBe(200);
    expect((await trigger(flow))?.webhook?.previousUntil).toBeUndefined();
  });

  test('may be the one the sender gave, when nobody can guess it', async () => {
    const flow = await hook('Given', { scheme: 'hmac', signatureHeader: 'X-Sig' });
    for (const secret of ['short', 'with blanks in it 123456'])
      await expect(replace(flow, { secret })).rejects.toThrow(/invalid_input/);
    const given = 'verifier-0f1e2d3c-of-the-sender';
    await replace(flow, { secret: given });
    const body = '{"n":1}';
    expect((await post(flow.url, body, { 'X-Sig': hmac(given, body) })).status).toBe(200);
  });
});

describe('what is posted', () => {
  const signed = (flow: WebhookFlow, body: string | Uint8Array) => ({ 'X-Sig': hmac(flow.secret, body) });

  test.each([
    ['form', 'application/x-www-form-urlencoded', 'lot=7&lot=8&by=Ann', { lot: ['7', '8'], by: 'Ann' }],
    ['text', 'text/plain; charset=utf-8', 'Lot 7 done ✓', 'Lot 7 done ✓'],
    ['xml', 'text/xml', '<lot n="7"/>', '<lot n="7"/>'],
  ])('%s reaches the flow where the trigger says so, and nowhere else', async (kind, type, body, seen) => {
    const flow = await hook(`Takes ${kind}`, { scheme: 'hmac', signatureHeader: 'X-Sig', body: kind });
    expect((await post(flow.url, body, { ...signed(flow, body), 'Content-Type': type })).status).toBe(200);
    const [run] = await endedRuns(flow, 1);
    const { event } = await client.call<RunDetail>('GET', `/api/runs/${run?.id}`);
    expect(event?.data).toMatchObject({ body: seen });
    const json = await hook(`Takes no ${kind}`, { scheme: 'hmac', signatureHeader: 'X-Sig' });
    const answer = await post(json.url, body, { ...signed(json, body), 'Content-Type': type });
    expect(await problem(answer)).toEqual([415, 'unsupported_media_type']);
  });

  test.each([
    ['no type', {}, '{}', [415, 'unsupported_media_type']],
    ['another charset', { 'Content-Type': 'application/json; charset=utf-7' }, '{}', [415, 'unsupported_media_type']],
    ['two types', { 'Content-Type': 'application/json, text/plain' }, '{}', [415, 'unsupported_media_type']],
    ['no JSON', { 'Content-Type': 'application/json' }, '{"a":', [400, 'json_invalid']],
    ['65 levels', { 'Content-Type': 'application/json' }, '['.repeat(10_000), [400, 'json_too_deep']],
    ['a number beyond all', { 'Content-Type': 'application/json' }, '{"e":1e400}', [422, 'number_not_finite']],
    ['too many keys', { 'Content-Type': 'application/json' }, `[${'1,'.repeat(300_000)}1]`, [400, 'json_too_large']],
    ['__proto__', { 'Content-Type': 'application/json' }, '{"__proto__":{"a":1}}', [400, 'json_invalid']],
    ['NUL', { 'Content-Type': 'application/json' }, '{"a":"\\u0000"}', [422, 'unsupported_character']],
  ] as const)('%s is refused with a code', async (_, headers, body, expected) => {
    const flow = await hook('Strict', { scheme: 'hmac', signatureHeader: 'X-Sig' });
    const bytes = new Uint8Array(Buffer.from(body));
    const answer = await fetch(flow.url, {
      method: 'POST',
      headers: { ...signed(flow, bytes), ...headers },
      body: bytes,
    });
    expect(await problem(answer)).toEqual(expected);
    expect(await eventsOf(flow)).toBe(0);
  });

  test('too much, and compressed, is refused', async () => {
    const flow = await hook('Big');
    expect(await problem(await post(flow.url, 'x'.repeat(10 * 1024 * 1024 + 1)))).toEqual([413, 'payload_too_large']);
    for (const encoding of ['gzip', 'br, gzip, gzip'])
      expect(
        await problem(await post(flow.url, new Uint8Array(gzipSync('{}')), { 'Content-Encoding': encoding })),
      ).toEqual([415, 'unsupported_media_type']);
  });

  test.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    '%s gets 405 and is told what is taken',
    async (method) => {
      const flow = await hook(`Only posts, no ${method}`);
      const answer = await fetch(flow.url, { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    },
  );

  test.each([
    ['both lengths', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n'],
    ['a folded header', 'X-A: 1\r\n folded\r\nContent-Length: 2\r\n'],
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 3\r\n'],
  ])('a request with %s is no request', async (_, headers) => {
    const { hostname, port, pathname } = new URL((await hook('Raw')).url);
    const socket = connect(Number(port), hostname);
    socket.write(`POST ${pathname} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n{}`);
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString().split('\r\n')[0]).toMatch(/ 400 /);
    socket.destroy();
  });

  test('a chunk whose lines end in LF alone is no chunk', async () => {
    const flow = await hook('Raw chunk');
    const { hostname, port, pathname } = new URL(flow.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST ${pathname} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n`,
    );
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString().split('\r\n')[0]).toMatch(/ 400 /);
    expect(await eventsOf(flow)).toBe(0);
    socket.destroy();
  });
});

describe('a flood', () => {
  test('at one address is told to wait; the others go on', async () => {
    const [flooded, calm] = [await hook('Flooded', { perMinute: 5 }), await hook('Calm')];
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => flooded.post(`f-${n}`, { n })));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array.from({ length: 5 }, () => 200), ...Array.from({ length: 7 }, () => 429)]);
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await calm.post('c-1', {})).status).toBe(200);
  });
});

describe('flows that call each other', () => {
  test('a chain of eight is taken, a longer one is a circle', async () => {
    const flow = await hook('Chained');
    const at = (depth: string) => {
      const body = Buffer.from(`{"depth":"${depth}"}`);
      const headers = signStandardWebhook({ secret: flow.secret, id: `d-${depth}`, timestamp: seconds(), body });
      return post(flow.url, body, { ...headers, 'Plumbline-Depth': depth });
    };
    expect((await at('8')).status).toBe(200);
    expect(await problem(await at('9'))).toEqual([508, 'loop_detected']);
    const [run] = await endedRuns(flow, 1);
    const { event } = await client.call<RunDetail>('GET', `/api/runs/${run?.id}`);
    expect(event?.data).toMatchObject({ headers: { 'plumbline-depth': '8' } });
  });
});

test('the command of every scheme is one that the address takes', async () => {
  const { execFile } = await import('node:child_process');
  const { promisify } = await import('node:util');
  for (const scheme of [
    'standard',
    'hmac',
    'header',
    'basic',
    'stripe',
    'github',
    'intuit',
    'procore',
    'slack',
    'twilio',
  ]) {
    const flow = await hook(`Curl ${scheme}`, { scheme, ...(scheme === 'hmac' ? { timestampHeader: 'X-Time' } : {}) });
    const { curl } = await client.call<WebhookSecret>('POST', `/api/flows/${flow.id}/triggers/incoming/secret`);
    const { stdout } = await promisify(execFile)('sh', ['-c', curl]);
    expect(JSON.parse(stdout), scheme).toMatchObject({ accepted: true, duplicate: false });
    expect((await trigger(flow))?.webhook?.curl, scheme).not.toContain(flow.secret);
  }
});
