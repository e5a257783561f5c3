import { openDispatcherStore, openStore, type DispatcherStore, type Store } from '@plumbline/db';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBench, type Bench } from '../../../workflows/src/activities/testing.ts';
import {
  addressOf,
  ask,
  decideAs,
  hire,
  standing,
  type AskedRun,
} from '../../../workflows/src/approvals/testing-approval.ts';
import { keepApprovals } from './approval-keeper.ts';

/** So many API processes, each with connections of its own. */
const PROCESSES = 10;
let bench: Bench;
let processes: { readonly store: Store; readonly dispatcher: DispatcherStore }[];
let hours = 0;

beforeAll(async () => {
  bench = await openBench();
  await hire(bench, { Ana: 'owner', Ben: 'builder', Dee: 'admin' });
  const { app, dispatcher } = bench.database.urls;
  processes = Array.from({ length: PROCESSES }, () => ({
    store: openStore(app, { max: 2 }),
    dispatcher: openDispatcherStore(dispatcher),
  }));
});
afterAll(async () => {
  await Promise.all(
    processes.map(async ({ store, dispatcher }) => await Promise.all([store.close(), dispatcher.close()])),
  );
  await bench.close();
});

/** All processes look at once, so many hours after the question was put. */
async function lookAfter(passed: number): Promise<string[]> {
  hours = passed;
  const now = () => new Date(bench.deps.now().getTime() + hours * 3_600_000);
  const log = pino({ level: 'silent' });
  return (await Promise.all(processes.map(async (own) => await keepApprovals({ ...own, log, now })))).flat();
}
const mails = async (task: AskedRun, name: string): Promise<string[]> =>
  (
    await bench.database.asOwner<{ subject: string }>(
      'select subject from mail_outbox where approval_id = $1 and to_email = $2 order by created_at, key',
      [task.approvalId, addressOf(bench, name)],
    )
  ).map(({ subject }) => subject.split(':')[0] ?? '');
const closeAll = async () =>
  await bench.database.asOwner(`update approvals set status = 'withdrawn' where status = 'open'`);

test('a reminder goes to each who has not decided, once a time, whoever looks', async () => {
  const task = await ask(bench, bench.deps, {
    stages: [{ approvers: ['Ana', 'Ben'].map((name) => addressOf(bench, name)).join(','), need: 'all' }],
    remindEveryHours: 24,
  });
  expect(await lookAfter(23.9)).toEqual([]);
  expect(await lookAfter(24)).toEqual(['reminded']);
  expect(await lookAfter(25)).toEqual([]);
  expect(await decideAs(bench, bench.deps, task, 'Ana', 'approved')).toBe('ok');
  expect(await lookAfter(48)).toEqual(['reminded']);
  // A night in which nobody looked is not made up for.
  expect(await lookAfter(150)).toEqual(['reminded']);
  expect(await lookAfter(167.9)).toEqual([]);
  expect(await lookAfter(168)).toEqual(['reminded']);
  const still = 'Still waits for your decision';
  expect(await mails(task, 'Ana')).toEqual(['Your decision', still]);
  expect(await mails(task, 'Ben')).toEqual(['Your decision', still, still, still, still]);
  const [notices] = await bench.database.asOwner<{ count: number }>(
    'select count(*)::int as count from notifications where approval_id = $1',
    [task.approvalId],
  );
  expect(notices?.count).toBe(7);
  await closeAll();
});

test('others are asked once, and may decide then', async () => {
  const task = await ask(bench, bench.deps, {
    stages: [{ approvers: addressOf(bench, 'Ben') }],
    ...{ escalateAfterHours: 8, escalateTo: 'admins' },
  });
  expect(await decideAs(bench, bench.deps, task, 'Dee', 'approved')).toBe('not_asked');
  expect(await lookAfter(8)).toEqual(['escalated']);
  expect(await lookAfter(400)).toEqual([]);
  expect(await mails(task, 'Dee')).toEqual(['Nobody has decided yet, can you? Pay INV-7?']);
  expect(await decideAs(bench, bench.deps, task, 'Dee', 'approved')).toBe('ok');
  expect(await standing(bench, task)).toMatchObject({ outcome: 'approved', wakes: 1 });
});

test('the hours until others are asked count anew in each stage', async () => {
  const stages = [{ approvers: addressOf(bench, 'Ben') }, { approvers: addressOf(bench, 'Ana') }];
  const task = await ask(bench, bench.deps, { stages, escalateAfterHours: 8, escalateTo: 'admins' });
  const later = { ...bench.deps, now: () => new Date(bench.deps.now().getTime() + 6 * 3_600_000) };
  expect(await decideAs(bench, later, task, 'Ben', 'approved')).toBe('ok');
  expect(await lookAfter(13.9)).toEqual([]);
  expect(await lookAfter(14)).toEqual(['escalated']);
  await closeAll();
});

