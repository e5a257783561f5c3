import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../db/src/testing.ts';
import { Dispatcher } from './dispatcher.ts';

let database: TestDatabase;
let dispatcher: Dispatcher;
/** Companies for whose runs there is no room, and what says that there is. */
let crowded: Map<string, PromiseWithResolvers<void>>;
beforeEach(async () => {
  database = await testDatabase();
  crowded = new Map();
  dispatcher = new Dispatcher({
    store: database.store,
    dispatcher: database.dispatcher,
    dispatcherUrl: database.urls.dispatcher,
    carriers: { start: () => Promise.resolve('under way') } as never,
    roomFor: (companyId) => crowded.get(companyId)?.promise,
    runsPerCarrier: 50,
    // Nothing listens with a filter.
    evaluator: {} as never,
    log: pino({ level: 'silent' }),
    now: () => new Date(),
  });
});
afterEach(async () => {
  await dispatcher.close();
  await database.close();
});

async function arrives(companyId: string, dedupeKey: string, more: { readonly dueIn?: string } = {}): Promise<void> {
  await database.asOwner(
    `insert into events (company_id, kind, key, dedupe_key, data, next_attempt_at)
     values ($1, 'manual', 'k', $2, '{}', now() + $3::interval)`,
    [companyId, dedupeKey, more.dueIn ?? '0'],
  );
}
const pending = async (companyId: string) =>
  (
    await database.asOwner<{ dedupe_key: string }>(
      `select dedupe_key from events where company_id = $1 and status = 'pending' order by seq`,
      [companyId],
    )
  ).map((row) => row.dedupe_key);

test('events of a company for whose runs there is no room stay in line until there is; those of others do not', async () => {
  const [crowd, neighbour] = [await database.company(), await database.company()];
  const room = Promise.withResolvers<void>();
  crowded.set(crowd, room);
  await arrives(crowd, 'a');
  await arrives(crowd, 'b');
  await arrives(neighbour, 'c');
  await vi.waitFor(async () => expect(await pending(neighbour)).toEqual([]), { timeout: 5_000 });
  expect(await pending(crowd)).toEqual(['a', 'b']);
  crowded.clear();
  room.resolve();
  await vi.waitFor(async () => expect(await pending(crowd)).toEqual([]), { timeout: 5_000 });
});

test('what arrives behind events that wait for a later time is told of at once', async () => {
  const companyId = await database.company();
  await arrives(companyId, 'later', { dueIn: '1 hour' });
  // The sweep looks once a second: what it alone sees takes that long each time, but for the first.
  const took: number[] = [];
  for (let n = 0; n < 4; n++) {
    const began = performance.now();
    await arrives(companyId, randomUUID());
    await vi.waitFor(async () => expect(await pending(companyId)).toEqual(['later']), { timeout: 5_000, interval: 5 });
    took.push(performance.now() - began);
  }
  expect(Math.min(...took.slice(1))).toBeLessThan(500);
});
