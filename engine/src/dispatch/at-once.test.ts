import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../db/src/testing.ts';
import { eventInbox, type NewEvent } from '../ingress/event-inbox.ts';
import { AtOnce } from './at-once.ts';

let database: TestDatabase;
let companyId: string;
/** Carriers that Temporal was asked to start, and what lets it answer. */
let started: string[][];
let answer: () => void;
beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(async () => {
  companyId = await database.company();
  started = [];
});
afterAll(() => database.close());

/** A published flow that listens to a key. */
async function flow(key: string, more: { readonly filter?: string; readonly status?: string } = {}): Promise<string> {
  const flowId = randomUUID();
  await database.asOwner(
    `insert into plans (company_id, hash, plan) values ($1, 'plan', '{}') on conflict do nothing`,
    [companyId],
  );
  await database.asOwner(
    `insert into flows (id, company_id, name, status, draft, published_version) values ($1, $2, 'Flow', $3, '{}', 1)`,
    [flowId, companyId, more.status ?? 'on'],
  );
  await database.asOwner(
    `insert into flow_versions (company_id, flow_id, number, document, plan_hash) values ($1, $2, 1, '{}', 'plan')`,
    [companyId, flowId],
  );
  await database.asOwner(
    `insert into subscriptions (company_id, flow_id, node_id, kind, key, filter) values ($1, $2, 'incoming', 'manual', $3, $4)`,
    [companyId, flowId, key, more.filter ?? null],
  );
  return flowId;
}

function inbox() {
  const { promise, resolve } = Promise.withResolvers<void>();
  answer = resolve;
  const carriers = {
    start: ({ runIds }: { readonly runIds: readonly string[] }) => {
      started.push([...runIds]);
      return promise;
    },
  };
  return eventInbox(
    database.store,
    new AtOnce({
      store: database.store,
      carriers: carriers as never,
      log: pino({ level: 'silent' }),
      now: () => new Date(),
      enabled: true,
    }),
  );
}
const event = (key: string, dedupeKey: string): NewEvent => ({
  kind: 'manual',
  key,
  dedupeKey,
  data: { n: dedupeKey },
});
const stored = async () =>
  await database.asOwner<{ dedupe_key: string; status: string; runs: number; output: unknown }>(
    `select dedupe_key, events.status, count(runs.id)::int as runs, min(steps.output::text)::jsonb as output
       from events left join runs on runs.event_id = events.id left join steps on steps.run_id = runs.id
      where events.company_id = $1 group by 1, 2 order by 1`,
    [companyId],
  );

describe('an event on an idle system', () => {
  test('is stored all the same when its flow is removed at that moment', async () => {
    const flowId = await flow('k');
    // One transaction, that is held open until the event waits for it.
    const removing = database.asOwner(
      `delete from flows where id = '${flowId}';
       do $$ begin
         for n in 1 .. 400 loop
           exit when exists (select from pg_locks where not granted);
           perform pg_sleep(0.025);
           perform pg_stat_clear_snapshot();
         end loop;
       end $$`,
    );
    await vi.waitFor(async () =>
      expect(
        await database.asOwner(
          `select from pg_stat_activity where wait_event = 'PgSleep' and query like 'delete from flows%'`,
        ),
      ).not.toEqual([]),
    );
    expect(await inbox().submit(companyId, event('k', '1'))).toMatchObject({ duplicate: false });
    await removing;
    expect(await stored()).toEqual([{ dedupe_key: '1', status: 'pending', runs: 0, output: null }]);
    expect(started).toEqual([]);
  });

  test('has its runs from the moment it is stored, one for each flow, and Temporal is told', async () => {
    await flow('k');
    await flow('k');
    await flow('k', { status: 'off' });
    expect(await inbox().submit(companyId, event('k', 'a'))).toMatchObject({ duplicate: false });
    expect(await stored()).toEqual([{ dedupe_key: 'a', status: 'dispatched', runs: 2, output: { n: 'a' } }]);
    await vi.waitFor(() => expect(started).toHaveLength(2));
    answer();
  });

  test('that comes again starts nothing', async () => {
    await flow('k');
    const box = inbox();
    const answers = await Promise.all([1, 2, 3].map(() => box.submit(companyId, event('k', 'a'))));
    answer();
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(await box.submit(companyId, event('k', 'a'))).toEqual({ duplicate: true });
    expect(await stored()).toMatchObject([{ dedupe_key: 'a', runs: 1 }]);
  });

  test.each([
    ['a flow looks into it first', () => flow('k', { filter: 'trigger.n = 1' })],
    ['no flow that is on listens', () => flow('k', { status: 'off' })],
    ['nobody listens at all', () => flow('other')],
  ])('is left to the dispatcher where %s', async (_, prepare) => {
    await prepare();
    await inbox().submit(companyId, event('k', 'a'));
    expect(await stored()).toMatchObject([{ status: 'pending', runs: 0 }]);
    expect(started).toEqual([]);
  });
});

describe('events are gathered for the dispatcher', () => {
  test('while others are in line before them, unless those wait for a time', async () => {
    await flow('k');
    const ahead = async (dueIn: string) =>
      await database.asOwner(
        `insert into events (company_id, kind, key, dedupe_key, data, next_attempt_at)
         values ($1, 'manual', 'other', $2, '{}', now() + $3::interval)`,
        [companyId, randomUUID(), dueIn],
      );
    await ahead('1 hour');
    await inbox().submit(companyId, event('k', 'a'));
    answer();
    await ahead('0 hours');
    await inbox().submit(companyId, event('k', 'b'));
    expect((await stored()).filter(({ dedupe_key: key }) => 'ab'.includes(key))).toMatchObject([
      { status: 'dispatched', runs: 1 },
      { status: 'pending', runs: 0 },
    ]);
  });

  test('while Temporal has not confirmed the last ones', async () => {
    await flow('k');
    const box = inbox();
    await box.submit(companyId, event('k', 'a'));
    await box.submit(companyId, event('k', 'b'));
    expect((await stored()).map(({ status }) => status)).toEqual(['dispatched', 'pending']);
    answer();
    await vi.waitFor(
      async () => {
        await database.asOwner(`update events set status = 'ignored' where status = 'pending'`, []);
        await box.submit(companyId, event('k', randomUUID()));
        expect((await stored()).filter(({ status }) => status === 'dispatched')).toHaveLength(2);
      },
      { interval: 150 },
    );
  });

  test('but not while it is another company’s that Temporal has not confirmed', async () => {
    await flow('k');
    const box = inbox();
    await box.submit(companyId, event('k', 'a'));
    companyId = await database.company();
    await flow('k');
    await box.submit(companyId, event('k', 'a'));
    expect(await stored()).toMatchObject([{ status: 'dispatched', runs: 1 }]);
    answer();
  });

  test('when many come at once', async () => {
    await flow('k');
    const box = inbox();
    await Promise.all(Array.from({ length: 20 }, (_, index) => box.submit(companyId, event('k', String(index)))));
    expect((await stored()).every(({ status }) => status === 'pending')).toBe(true);
  });
});
