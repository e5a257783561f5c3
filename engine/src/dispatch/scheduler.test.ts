import { randomUUID } from 'node:crypto';
import { nextTimes } from '@plumbline/workflows/flow';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../db/src/testing.ts';
import { fireDueSchedules } from './scheduler.ts';

let database: TestDatabase;
let companyId: string;
let now = new Date();
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => {
  await database.close();
});
beforeEach(async () => {
  companyId = await database.company();
  // Schedules of earlier tests are not to fire in this one.
  await database.asOwner('update subscriptions set active = false');
});

const fire = () =>
  fireDueSchedules({
    store: database.store,
    dispatcher: database.dispatcher,
    log: pino({ level: 'silent' }),
    now: () => now,
  });
/** Fires until the time, looking every so often, as a process that runs does. */
async function runFrom(from: string, to: string, everySeconds = 20): Promise<void> {
  for (let at = Date.parse(from); at <= Date.parse(to); at += everySeconds * 1_000) {
    now = new Date(at);
    await fire();
  }
}

interface Schedule {
  readonly flowId: string;
  readonly key: string;
}

/** A flow that is on, with a schedule whose next time is the first after `since`. */
async function schedule(
  config: { readonly cron: string; readonly timeZone?: string } & Readonly<Record<string, unknown>>,
  since: string,
  status = 'on',
): Promise<Schedule> {
  const [flowId, id] = [randomUUID(), randomUUID()];
  const key = `${flowId}:at`;
  const [next] = nextTimes(config.cron, config.timeZone ?? 'America/New_York', new Date(since), 1);
  await database.asOwner(
    `insert into flows (id, company_id, name, status, draft) values ($1, $2, 'Morning report', $3, '{}')`,
    [flowId, companyId, status],
  );
  await database.asOwner(
    `insert into subscriptions (id, company_id, flow_id, node_id, kind, key, config, next_fire_at) values ($1, $2, $3, 'at', 'schedule', $4, $5, $6)`,
    [id, companyId, flowId, key, JSON.stringify(config), next],
  );
  return { flowId, key };
}

/** Times that start something, and times that are on record and do not. */
async function timesOf({ key }: Schedule): Promise<{ readonly fired: string[]; readonly left: string[] }> {
  const rows = await database.asOwner<{ dedupe_key: string; status: string; reason: string | null }>(
    'select dedupe_key, status, reason from events where key = $1 order by dedupe_key',
    [key],
  );
  for (const row of rows) if (row.status === 'ignored') expect(row.reason).toMatch(/\w/);
  return {
    fired: rows.filter(({ status }) => status === 'pending').map((row) => row.dedupe_key.slice(11, 16)),
    left: rows.filter(({ status }) => status === 'ignored').map((row) => row.dedupe_key.slice(11, 16)),
  };
}
const notices = async (): Promise<readonly { readonly title: string; readonly body: string }[]> =>
  await database.asOwner('select title, body from notifications where company_id = $1', [companyId]);
/** `12:00`, `12:05` … */
const every5 = (from: string, to: string): string[] =>
  Array.from({ length: 288 }, (_, n) => new Date(n * 300_000).toISOString().slice(11, 16)).filter(
    (time) => time >= from && time <= to,
  );

