import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openClocks, type Clocks } from '../support/clocks.ts';
import { expectAccountsTie } from '../support/ledger.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { report } from '../support/profile.ts';
import { until } from '../support/until.ts';
import { line, node, publishFlow } from '../support/webhook-flow.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let up: TestPlatform;
let clocks: Clocks;
let client: StudioClient;
beforeAll(async () => {
  clocks = await openClocks();
  up = await testPlatform(clocks.environment, { workers: 2, fsync: true });
});
afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
  await clocks?.[Symbol.asyncDispose]();
});

/** The platform's idea of the time. */
let shiftMs = 0;
const now = (): number => Date.now() + shiftMs;

test('nothing ran across twenty times: each policy starts its own set of runs, once', async () => {
  await setClocks(0);
  // Every five minutes, the last two minutes ago: what is on time and what was missed is not to change while we look.
  const minute = (new Date(now()).getUTCMinutes() + 3) % 5;
  const policies = {
    latest: {},
    none: { catchUp: 'none' },
    all: { catchUp: 'all', windowMinutes: 600 },
    'all of half an hour': { catchUp: 'all', windowMinutes: 30 },
  } as const;
  const flows = await schedules(
    Object.entries(policies).map(([name, policy]) => [name, { cron: `${minute}-59/5 * * * *`, ...policy }] as const),
  );
  const began = now();
  const late = Math.floor((began - minute * MINUTE) / (5 * MINUTE)) * 5 * MINUTE + minute * MINUTE;
  // Nobody is there for a hundred minutes, then two processes come back at once.
  await away(100 * MINUTE);
  const due = Array.from({ length: 20 }, (_, n) => new Date(late + (n + 1) * 5 * MINUTE).toISOString());
  const found = await settled(flows, now());
  const expected = {
    latest: due.slice(-1),
    none: [],
    all: due,
    'all of half an hour': due.filter((time) => now() - Date.parse(time) <= 30 * MINUTE),
  };
  report('R13 down', { due: due.length, runs: lengths(found) });
  expect(due.length).toBe(20);
  expect(found).toEqual(expected);
  await expectOnRecord(flows, due);
  await finish(flows);
});

test('both clocks are an hour behind the database’s: what is due by them starts at once all the same', async () => {
  await setClocks(-HOUR);
  const minute = (new Date(now()).getUTCMinutes() + 3) % 5;
  const flows = await schedules([['behind', { cron: `${minute}-59/5 * * * *`, catchUp: 'all' }]]);
  const from = now();
  await away(5 * MINUTE);
  const { behind = [] } = await settled(flows, now());
  report('R13 behind', { runs: behind.length });
  expect(behind).toHaveLength(1);
  expect(Date.parse(behind[0] ?? '') - from).toBeLessThanOrEqual(5 * MINUTE);
  await finish(flows);
});

test('two processes whose clocks are an hour apart, and change places, start each time once', async () => {
  await setClocks(0);
  const minute = new Date(now()).getUTCMinutes() % 10;
  const flows = await schedules([
    ['hasty', { cron: `${(minute + 5) % 10}-59/10 * * * *`, catchUp: 'all', windowMinutes: 600 }],
  ]);
  const [from, first] = [now(), shiftMs];
  const steps: readonly (readonly [number, number])[] = [
    [0, 1],
    [0.25, 1.25],
    [1.5, 0.5],
    [0.75, 1.75],
    [2, 1],
    [2, 2],
  ];
  for (const [here, there] of steps) {
    await setClocks(first + here * HOUR, first + there * HOUR);
    // Whoever is ahead has seen to everything that is due.
    await caughtUp(flows, now());
  }
  const found = await settled(flows, now());
  const times = found['hasty'] ?? [];
  report('R13 clocks', { steps: steps.length, runs: times.length });
  expect(times).toEqual(
    Array.from({ length: times.length }, (_, n) =>
      new Date(Date.parse(times[0] ?? '') + n * 10 * MINUTE).toISOString(),
    ),
  );
  expect(Date.parse(times[0] ?? '') - from).toBeLessThanOrEqual(10 * MINUTE);
  expect(now() - Date.parse(times.at(-1) ?? '')).toBeLessThan(10 * MINUTE);
  await finish(flows);
});

const NEW_YORK = { timeZone: 'America/New_York', catchUp: 'all', windowMinutes: 1_440 };
const crons = { 'half past one': '30 1 * * *', 'half past two': '30 2 * * *', seven: '0 7 * * *', hourly: '0 * * * *' };

