import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../db/src/testing.ts';
import { cursorAfter, findRuns, type RunFilter } from './find-runs.ts';
import { gatherReferences } from './reference-keeper.ts';

let database: TestDatabase;
let companyId: string;
let flowId: string;
const record = randomUUID();
const runs: Record<string, string> = {};

beforeAll(async () => {
  database = await testDatabase();
  companyId = await database.company();
  [{ id: flowId } = { id: '' }] = await database.asOwner<{ id: string }>(
    `insert into flows (company_id, name, status, draft) values ($1, 'Approved invoice', 'on', '{}') returning id`,
    [companyId],
  );
  await database.asOwner(`insert into plans (company_id, hash, plan) values ($1, 'p', '{}')`, [companyId]);
  await addRun('billed', { number: 'INV-1', vendorName: 'Ridge Framing', token: 'hush-hush' }, { id: 'bill-7' });
  await addRun('failed', { number: 'INV-12', vendorName: 'Ridge Concrete' }, undefined, 'failed');
  await addRun('parked', { number: 'INV-13', vendorName: 'Valley Drywall' }, { id: 'bill-8' }, 'parked');
  await gatherReferences(database.store, companyId);
});
afterAll(() => database.close());

async function addRun(
  name: string,
  about: object,
  answer?: object,
  status = 'succeeded',
  at = new Date(),
): Promise<void> {
  const [id, eventId] = [randomUUID(), randomUUID()];
  runs[name] = id;
  const error = { kind: 'closed_period', code: 'closed_period', message: '' };
  await database.asOwner(
    `insert into events (id, company_id, kind, key, dedupe_key, subject_entity, subject_id, data, status)
     values ($1, $2, 'record', 'vendor_invoice.approved', $1::uuid::text, 'vendor_invoice', $3, $4, 'dispatched')`,
    [eventId, companyId, name === 'billed' ? record : null, { record: about }],
  );
  await database.asOwner(
    `insert into runs (id, company_id, flow_id, flow_version, plan_hash, event_id, trigger_node_id, carrier_id, lane, status, error, queued_at, finished_at)
     values ($1, $2, $3, $4, 'p', $5, 't', 'c', 0, $6, $7, $8, $9)`,
    [
      id,
      companyId,
      flowId,
      name === 'parked' ? 2 : 1,
      eventId,
      status,
      status === 'failed' ? error : null,
      at,
      status === 'parked' || status === 'waiting' ? null : at,
    ],
  );
  await database.asOwner(
    `insert into steps (company_id, run_id, node_id, status, attempt, output, started_at) values ($1, $2, 'bill', 'succeeded', 1, $3, now())`,
    [companyId, id, answer ?? {}],
  );
  if (status === 'parked')
    await database.asOwner(
      `insert into steps (company_id, run_id, node_id, status, attempt, error, started_at) values ($1, $2, 'next', 'parked', 1, $3, now())`,
      [companyId, id, error],
    );
}

const nameOf = (id: string) => Object.entries(runs).find(([, run]) => run === id)?.[0];
const find = async (filter: Omit<RunFilter, 'companyId'>) => {
  const found = await database.store.tenant(companyId, (tx) => findRuns(tx, { companyId, ...filter }));
  return found.map(({ id }) => nameOf(id)).sort();
};