describe('nothing ran across twenty times', () => {
  const down = async (config: Readonly<Record<string, unknown>>) => {
    const set = await schedule({ cron: '*/5 * * * *', ...config }, '2026-11-24T12:00:30Z');
    now = new Date('2026-11-24T13:42:00Z'); // 12:05 to 13:40, twenty of them
    await fire();
    return set;
  };

  test.each([
    ['latest, as when nothing is said', {}, ['13:40'], every5('12:05', '13:35')],
    ['none', { catchUp: 'none' }, [], every5('12:05', '13:40')],
    ['all of the last hour', { catchUp: 'all' }, every5('12:45', '13:40'), every5('12:05', '12:40')],
    ['all of two hours', { catchUp: 'all', windowMinutes: 120 }, every5('12:05', '13:40'), []],
    ['all of ten minutes', { catchUp: 'all', windowMinutes: 10 }, ['13:35', '13:40'], every5('12:05', '13:30')],
  ] as const)('caught up on: %s', async (_, config, fired, left) => {
    const set = await down(config);
    expect(await timesOf(set)).toEqual({ fired, left });
    const told = await notices();
    expect(told.map(({ title }) => title)).toEqual(
      left.length > 0 ? [`"Morning report" missed ${left.length} times`] : [],
    );
    await runFrom('2026-11-24T13:42:20Z', '2026-11-24T13:51:00Z');
    expect((await timesOf(set)).fired).toEqual([...fired, '13:45', '13:50']);
  });

  test('ten processes that look at once agree', async () => {
    const set = await schedule({ cron: '*/5 * * * *', catchUp: 'all' }, '2026-11-24T12:00:30Z');
    now = new Date('2026-11-24T13:42:00Z');
    await Promise.all(Array.from({ length: 10 }, fire));
    expect((await timesOf(set)).fired).toEqual(every5('12:45', '13:40'));
  });

  test('for months: the weeks before the last are not even listed, but the notice says since when', async () => {
    const set = await schedule({ cron: '0 7 * * *', timeZone: 'UTC' }, '2026-06-01T00:00:00Z');
    now = new Date('2026-11-24T12:00:00Z');
    await fire();
    expect((await timesOf(set)).fired).toEqual(['07:00']);
    expect((await notices())[0]?.body).toContain('from Jun 1, 2026, 7:00 AM');
  });

  test('a flow that is switched off starts nothing and is told of nothing', async () => {
    const set = await schedule({ cron: '*/5 * * * *', catchUp: 'all' }, '2026-11-24T12:00:30Z', 'off');
    now = new Date('2026-11-24T13:42:00Z');
    await fire();
    expect([await timesOf(set), await notices()]).toEqual([{ fired: [], left: [] }, []]);
  });
});

describe('a clock that jumps', () => {
  test('an hour ahead and back again doubles nothing, and loses nothing', async () => {
    const set = await schedule({ cron: '*/20 * * * *', catchUp: 'all', windowMinutes: 90 }, '2026-11-24T12:00:30Z');
    await runFrom('2026-11-24T12:01:00Z', '2026-11-24T12:41:00Z');
    await runFrom('2026-11-24T13:41:00Z', '2026-11-24T13:42:00Z');
    await runFrom('2026-11-24T12:42:00Z', '2026-11-24T14:01:00Z');
    expect(await timesOf(set)).toEqual({
      fired: ['12:20', '12:40', '13:00', '13:20', '13:40', '14:00'],
      left: [],
    });
  });

  test('two processes whose clocks are an hour apart start each time once', async () => {
    const set = await schedule({ cron: '*/20 * * * *', catchUp: 'all', windowMinutes: 90 }, '2026-11-24T12:00:30Z');
    for (let minute = 0; minute < 120; minute++)
      for (const ahead of [0, 60]) {
        now = new Date(Date.parse('2026-11-24T12:00:00Z') + (minute + ahead) * 60_000);
        await fire();
      }
    const { fired } = await timesOf(set);
    expect(new Set(fired).size).toBe(fired.length);
    expect(fired).toEqual(['12:20', '12:40', '13:00', '13:20', '13:40', '14:00', '14:20', '14:40']);
  });
});

