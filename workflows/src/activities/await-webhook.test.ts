import { randomUUID } from 'node:crypto';
import { json } from '@plumbline/db';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openBench, type Bench } from './testing.ts';
import { awaitEvent, eventLock, readAnswer } from './waits.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test('an event that is stored while a step begins to wait for it answers the wait, however long its commit takes', async () => {
  const { companyId, runId } = (await bench.begin({}))('wait');
  const ref = { companyId, runId, nodeId: 'wait', iteration: '' };
  const [key, order] = [randomUUID(), randomUUID()];
  const { promise: committing, resolve: commit } = Promise.withResolvers<void>();
  const looked = vi.fn<(waits: number) => void>();
  // As whoever stores it and looks for waits in one statement: it has looked already.
  const stored = bench.deps.store.tenant(companyId, async (tx) => {
    await sql`select ${sql.raw(eventLock(companyId, key, 'shared'))}`.execute(tx);
    const waits = await sql`select from waits where kind = 'event' and key = ${key}`.execute(tx);
    await sql`
      insert into events (company_id, kind, key, dedupe_key, data, status)
      values (${companyId}, 'webhook', ${key}, ${randomUUID()}, ${json({ body: { order } })}::jsonb, 'dispatched')`.execute(
      tx,
    );
    looked(waits.rows.length);
    await committing;
  });
  await vi.waitFor(() => expect(looked).toHaveBeenCalledWith(0));
  const since = new Date(Date.now() - 60_000);
  const opened = awaitEvent(bench.deps.store, ref, { key, path: ['body', 'order'], value: order }, new Date(), since);
  // Long enough for a wait that waits for nobody to be open, and to find nothing.
  await new Promise((resolve) => setTimeout(resolve, 300));
  commit();
  await Promise.all([stored, opened]);
  expect((await readAnswer(bench.deps.store, ref))?.answer).toEqual({ body: { order } });
});