describe('a run is found', () => {
  test.each([
    ['the number of what it is about', 'INV-1', ['billed', 'failed', 'parked']],
    ['all of that number, in any case', 'inv-13', ['parked']],
    ['what a vendor called the thing', 'bill-7', ['billed']],
    ['what a vendor answered before it was parked', 'bill-8', ['parked']],
    ['words of a name', 'ridge framing', ['billed']],
    ['the flow’s name', 'approved', ['billed', 'failed', 'parked']],
    ['nothing it had', 'bill-9', []],
    ['a secret that came with it', 'hush-hush', []],
    ['what looks like a pattern', '%', []],
  ])('by %s: %s', async (_, q, expected) => expect(await find({ q })).toEqual(expected));

  test('by its id, or as much of it as pages show', async () => {
    expect(await find({ q: runs['failed'] ?? '' })).toEqual(['failed']);
    expect(await find({ q: runs['failed']?.slice(0, 8) ?? '' })).toEqual(['failed']);
  });

  test('by the id of the event that started it', async () => {
    const [row] = await database.asOwner<{ event_id: string }>('select event_id from runs where id = $1', [
      runs['billed'],
    ]);
    expect(await find({ q: row?.event_id ?? '' })).toEqual(['billed']);
  });

  test('by the code it failed with, or waits with', async () =>
    expect(await find({ code: 'closed_period' })).toEqual(['failed', 'parked']));

  test('by its version, by whether it is open, by the record it is about', async () => {
    expect(await find({ flowId, version: 2 })).toEqual(['parked']);
    expect(await find({ status: 'open' })).toEqual(['parked']);
    expect(await find({ recordId: record })).toEqual(['billed']);
    expect(await find({ since: new Date(Date.now() + 60_000) })).toEqual([]);
  });
});

test('what comes later is found too, once it has ended', async () => {
  await database.asOwner(`update steps set output = '{"id": "late-1"}' where run_id = $1 and node_id = 'bill'`, [
    runs['parked'],
  ]);
  await gatherReferences(database.store, companyId);
  expect(await find({ q: 'late-1' })).toEqual([]);
  await database.asOwner(`update runs set status = 'succeeded', finished_at = now() where id = $1`, [runs['parked']]);
  await gatherReferences(database.store, companyId);
  expect(await find({ q: 'late-1' })).toEqual(['parked']);
  expect(await gatherReferences(database.store, companyId)).toBe(0);
});

