import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json } from './data-error.ts';
import { GroupCommit } from './group-commit.ts';
import { testDatabase, type TestDatabase } from './testing.ts';

let database: TestDatabase;
let companyId: string;
beforeAll(async () => {
  database = await testDatabase();
  companyId = await database.company();
});
afterAll(async () => {
  await database.close();
});

function events() {
  const batches: number[] = [];
  const group = new GroupCommit<{ readonly dedupe: string }, boolean>({
    limit: 50,
    apply: async (company, writes) => {
      batches.push(writes.length);
      const rows = await database.store.tenant(company, (tx) =>
        tx
          .insertInto('events')
          .values(
            writes.map(({ dedupe }) => ({
              company_id: company,
              kind: 'manual' as const,
              key: 'test',
              dedupe_key: dedupe,
              subject_entity: null,
              // Not a uuid, when a test wants one write to fail.
              subject_id: dedupe.startsWith('bad') ? dedupe : null,
              data: json({}),
              reason: null,
              dispatched_at: null,
            })),
          )
          .onConflict((conflict) => conflict.doNothing())
          .returning('dedupe_key')
          .execute(),
      );
      const stored = new Set(rows.map((row) => row.dedupe_key));
      return writes.map(({ dedupe }) => stored.has(dedupe));
    },
  });
  return { group, batches };
}

describe('writes that come at the same time', () => {
  test('share a transaction, and each gets its own receipt', async () => {
    const { group, batches } = events();
    const receipts = await Promise.all(
      Array.from({ length: 120 }, (_, n) => group.submit(companyId, { dedupe: `same-${n}` })),
    );
    expect(receipts.every(Boolean)).toBe(true);
    expect(batches).toEqual([50, 50, 20]);
    expect(await group.submit(companyId, { dedupe: 'same-7' })).toBe(false);
  });

  test('a bad one fails alone, and the others are committed once', async () => {
    const { group } = events();
    const outcomes = await Promise.allSettled(
      ['fine-1', 'bad-1', 'fine-2'].map((dedupe) => group.submit(companyId, { dedupe })),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const rows = await database.asOwner(`select 1 from events where dedupe_key like 'fine-%'`);
    expect(rows).toHaveLength(2);
  });

  test('of two companies do not wait for each other', async () => {
    const { group, batches } = events();
    const other = await database.company('Another');
    await Promise.all([group.submit(companyId, { dedupe: 'mine' }), group.submit(other, { dedupe: 'mine' })]);
    expect(batches).toEqual([1, 1]);
  });

  test('fail together when the database cannot be reached, and ask it once', async () => {
    let asked = 0;
    const group = new GroupCommit<number, never>({
      apply: () => {
        asked++;
        return Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
      },
    });
    const answers = await Promise.allSettled([1, 2, 3].map((write) => group.submit(companyId, write)));
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(asked).toBe(1);
  });

  test('of one chain fail from the first that failed on, in later batches too; others are none the worse', async () => {
    const committed: string[] = [];
    const group = new GroupCommit<string, string>({
      limit: 2,
      apply: async (_, writes) => {
        await Promise.resolve();
        if (writes.includes('away'))
          throw Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
        if (writes.includes('bad')) throw new Error('no such value');
        committed.push(...writes);
        return writes;
      },
    });
    const [one, two, three] = [{}, {}, {}];
    const answers = await Promise.allSettled([
      ...[group.submit(companyId, 'fine', { chain: one }), group.submit(companyId, 'away', { chain: one })],
      ...[group.submit(companyId, 'lost', { chain: one }), group.submit(companyId, 'other', { chain: two })],
      ...[group.submit(companyId, 'bad', { chain: three }), group.submit(companyId, 'builds on it', { chain: three })],
      group.submit(companyId, 'nobody’s'),
    ]);
    expect(committed).toEqual(['other', 'nobody’s']);
    expect(answers.map((answer) => (answer.status === 'rejected' ? String(answer.reason) : answer.value))).toEqual([
      'Error: Connection terminated unexpectedly',
      'Error: Connection terminated unexpectedly',
      'Error: Connection terminated unexpectedly',
      'other',
      ...['Error: no such value', 'Error: no such value', 'nobody’s'],
    ]);
    await expect(group.submit(companyId, 'later', { chain: three })).rejects.toThrow('no such value');
  });
});