test.each([
  [
    'forward: what is skipped comes when they have jumped',
    '2027-03-13T22:10:00Z',
    { 'half past one': ['14T06:30'], 'half past two': ['14T07:00'], seven: ['14T11:00'] },
  ],
  [
    'back: what is repeated comes once',
    '2027-11-06T22:10:00Z',
    { 'half past one': ['07T05:30'], 'half past two': ['07T07:30'], seven: ['07T12:00'] },
  ],
] as const)('nothing ran while the clocks of the office went %s', async (name, from, expected) => {
  await setClocks(Date.parse(from) - Date.now());
  const flows = await schedules(Object.entries(crons).map(([what, cron]) => [what, { cron, ...NEW_YORK }] as const));
  await away(23 * HOUR);
  const { hourly = [], ...found } = await settled(flows, now());
  report('R13 office', { name, found, hourly: hourly.length });
  expect(
    Object.fromEntries(Object.entries(found).map(([what, times]) => [what, times.map((time) => time.slice(8, 16))])),
  ).toEqual(expected);
  // An hour lasts an hour, whatever it is called.
  expect(hourly).toEqual(
    Array.from({ length: 23 }, (_, n) => new Date(Date.parse(from) - 10 * MINUTE + (n + 1) * HOUR).toISOString()),
  );
  await finish(flows);
  await expectAccountsTie(up);
});

type Flows = Readonly<Record<string, string>>;

/** Publishes a flow for each schedule, and turns it on. @returns their ids by name. */
async function schedules(wanted: readonly (readonly [string, Readonly<Record<string, unknown>>])[]): Promise<Flows> {
  client = await up.client();
  const flows: Record<string, string> = {};
  for (const [name, config] of wanted) {
    const { id } = await publishFlow(client, name, {
      params: {},
      connections: {},
      nodes: {
        at: node('core.schedule', 'At', config),
        think: node('core.map', 'Think', { value: '=trigger.scheduledAt' }),
      },
      edges: line('at', 'think'),
    });
    flows[name] = id;
  }
  return flows;
}

/** Ends all processes that see to times, lets that much time pass, and waits until all are there again. */
async function away(ms: number): Promise<void> {
  const processes = [...up.platform.apis, ...up.platform.workers];
  const pids = processes.map(({ pid }) => pid ?? 0);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await setClocks(shiftMs + ms);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await until('all processes to be back', async () => {
    const isBack = processes.every(({ pid }) => pid !== undefined && !pids.includes(pid));
    return isBack && (await fetch(`${up.origin}/api/health`).catch(() => undefined))?.ok;
  });
  client = await up.client();
}

/** The second worker's clock may be another; the platform's time is that of whoever is ahead. */
async function setClocks(first: number, second = first): Promise<void> {
  await clocks.set(
    new Map([
      ['api', first],
      ['worker', first],
      ['worker-2', second],
    ]),
  );
  shiftMs = Math.max(first, second);
}

/** Waits until nothing is due by that time. */
async function caughtUp(flows: Flows, time: number): Promise<void> {
  await until('every schedule to have been seen to', async () => {
    const { rows } = await up.owner.query<{ due: number }>(
      'select count(*)::int as due from subscriptions where flow_id = any($1) and next_fire_at <= $2',
      [Object.values(flows), new Date(time)],
    );
    return rows[0]?.due === 0;
  });
}

/** Waits until everything due has ended. @returns the times that started runs, by flow; a time that started two is there twice. */
async function settled(flows: Flows, time: number): Promise<Record<string, string[]>> {
  await caughtUp(flows, time);
  const ids = Object.values(flows);
  await until('every run to have ended', async () => {
    const { rows } = await up.owner.query<{ open: number }>(
      `select (select count(*) from events where key like any(select id || ':%' from unnest($1::text[]) id) and status = 'pending')::int
            + (select count(*) from runs where flow_id = any($1::uuid[]) and status <> 'succeeded')::int as open`,
      [ids],
    );
    return rows[0]?.open === 0;
  });
  const { rows } = await up.owner.query<{ flow_id: string; time: string }>(
    `select runs.flow_id, events.dedupe_key as time from runs join events on events.id = runs.event_id
      where runs.flow_id = any($1) order by events.dedupe_key`,
    [ids],
  );
  return Object.fromEntries(
    Object.entries(flows).map(([name, id]) => [
      name,
      rows.filter(({ flow_id }) => flow_id === id).map((row) => row.time),
    ]),
  );
}

/** Every time is an event of each flow, whether it started something or says why not. */
async function expectOnRecord(flows: Flows, due: readonly string[]): Promise<void> {
  for (const [name, id] of Object.entries(flows)) {
    const { rows } = await up.owner.query<{ time: string; status: string; reason: string | null }>(
      'select dedupe_key as time, status, reason from events where key = $1 order by dedupe_key',
      [`${id}:at`],
    );
    expect(
      rows.map(({ time }) => time),
      name,
    ).toEqual(due);
    expect(rows.filter(({ status, reason }) => status === 'ignored' && !reason)).toEqual([]);
  }
}

async function finish(flows: Flows): Promise<void> {
  for (const id of Object.values(flows)) await client.call('POST', `/api/flows/${id}/switch`, { on: false });
}

function lengths(found: Readonly<Record<string, readonly string[]>>): Record<string, number> {
  return Object.fromEntries(Object.entries(found).map(([name, times]) => [name, times.length]));
}