describe('a run that waits', () => {
  const longAgo = new Date(Date.now() - 60_000);
  const step = (run: string, nodeId: string, more: { status: string; input?: object; output?: object }) =>
    database.asOwner(
      `insert into steps (company_id, run_id, node_id, status, attempt, input, output, started_at) values ($1, $2, $3, $4, 1, $5, $6, now())`,
      [companyId, runs[run], nodeId, more.status, more.input ?? null, more.output ?? null],
    );
  const goOn = (run: string) =>
    database.store.tenant(companyId, (tx) =>
      sql`select * from take_up(${[runs[run]]}::uuid[], now(), false, ${randomUUID()}::uuid, 0)`.execute(tx),
    );
  const readAgain = () => gatherReferences(database.store, companyId);

  test('is found by what its steps gave before it; and when it went on and waits anew, by what they gave since', async () => {
    await addRun('waiting', { number: 'HOLD-1' }, { id: 'before-1' }, 'waiting', longAgo);
    expect(await readAgain()).toBe(1);
    expect(await find({ q: 'before-1' })).toEqual(['waiting']);
    expect(await readAgain()).toBe(0);

    await goOn('waiting');
    await step('waiting', 'second', { status: 'succeeded', output: { id: 'since-1' } });
    expect(await readAgain()).toBe(0);
    await database.asOwner(`update runs set status = 'waiting' where id = $1`, [runs['waiting']]);
    expect(await readAgain()).toBe(1);
    expect(await find({ q: 'since-1' })).toEqual(['waiting']);
    expect(await find({ q: 'before-1' })).toEqual(['waiting']);
    expect(await readAgain()).toBe(0);
  });

  test('only for moments is not read, and one that was never read is not taken for read when it goes on', async () => {
    await addRun('short', { number: 'HOLD-2' }, { id: 'short-1' }, 'waiting');
    expect(await readAgain()).toBe(0);
    await goOn('short');
    expect(await database.asOwner('select referenced from runs where id = $1', [runs['short']])).toEqual([
      { referenced: 0 },
    ]);
    await database.asOwner(`update runs set status = 'waiting', queued_at = $2 where id = $1`, [
      runs['short'],
      longAgo,
    ]);
    expect(await readAgain()).toBe(1);
    expect(await find({ q: 'short-1' })).toEqual(['short']);
  });

  test('is found by what a step was given that failed or is parked, but by no secret among that', async () => {
    await addRun('given', { number: 'HOLD-3' }, {}, 'waiting', longAgo);
    const headers = [{ name: 'X-Api-Key', value: 'sk_live_1234' }];
    await step('given', 'refused', { status: 'failed', input: { docNumber: 'given-1', headers } });
    await step('given', 'held', { status: 'parked', input: { docNumber: 'given-2' } });
    await step('given', 'under-way', { status: 'running', input: { docNumber: 'given-3' } });
    await readAgain();
    for (const [q, expected] of [
      ['given-1', ['given']],
      ['given-2', ['given']],
      ['given-3', []],
      ['sk_live_1234', []],
    ] as const)
      expect(await find({ q })).toEqual(expected);
  });

  test('is found by a step after a loop of hundreds of turns', async () => {
    await addRun('looped', { number: 'HOLD-4' }, {}, 'waiting', longAgo);
    await database.asOwner(
      `insert into steps (company_id, run_id, node_id, iteration, status, attempt, output, started_at)
       select $1, $2, 'turn', n::text, 'succeeded', 1, jsonb_build_object('count', n), now() - interval '1 hour' from generate_series(0, 299) n`,
      [companyId, runs['looped']],
    );
    await step('looped', 'upload', { status: 'succeeded', output: { id: 'after-loop-1' } });
    await readAgain();
    expect(await find({ q: 'after-loop-1' })).toEqual(['looped']);
  });

  test('and went on while it was read is read once more', async () => {
    await addRun('hasty', { number: 'HOLD-5' }, {}, 'waiting', longAgo);
    const { store } = database;
    let asked = 0;
    const interrupted = new Proxy(store, {
      get: (target, name) => {
        if (name !== 'tenant') return Reflect.get(target, name, target) as unknown;
        return async (...given: Parameters<typeof store.tenant>) => {
          // Between the reading and the noting.
          if (++asked === 2) {
            await goOn('hasty');
            await step('hasty', 'second', { status: 'succeeded', output: { id: 'hasty-1' } });
            await database.asOwner(`update runs set status = 'waiting' where id = $1`, [runs['hasty']]);
          }
          return await target.tenant(...given);
        };
      },
    });
    expect(await gatherReferences(interrupted, companyId)).toBe(1);
    expect(await find({ q: 'hasty-1' })).toEqual([]);
    expect(await readAgain()).toBe(1);
    expect(await find({ q: 'hasty-1' })).toEqual(['hasty']);
  });
});

test('pages follow each other without a gap or a repeat, also where runs were queued at the same moment', async () => {
  const at = new Date();
  for (let n = 0; n < 7; n++) await addRun(`same${n}`, { number: `SAME-${n}` }, undefined, 'succeeded', at);
  await gatherReferences(database.store, companyId);
  const seen: string[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const page = await database.store.tenant(companyId, (tx) =>
      findRuns(tx, { companyId, q: 'same', limit: 3, ...(cursor ? { cursor } : {}) }),
    );
    seen.push(...page.slice(0, 3).map(({ id }) => id));
    const last = page[2];
    cursor = page.length > 3 && last ? cursorAfter(last) : undefined;
  }
  expect(seen.map(nameOf).sort()).toEqual(Array.from({ length: 7 }, (_, n) => `same${n}`));
});

test('nobody finds another company’s runs', async () => {
  const other = await database.company('Other');
  expect(await database.store.tenant(other, (tx) => findRuns(tx, { companyId: other, q: 'inv' }))).toEqual([]);
  expect(await database.store.tenant(other, (tx) => findRuns(tx, { companyId, q: 'inv' }))).toEqual([]);
});
