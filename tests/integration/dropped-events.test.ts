import type {
  Accounting,
  DropOutcome,
  DropRequest,
  EventDrop,
  Page,
  Problem,
  RunSummary,
} from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
let flow: WebhookFlow;
let key: string;
beforeAll(async () => {
  up = await testPlatform();
  client = await up.client();
  flow = await publishWebhookFlow(client, 'Takes deliveries', {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'Delivery'),
      after: node('core.map', 'Afterwards', { value: '=trigger.body.n' }),
    },
    edges: line('incoming', 'after'),
  });
  const { rows } = await up.owner.query<{ key: string }>('select key from subscriptions where flow_id = $1', [flow.id]);
  key = rows[0]?.key ?? '';
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
});

/** Events that wait: their next look is an hour away, as for those that are held back. */
async function held(numbers: readonly number[]): Promise<string[]> {
  const { rows } = await up.owner.query<{ id: string }>(
    `insert into events (company_id, kind, key, dedupe_key, data, next_attempt_at)
     select company_id, 'webhook', $1, 'held:' || n || ':' || gen_random_uuid(), jsonb_build_object('body', jsonb_build_object('n', n, 'token', 'hush')), now() + interval '1 hour'
       from subscriptions, unnest($2::int[]) n where key = $1 returning id`,
    [key, numbers],
  );
  return rows.map(({ id }) => id);
}
const due = () => up.owner.query(`update events set next_attempt_at = now() where status = 'pending'`);
const drop = (request: Partial<DropRequest>) =>
  client.call<DropOutcome>('POST', '/api/queue/drop', { choice: { kind: 'webhook', key }, dryRun: false, ...request });
const accounts = () => client.call<Accounting>('GET', '/api/health/accounting');
async function refused(path: string, body?: unknown): Promise<Problem> {
  const answer = await client.fetch('POST', path, body);
  expect(answer.ok).toBe(false);
  return (await answer.json()) as Problem;
}
const runs = async () => (await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`)).items;

test('one, some, or all of a filter are looked at first, dropped for a reason, and stay in the accounts', async () => {
  const ids = await held([1, 2, 3, 41, 42]);
  const before = await accounts();
  const look = await drop({ choice: { kind: 'webhook', key, q: '"n": 4' }, dryRun: true });
  expect(look).toMatchObject({ count: 2, left: 0, drop: null, events: [{ kind: 'webhook', key }, {}] });
  expect(look.events[0]?.excerpt).toContain('"n":41');
  expect(look.events[0]?.excerpt).not.toContain('hush');
  expect(await refused('/api/queue/drop', { choice: { ids }, dryRun: false })).toMatchObject({ path: 'reason' });
  expect((await accounts()).events).toEqual(before.events);
  // One comes after the look, and is left alone.
  await held([49]);
  const many = await drop({ choice: { kind: 'webhook', key, q: '"n": 4' }, reason: 'Sent twice', upTo: look.upTo });
  expect(many).toMatchObject({
    count: 2,
    left: 0,
    drop: { reason: 'Sent twice', count: 2, droppedBy: 'Dana Hartwell' },
  });
  const one = await drop({ choice: { ids: [ids[0] ?? ''] }, reason: 'A test' });
  expect(one.count).toBe(1);
  expect(await accounts()).toMatchObject({
    ties: true,
    events: {
      ties: true,
      acknowledged: before.events.acknowledged + 1,
      dropped: before.events.dropped + 3,
      pending: before.events.pending - 2,
    },
  });
  const { rows } = await up.owner.query(
    `select details from audit_log where action = 'events.dropped' order by number`,
  );
  expect(rows).toMatchObject([{ details: { reason: 'Sent twice', count: 2 } }, { details: { reason: 'A test' } }]);
  // What is dropped does not begin.
  await due();
  await until('the others', async () => ((await runs()).length === 3 ? true : undefined));
  expect(await accounts()).toMatchObject({ ties: true, events: { dropped: before.events.dropped + 3, pending: 0 } });
});

test('what has begun is never dropped, whoever asks', async () => {
  const [id] = await held([7]);
  await due();
  await until('its run', async () =>
    (await up.owner.query('select 1 from runs where event_id = $1', [id])).rowCount ? true : undefined,
  );
  expect(await refused('/api/queue/drop', { choice: { ids: [id] }, reason: 'Too late', dryRun: false })).toMatchObject({
    code: 'not_found',
  });
  // Not even the owner of the tables.
  const made = `with d as (insert into event_drops (company_id, reason, chosen, count, dropped_by, dropped_at)
    select company_id, 'x', '{}', 1, 'x', now() from events where id = $1 returning id)
    select id from d`;
  const { rows } = await up.owner.query<{ id: string }>(made, [id]);
  await expect(
    up.owner.query(`update events set status = 'dropped', drop_id = $2 where id = $1`, [id, rows[0]?.id]),
  ).rejects.toThrow(/cannot become dropped/);
  await up.owner.query('delete from event_drops where id = $1', [rows[0]?.id]);
});

test('an event that is taken up and dropped at the same moment is one of the two', async () => {
  for (let round = 0; round < 5; round++) {
    const ids = await held(Array.from({ length: 20 }, (_, n) => 1_000 + n));
    const [outcome] = await Promise.allSettled([drop({ choice: { ids }, reason: 'A race' }), due()]);
    await until('the rest', async () => ((await accounts()).events.pending === 0 ? true : undefined));
    const { rows } = await up.owner.query<{ status: string; runs: number }>(
      `select status, (select count(*)::int from runs where event_id = events.id) as runs from events where id = any($1)`,
      [ids],
    );
    const dropped = rows.filter(({ status }) => status === 'dropped');
    expect(dropped.length).toBe(outcome.status === 'fulfilled' ? outcome.value.count : 0);
    expect(dropped.every(({ runs: started }) => started === 0)).toBe(true);
    expect(rows.filter(({ status }) => status === 'dispatched').every(({ runs: started }) => started === 1)).toBe(true);
  }
  expect(await accounts()).toMatchObject({ ties: true });
});

test('what was dropped is put back within thirty days, once, and then begins', async () => {
  const ids = await held([91, 92]);
  const { drop: made } = await drop({ choice: { ids }, reason: 'By mistake' });
  const [listed] = await client.call<EventDrop[]>('GET', '/api/queue/drops');
  expect(listed).toMatchObject({ id: made?.id, count: 2, kinds: ['webhook'], putBackBy: null });
  const path = `/api/queue/drops/${made?.id}/restore`;
  await up.owner.query(`update event_drops set dropped_at = now() - interval '31 days' where id = $1`, [made?.id]);
  expect(await refused(path)).toMatchObject({ code: 'invalid_transition', detail: expect.stringContaining('30 days') });
  await up.owner.query('update event_drops set dropped_at = now() where id = $1', [made?.id]);
  expect(await client.call('POST', path)).toMatchObject({ putBackBy: 'Dana Hartwell' });
  expect(await refused(path)).toMatchObject({ code: 'invalid_transition' });
  await due();
  await until('their runs', async () => {
    const { rowCount } = await up.owner.query('select 1 from runs where event_id = any($1)', [ids]);
    return rowCount === 2 ? true : undefined;
  });
  expect(await accounts()).toMatchObject({ ties: true });
});