describe('over the change of the clocks', () => {
  test.each([
    [
      'forward, a time that is skipped comes after the jump',
      '30 2 * * *',
      '2026-03-07T12:00:00Z',
      '2026-03-09T12:00:00Z',
      ['07:00', '06:30'],
    ],
    [
      'back, a time that is repeated comes once',
      '30 1 * * *',
      '2026-10-31T12:00:00Z',
      '2026-11-02T12:00:00Z',
      ['05:30', '06:30'],
    ],
    [
      'forward, working hours stay those of the office',
      '0 7 * * *',
      '2026-03-07T00:00:00Z',
      '2026-03-09T12:00:00Z',
      ['12:00', '11:00', '11:00'],
    ],
  ] as const)('%s', async (_, cron, from, to, expected) => {
    const set = await schedule({ cron }, from);
    await runFrom(from, to, 600);
    const rows = await database.asOwner<{ dedupe_key: string }>(
      'select dedupe_key from events where key = $1 order by dedupe_key',
      [set.key],
    );
    expect(rows.map((row) => row.dedupe_key.slice(11, 16))).toEqual(expected);
  });
});

describe('a time that comes while the last run is open', () => {
  /** What the dispatcher makes of an event. */
  const startRun = async ({ flowId, key }: Schedule): Promise<void> => {
    await database.asOwner(`insert into plans (company_id, hash, plan) values ($1, 'h', '{}') on conflict do nothing`, [
      companyId,
    ]);
    await database.asOwner(
      `insert into runs (company_id, flow_id, flow_version, plan_hash, event_id, trigger_node_id, carrier_id, lane, status)
       select company_id, $1, 1, 'h', id, 'at', 'c', 0, 'running' from events where key = $2 and status = 'pending'`,
      [flowId, key],
    );
    await database.asOwner(`update events set status = 'dispatched' where key = $1 and status = 'pending'`, [key]);
  };
  const endRuns = async ({ flowId }: Schedule): Promise<void> => {
    await database.asOwner(`update runs set status = 'succeeded', finished_at = now() where flow_id = $1`, [flowId]);
  };
  const started = async ({ key }: Schedule): Promise<string[]> =>
    (
      await database.asOwner<{ dedupe_key: string }>(
        `select dedupe_key from events where key = $1 and status <> 'ignored' order by dedupe_key`,
        [key],
      )
    ).map((row) => row.dedupe_key.slice(11, 16));
  const at = async (time: string): Promise<void> => {
    now = new Date(`2026-11-24T${time}Z`);
    await fire();
  };

  test.each([
    ['start', ['12:05', '12:10', '12:15', '12:25'], []],
    ['skip', ['12:05', '12:25'], ['12:10', '12:15']],
    ['wait', ['12:05', '12:10', '12:25'], ['12:15']],
  ] as const)('%s', async (overlap, expected, left) => {
    const set = await schedule({ cron: '5,10,15,25 12 * * *', timeZone: 'UTC', overlap }, '2026-11-24T12:00:00Z');
    await at('12:05:01');
    await startRun(set);
    await at('12:10:01');
    await at('12:15:01');
    await startRun(set);
    await endRuns(set);
    await at('12:16:00');
    await startRun(set);
    await endRuns(set);
    await at('12:25:01');
    expect(await started(set)).toEqual(expected);
    expect((await timesOf(set)).left).toEqual(left);
  });

  test('a time that waits in line starts once, however many look', async () => {
    const set = await schedule({ cron: '5,10 12 * * *', timeZone: 'UTC', overlap: 'wait' }, '2026-11-24T12:00:00Z');
    await at('12:05:01');
    await startRun(set);
    await at('12:10:01');
    await endRuns(set);
    now = new Date('2026-11-24T12:11:00Z');
    await Promise.all(Array.from({ length: 5 }, fire));
    expect(await started(set)).toEqual(['12:05', '12:10']);
  });

  test('one that has not been dispatched yet counts as open', async () => {
    const set = await schedule({ cron: '5,10 12 * * *', timeZone: 'UTC', overlap: 'skip' }, '2026-11-24T12:00:00Z');
    await at('12:05:01');
    await at('12:10:01');
    expect(await timesOf(set)).toEqual({ fired: ['12:05'], left: ['12:10'] });
  });
});
