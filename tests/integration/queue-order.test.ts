import type { Page, Problem, Queue, RunSummary } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAccountsTie } from '../support/ledger.ts';
import { startMockVendor, type MockVendor } from '../support/mock-vendor.ts';
import { person } from '../support/person.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { secondCompany } from '../support/second-company.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

/** More than a dispatcher takes at once, so that those at the end have to wait for another turn. */
const MANY = 400;

let up: TestPlatform;
let vendor: MockVendor;
let client: StudioClient;
let flood: WebhookFlow;
let late: WebhookFlow;
beforeAll(async () => {
  vendor = await startMockVendor();
  // So slow that runs pile up, and those that have not begun wait for room.
  vendor.behave({ slowMs: 300 });
  up = await testPlatform({ PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: vendor.origin });
  client = await up.client();
  [flood, late] = [await publish('Flood'), await publish('Late')];
});
afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
  await vendor?.[Symbol.asyncDispose]();
});

const publish = (name: string) =>
  publishWebhookFlow(client, name, {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'Delivery'),
      read: node('core.http-request', 'Read', { method: 'GET', url: `${vendor.origin}/read/1` }),
    },
    edges: line('incoming', 'read'),
  });
const keyOf = (flow: WebhookFlow) => new URL(flow.url).pathname.replace('/hooks/', '');
const first = (body: unknown, by = client) => by.fetch('POST', '/api/queue/first', body);
const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as Problem).code];
const pending = async () => (await client.call<Queue>('GET', '/api/queue')).pending;

/** Events that wait until they are let go, in the order of their numbers. */
async function hold(flow: WebhookFlow, count: number): Promise<void> {
  await up.owner.query(
    `insert into events (company_id, kind, key, dedupe_key, data, next_attempt_at)
     select company_id, 'webhook', key, 'held:' || n || ':' || gen_random_uuid(), jsonb_build_object('body', jsonb_build_object('n', n)), now() + interval '1 hour'
       from subscriptions cross join generate_series(1, $2::int) n where key = $1 order by n`,
    [keyOf(flow), count],
  );
}
const letGo = () => up.owner.query(`update events set next_attempt_at = now() where status = 'pending'`);

/** Where the runs of one flow stand among all that began since the last time: in the order in which their turn came, and in which they started. */
async function places(flow: WebhookFlow, count: number) {
  await until(`${count} runs to end`, async () => {
    const { rowCount } = await up.owner.query('select from runs where finished_at is not null and id <> all($1)', [
      [...counted],
    ]);
    return rowCount === count;
  });
  const { rows } = await up.owner.query<{ id: string; flow_id: string; turn: number; start: number }>(
    `select runs.id, flow_id, rank() over (order by events.dispatched_at)::int as turn,
            rank() over (order by runs.started_at)::int as start
       from runs join events on events.company_id = runs.company_id and events.id = runs.event_id
      where runs.id <> all($1) order by turn, start`,
    [[...counted]],
  );
  expect(rows).toHaveLength(count);
  for (const { id } of rows) counted.add(id);
  return rows.filter(({ flow_id }) => flow_id === flow.id).map(({ turn, start }) => ({ turn, start }));
}
const counted = new Set<string>();

test('what came last has its turn last', async () => {
  await hold(flood, MANY);
  await hold(late, 3);
  expect((await pending()).map(({ key }) => key)).toEqual([keyOf(flood), keyOf(late)]);
  await letGo();
  for (const { turn, start } of await places(late, MANY + 3)) {
    expect(turn).toBeGreaterThan(MANY / 2);
    expect(start).toBeGreaterThan(MANY / 2);
  }
});

test('what is put first has its turn first, and starts before those that came long before it', async () => {
  await hold(flood, MANY);
  await hold(late, 3);
  expect(await (await first({ kind: 'webhook', key: keyOf(late) })).json()).toEqual({ count: 3 });
  // What comes of the same kind afterwards has its usual place.
  await hold(late, 1);
  expect(await pending()).toMatchObject([
    { key: keyOf(late), first: true, count: 4, flows: ['Late'] },
    { key: keyOf(flood), first: false, count: MANY, flows: ['Flood'] },
  ]);
  await letGo();
  const [usual, ...put] = (await places(late, MANY + 4)).reverse();
  expect(put.map(({ turn }) => turn)).toEqual([1, 1, 1]);
  // Those that are taken with it, a hundred and the twenty that waited longest, start at the same time.
  for (const { start } of put) expect(start).toBeLessThanOrEqual(120);
  expect(usual?.turn).toBeGreaterThan(MANY / 2);
  const { rows } = await up.owner.query<{ actor: string; details: object }>(
    `select actor, details from audit_log where action = 'events.put_first'`,
  );
  expect(rows).toEqual([{ actor: 'Dana Hartwell', details: { kind: 'webhook', count: 3 } }]);
  await expectAccountsTie(up);
});

test('what does not wait cannot be put first, and neither can what is another company’s', async () => {
  await hold(late, 1);
  const there = { kind: 'webhook', key: keyOf(late) };
  const outsider = await secondCompany(up);
  const calls = [
    first({ kind: 'webhook', key: 'nobody' }),
    first({ kind: 'schedule', key: keyOf(late) }),
    first({ kind: 'webhook', key: keyOf(flood) }),
    first(there, outsider),
  ];
  for (const call of calls) expect(await codeOf(await call)).toEqual([404, 'not_found']);
  for (const body of [{}, { kind: 'webhook' }, { kind: 'x'.repeat(21), key: 'k' }, { kind: 'webhook', key: 7 }, []])
    expect(await codeOf(await first(body)), JSON.stringify(body)).toEqual([422, 'invalid_input']);
  expect(await codeOf(await first({ ...there, ids: [] }))).toEqual([422, 'unknown_field']);
  expect(await pending()).toMatchObject([{ key: keyOf(late), first: false }]);
});

test('whoever only looks on may not', async () => {
  const vic = await person(up, 'Vic', 'viewer');
  const body = { kind: 'webhook', key: keyOf(late) };
  expect(await codeOf(await first(body, vic))).toEqual([403, 'forbidden']);
  expect(await pending()).toMatchObject([{ key: keyOf(late), first: false }]);
  const ben = await person(up, 'Ben', 'builder');
  expect((await first(body, ben)).status).toBe(200);
  expect(await pending()).toMatchObject([{ key: keyOf(late), first: true }]);
  await letGo();
  await until('it to begin', async () => {
    const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${late.id}`);
    return items.filter(({ status }) => status === 'succeeded').length === 8;
  });
});
