import { randomUUID } from 'node:crypto';
import type { Store } from '@plumbline/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../db/src/testing.ts';
import { Answers } from './answers.ts';

let database: TestDatabase;
let companyId: string;
let flowId: string;
beforeAll(async () => {
  database = await testDatabase();
  companyId = await database.company();
  flowId = randomUUID();
  await database.asOwner(`insert into plans (company_id, hash, plan) values ($1, 'p', '{}')`, [companyId]);
  await database.asOwner(
    `insert into flows (id, company_id, name, status, draft) values ($1, $2, 'Flow', 'on', '{}')`,
    [flowId, companyId],
  );
});
afterAll(async () => {
  await database?.close();
});

/** An event whose run is under way. */
async function underWay(): Promise<{ readonly eventId: string; readonly runId: string }> {
  const [eventId, runId] = [randomUUID(), randomUUID()];
  await database.asOwner(
    `insert into events (company_id, id, kind, key, dedupe_key, data, status) values ($1, $2, 'webhook', 'k', $3, '{}', 'dispatched')`,
    [companyId, eventId, eventId],
  );
  await database.asOwner(
    `insert into runs (company_id, id, event_id, flow_id, flow_version, plan_hash, trigger_node_id, carrier_id, lane, status)
     values ($1, $2, $3, $4, 1, 'p', 't', $5, 0, 'running')`,
    [companyId, runId, eventId, flowId, randomUUID()],
  );
  return { eventId, runId };
}

/** The store, with something that happens between two statements of a script, as it may between any two. */
function disturbed(after: number, happen: () => Promise<void>): Store {
  const { store } = database;
  return Object.assign(Object.create(store) as Store, {
    script: async (id: string, statements: readonly string[]) => {
      const rows: Awaited<ReturnType<Store['script']>>[number][] = [];
      for (const [index, statement] of statements.entries()) {
        if (index === after) await happen();
        rows.push((await store.script(id, [statement]))[0] ?? []);
      }
      return rows;
    },
  });
}

test.each([0, 1, 2, 3])(
  'a flow that answers and ends while its sender looks, after %i of the three questions, is not taken for one that did not answer',
  async (after) => {
    const { eventId, runId } = await underWay();
    const happen = async (): Promise<void> => {
      await database.asOwner(
        `with answer as (insert into answers (company_id, event_id, run_id, status, headers) values ($1, $2, $3, 201, '{}'))
         update runs set status = 'succeeded', finished_at = now() where id = $3`,
        [companyId, eventId, runId],
      );
    };
    const { kind } = await new Answers('', disturbed(after, happen)).read(companyId, eventId);
    expect(kind).toBe(after === 3 ? 'open' : 'answered');
    if (after === 3) await happen();
    expect(await new Answers('', database.store).read(companyId, eventId)).toMatchObject({
      kind: 'answered',
      answer: { status: 201 },
    });
  },
);
