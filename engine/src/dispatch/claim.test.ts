import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../db/src/testing.ts';
import { listPending, putFirst } from '../runs/pending-events.ts';
import { claimEvents } from './claim.ts';

let database: TestDatabase;
let companyId: string;
beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(async () => {
  companyId = await database.company();
});
afterAll(() => database.close());

async function arrive(kind: string, key: string, count: number): Promise<void> {
  await database.asOwner(
    `insert into events (company_id, kind, key, dedupe_key, data) select $1, $2, $3, gen_random_uuid()::text, '{}' from generate_series(1, $4::int) n`,
    [companyId, kind, key, count],
  );
}
/** Takes one batch. Nobody listens, so what it took is ignored, and says when. @returns how many of each key were taken */
async function claim(limit: number, now = new Date()): Promise<Record<string, number>> {
  const before = await waiting();
  await claimEvents({
    store: database.store,
    evaluator: undefined as never,
    companyId,
    limit,
    runsPerCarrier: 50,
    now,
  });
  const after = await waiting();
  return Object.fromEntries(
    Object.entries(before)
      .map(([key, count]) => [key, count - (after[key] ?? 0)] as const)
      .filter(([, taken]) => taken > 0),
  );
}
async function waiting(): Promise<Record<string, number>> {
  const pending = await database.store.tenant(companyId, (tx) => listPending(tx, companyId));
  return Object.fromEntries(pending.map(({ key, count }) => [key, count]));
}
const first = (kind: string, key: string) =>
  database.store.tenant(companyId, (tx) => putFirst(tx, { companyId, actor: 'Dana' }, { kind, key }));

describe('of the events that wait', () => {
  test('what a person started goes before a flood that came earlier, and what was due anyway after it', async () => {
    await arrive('schedule', 'nightly', 40);
    await arrive('webhook', 'flood', 100);
    await arrive('manual', 'button', 1);
    // Of those that wait longest a fifth as many come along.
    expect(await claim(50)).toEqual({ button: 1, flood: 49, nightly: 10 });
  });

  test('none waits for ever behind a flood that does not end', async () => {
    await arrive('schedule', 'nightly', 5);
    for (let round = 0; round < 5; round++) {
      await arrive('webhook', 'flood', 10);
      await claim(5);
    }
    expect((await waiting())['nightly']).toBeUndefined();
  });

  test('those that somebody put first go before all others; later ones take their usual place', async () => {
    await arrive('webhook', 'flood', 100);
    await arrive('schedule', 'urgent', 3);
    expect(await first('schedule', 'urgent')).toBe(3);
    await arrive('schedule', 'urgent', 2);
    const [head] = await database.store.tenant(companyId, (tx) => listPending(tx, companyId));
    expect(head).toMatchObject({ key: 'urgent', count: 5, first: true });
    expect(await claim(10)).toEqual({ urgent: 3, flood: 7 });
  });

  test('none waits for a clock of ours that is behind the one of the database', async () => {
    await arrive('webhook', 'early', 3);
    expect(await claim(10, new Date(Date.now() - 3_600_000))).toEqual({ early: 3 });
  });

  test('none can be put first that does not wait', async () => {
    await expect(first('webhook', 'nobody')).rejects.toThrow(/no such event/);
  });
});
