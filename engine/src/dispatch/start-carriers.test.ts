import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../db/src/testing.ts';
import { reviveStanding } from '../runs/revive.ts';
import { ConfirmedCarriers, startCarriers } from './start-carriers.ts';

let database: TestDatabase;
let companyId: string;
beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(async () => {
  await database.asOwner('delete from runs', []);
  companyId = await database.company();
});
afterAll(async () => {
  await database?.close();
});

/** Runs of one carrier that were queued so long ago and are as given. */
async function runs(count: number, given: { readonly minutesAgo?: number; readonly status?: string } = {}) {
  const { minutesAgo = 60, status = 'queued' } = given;
  const [carrierId, flowId, eventId] = [randomUUID(), randomUUID(), randomUUID()];
  const at = new Date(Date.now() - minutesAgo * 60_000);
  await database.asOwner(`insert into plans (company_id, hash, plan) values ($1, 'p', '{}') on conflict do nothing`, [
    companyId,
  ]);
  await database.asOwner(
    `insert into flows (id, company_id, name, status, draft) values ($1, $2, 'Flow', 'on', '{}')`,
    [flowId, companyId],
  );
  await database.asOwner(
    `insert into events (company_id, id, kind, key, dedupe_key, data) values ($1, $2, 'manual', 'k', $3, '{}')`,
    [companyId, eventId, eventId],
  );
  const runIds = Array.from({ length: count }, () => randomUUID() as string);
  for (const [index, id] of runIds.entries())
    await database.asOwner(
      `insert into runs (company_id, id, event_id, flow_id, flow_version, plan_hash, trigger_node_id, carrier_id, lane, status, queued_at, confirmed_at)
       values ($1, $2, $3, $4, 1, 'p', $5, $6, $7, $8, $9, $10)`,
      [companyId, id, eventId, flowId, `t${index}`, carrierId, index, status, at, status === 'queued' ? null : at],
    );
  return { carrierId, runIds };
}

async function start(state: 'under way' | 'over', confirmed = new ConfirmedCarriers()) {
  const started: { readonly carrierId: string; readonly runIds: readonly string[] }[] = [];
  const carriers = {
    start: (input: (typeof started)[number]) => {
      started.push(input);
      return Promise.resolve(state);
    },
  };
  await startCarriers(
    {
      ...{ store: database.store, carriers: carriers as never, confirmed },
      ...{ log: pino({ level: 'silent' }), now: () => new Date() },
    },
    await database.dispatcher.unconfirmedRuns(new Date(), 5),
  );
  return started;
}
const carrierOf = async (runId: string) =>
  (await database.asOwner<{ carrier_id: string }>('select carrier_id from runs where id = $1', [runId]))[0]?.carrier_id;

test('a carrier is started with all its runs or not at all, however many are read at a time', async () => {
  const first = await runs(3, { minutesAgo: 20 });
  const second = await runs(4, { minutesAgo: 10 });
  expect((await start('under way')).map(({ runIds }) => [...runIds].sort())).toEqual([[...first.runIds].sort()]);
  await database.asOwner('update runs set confirmed_at = now() where carrier_id = $1', [first.carrierId]);
  expect((await start('under way')).map(({ runIds }) => [...runIds].sort())).toEqual([[...second.runIds].sort()]);
});

test('runs that outlive their carrier get another one; those that have ended do not', async () => {
  const { carrierId, runIds } = await runs(3);
  const [ended = '', ...open] = runIds;
  const read = await database.dispatcher.unconfirmedRuns(new Date(), 5);
  expect(read).toHaveLength(3);
  await database.asOwner(`update runs set status = 'succeeded', finished_at = now() where id = $1`, [ended]);
  await start('over');
  expect(await carrierOf(ended)).toBe(carrierId);
  const [one, other] = await Promise.all(open.map(carrierOf));
  expect(one).not.toBe(carrierId);
  expect(other).toBe(one);
  // The next sweep starts it, with all of them.
  expect(await start('under way')).toMatchObject([{ carrierId: one, runIds: expect.arrayContaining(open) as never }]);
});

test('a run that stands still, with nothing to wait for, has its carrier looked after; one that waits is left alone', async () => {
  const step = async (runId: string | undefined, status: string, inMinutes?: number, finishedAt?: Date) =>
    await database.asOwner(
      `insert into steps (company_id, run_id, node_id, iteration, attempt, started_at, status, next_attempt_at, finished_at)
       values ($1, $2, 's', '', 1, now() - interval '1 hour', $3, $4, $5)`,
      [
        companyId,
        runId,
        status,
        inMinutes === undefined ? null : new Date(Date.now() + inMinutes * 60_000),
        finishedAt,
      ],
    );
  const { runIds } = await runs(6, { status: 'waiting' });
  const [overdue, later, held, parked, moving, empty] = runIds;
  await step(overdue, 'waiting', -20);
  await step(later, 'waiting', 100_000);
  await step(held, 'waiting');
  await step(parked, 'parked');
  await step(moving, 'succeeded', undefined, new Date());
  expect(await reviveStanding(database.store, companyId, new Date())).toBe(2);
  const unconfirmed = await database.dispatcher.unconfirmedRuns(new Date(), 50);
  expect(unconfirmed.map(({ runId }) => runId).sort()).toEqual([overdue, empty].sort());
});