test('a stage has times of its own, and what it does not say is as for all', async () => {
  const [ben, ana] = [addressOf(bench, 'Ben'), addressOf(bench, 'Ana')];
  const task = await ask(bench, bench.deps, {
    stages: [
      { approvers: ben, times: 'own', remindEveryHours: 2, escalateAfterHours: 3, escalateTo: 'admins' },
      { approvers: ana, remindEveryHours: 1 },
    ],
    ...{ remindEveryHours: 24, escalateAfterHours: 30, escalateTo: 'owners' },
  });
  expect(await lookAfter(2)).toEqual(['reminded']);
  expect(await lookAfter(3)).toEqual(['escalated']);
  expect(await mails(task, 'Dee')).toHaveLength(1);
  expect(await lookAfter(4)).toEqual(['reminded']);
  const later = { ...bench.deps, now: () => new Date(bench.deps.now().getTime() + 5 * 3_600_000) };
  expect(await decideAs(bench, later, task, 'Ben', 'approved')).toBe('ok');
  expect(await lookAfter(28.9)).toEqual([]);
  expect(await lookAfter(29)).toEqual(['reminded']);
  expect(await lookAfter(35)).toEqual(['escalated']);
  await closeAll();
});

test('the limit of a stage counts from its beginning, and that of all stands still meanwhile', async () => {
  const at = (passed: number) => ({
    ...bench.deps,
    now: () => new Date(bench.deps.now().getTime() + passed * 3_600_000),
  });
  const [ben, ana] = [addressOf(bench, 'Ben'), addressOf(bench, 'Ana')];
  const stages = [
    { approvers: ben },
    { approvers: ana, times: 'own', expiresAfterHours: 100 },
    { approvers: ben, times: 'own', remindEveryHours: 0 },
  ];
  const task = await ask(bench, bench.deps, { stages, expiresAfterHours: 72 });
  expect(await decideAs(bench, at(70), task, 'Ben', 'approved')).toBe('ok');
  expect(await lookAfter(169.9)).toEqual([]);
  expect(await decideAs(bench, at(169.9), task, 'Ana', 'approved')).toBe('ok');
  // Two hours of all seventy-two are left.
  expect(await lookAfter(171.8)).toEqual([]);
  expect(await lookAfter(171.95)).toEqual(['expired']);
  expect(await standing(bench, task)).toMatchObject({ status: 'expired', wakes: 1 });

  const forever = await ask(bench, bench.deps, {
    stages: [{ approvers: ben, times: 'own', expiresAfterHours: 0 }],
    expiresAfterHours: 1,
  });
  expect(await lookAfter(1_000)).toEqual([]);
  expect(await standing(bench, forever)).toMatchObject({ status: 'open' });
  await closeAll();
});

test('time that is up ends it once, by its own way; a decision at that moment is told so', async () => {
  const task = await ask(bench, bench.deps, {
    stages: [{ approvers: addressOf(bench, 'Ben') }],
    expiresAfterHours: 72,
  });
  expect(await lookAfter(71.99)).toEqual([]);
  const late = { ...bench.deps, now: () => new Date(bench.deps.now().getTime() + 72 * 3_600_000) };
  // Nobody has looked yet, and it is over all the same.
  expect(await decideAs(bench, late, task, 'Ben', 'approved')).toBe('approval_over');
  expect(await lookAfter(72)).toEqual(['expired']);
  expect(await lookAfter(73)).toEqual([]);
  expect(await standing(bench, task)).toMatchObject({
    ...{ status: 'expired', outcome: 'expired', wakes: 1 },
    answer: { outcome: 'expired', decisions: [] },
  });
  expect(await decideAs(bench, late, task, 'Ben', 'approved')).toBe('approval_over');
});

test('of a decision in time and the end of the time, one stands, every time', async () => {
  for (let round = 0; round < 20; round++) {
    const task = await ask(bench, bench.deps, {
      stages: [{ approvers: addressOf(bench, 'Ben') }],
      expiresAfterHours: 1,
    });
    const [code, kept] = await Promise.all([decideAs(bench, bench.deps, task, 'Ben', 'approved'), lookAfter(1)]);
    const { outcome, wakes } = await standing(bench, task);
    expect(outcome).toBe(code === 'ok' ? 'approved' : 'expired');
    if (kept.length === 0 && outcome === null) throw new Error('Neither stands');
    expect(wakes).toBe(1);
  }
});
