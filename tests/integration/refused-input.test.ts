import { randomUUID } from 'node:crypto';
import type { EntityInfo, FlowDetail, Page, Problem, RecordRow, RunSummary } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
let ordinary: WebhookFlow;
let flow: FlowDetail;
beforeAll(async () => {
  up = await testPlatform();
  client = await up.client();
  ordinary = await publishWebhookFlow(client, 'Ordinary', {
    params: {},
    connections: {},
    nodes: { incoming: node('core.webhook', 'Delivery'), take: node('core.map', 'Take', { value: '=trigger' }) },
    edges: line('incoming', 'take'),
  });
  flow = await client.call<FlowDetail>('GET', `/api/flows/${ordinary.id}`);
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
});

const NUL = 'x\u0000y';
const HALF = 'half \ud800';
const place = (text: string) => Buffer.from(text).toString('base64url');
const told = async (answer: Response) => {
  const { code, path } = (await answer.json()) as Problem;
  return { status: answer.status, code, path };
};

describe('a character that cannot be stored is told of, with the place where it stands', () => {
  const file = (name: string) => JSON.stringify({ format: 'plumbline-flow/1', name, description: '' });
  const body: readonly (readonly [string, string, (text: string) => unknown, string])[] = [
    ['POST', '/api/flows', (name) => ({ name }), 'name'],
    ['PUT', '/api/flows/:id/draft', (name) => ({ name, document: flow.draft }), 'name'],
    ['POST', '/api/flows/:id/publish', (note) => ({ note }), 'note'],
    ['POST', '/api/flows/import', (name) => ({ text: file('Ordinary'), name, dryRun: false }), 'name'],
    ['POST', '/api/queue/drop', (q) => ({ choice: { q }, reason: '', dryRun: true }), 'choice.q'],
    ['POST', '/api/queue/drop', (reason) => ({ choice: { q: 'a' }, reason, dryRun: true }), 'reason'],
    ['POST', '/api/queue/first', (kind) => ({ kind, key: 'k' }), 'kind'],
    ['POST', `/api/tasks/${randomUUID()}/decide`, (comment) => ({ outcome: 'approve', comment }), 'comment'],
    ['PUT', '/api/flows/:id/pins/a', (text) => ({ output: { [text]: 1 } }), 'output'],
  ];
  test.each(body)('%s %s', async (method, address, given, path) => {
    for (const text of [NUL, HALF])
      expect(await told(await client.fetch(method, address.replace(':id', flow.id), given(text)))).toEqual({
        ...{ status: 422, code: 'unsupported_character', path },
      });
  });

  test.each(['q', 'code'])('GET /api/runs?%s', async (name) => {
    expect(await told(await client.fetch('GET', `/api/runs?${name}=a%00`))).toEqual({
      ...{ status: 422, code: 'unsupported_character', path: name },
    });
  });

  test('and a name in a file of a flow is no way around', async () => {
    const exported = await client.call<{ text: string }>('GET', `/api/flows/${flow.id}/export`);
    const text = exported.text.replace('"Ordinary"', JSON.stringify(NUL));
    for (const dryRun of [true, false])
      expect(await told(await client.fetch('POST', '/api/flows/import', { text, dryRun }))).toMatchObject({
        ...{ status: 422, code: 'unsupported_character' },
      });
  });

  test('in an address it is the address of nothing', async () => {
    for (const address of [`/api/flows/${flow.id}/pins/%00`, '/hooks/a%00'])
      expect(await told(await client.fetch(address.startsWith('/api') ? 'DELETE' : 'POST', address))).toMatchObject({
        ...{ status: 404, code: 'not_found' },
      });
  });

  test('everything else is taken as it is', async () => {
    const name = 'Zoë \u202eesrever\u202c 👷🏽‍♀️ \uffff Z̸';
    expect((await client.call<FlowDetail>('POST', '/api/flows', { name })).name).toBe(name);
  });
});

describe('refused is a number or a place that cannot be one', () => {
  test.each(['/api/runs?version=99999999999', '/api/flows/:id/export?version=2147483648'])('%s', async (address) => {
    expect(await told(await client.fetch('GET', address.replace(':id', flow.id)))).toMatchObject({
      ...{ status: 422, code: 'invalid_input', path: 'version' },
    });
  });

  test('the address of a version has none either', async () => {
    const answer = await client.fetch('GET', `/api/flows/${flow.id}/versions/99999999999`);
    expect(await told(answer)).toMatchObject({ status: 404, code: 'not_found' });
  });

  const id = randomUUID();
  test.each([
    'zzz',
    place(`2026-01-01|${'-'.repeat(36)}`),
    place(`2026-01-01T00:00:00.000Z|${'-'.repeat(36)}`),
    place(`2026-02-30T00:00:00.000000Z|${id}`),
    place(`next Z|${id}`),
    place(`2026-01-01T00:00:00.000000Z|${id}|${id}`),
  ])('the place %s in the list of runs and of tasks', async (cursor) => {
    for (const list of ['runs', 'tasks'])
      expect(await told(await client.fetch('GET', `/api/${list}?cursor=${cursor}`))).toEqual({
        ...{ status: 422, code: 'invalid_input', path: 'cursor' },
      });
  });

  test.each([['2026', '-'.repeat(36)], ['2026-02-30 00:00:00+00', id], 'zzz'])(
    'the place %s in a list of records',
    async (...given) => {
      const cursor = place(JSON.stringify(given));
      const [entity] = await client.call<EntityInfo[]>('GET', '/api/records');
      expect(await told(await client.fetch('GET', `/api/records/${entity?.id}?cursor=${cursor}`))).toMatchObject({
        ...{ status: 422, code: 'invalid_input' },
      });
    },
  );

  test('the places that lists themselves give lead on', async () => {
    for (let index = 0; index < 51; index++) await ordinary.post(`many-${index}`, { index });
    const first = await until('more runs than a page holds', async () => {
      const page = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`);
      return page.next !== undefined && page;
    });
    const rest = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}&cursor=${first.next}`);
    expect(rest.items).toHaveLength(1);
    const { rows } = await up.owner.query<{ entity: string }>(
      'select entity from records group by entity having count(*) > 50 limit 1',
    );
    const records = `/api/records/${rows[0]?.entity}`;
    const page = await client.call<Page<RecordRow>>('GET', records);
    const next = await client.call<Page<RecordRow>>('GET', `${records}?cursor=${page.next}`);
    expect(next.items.length).toBeGreaterThan(0);
    expect(page.items.map((row) => row.id)).not.toContain(next.items[0]?.id);
  });
});

test('what is nested without end is refused, and as deep as a delivery may be it is taken', async () => {
  const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
  const skip = (depth: number) =>
    client.fetch('POST', `/api/runs/${randomUUID()}/steps/a/decide`, { action: 'skip', output: nested(depth) });
  expect(await told(await skip(3_000))).toEqual({ status: 400, code: 'json_too_deep', path: 'output' });
  expect(await told(await skip(64))).toMatchObject({ status: 404, code: 'not_found' });
});
