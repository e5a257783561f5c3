import { json, type DispatcherStore, type Store, type Transaction } from '@plumbline/db';
import { scheduleConfigSchema, type ScheduleConfig } from '@plumbline/nodes';
import { nextTimes, timesBetween } from '@plumbline/workflows/flow';
import type { Logger } from 'pino';
import { catchUp } from './catch-up.ts';
import { tellMissed } from './tell-missed.ts';

export interface SchedulerOptions {
  readonly store: Store;
  readonly dispatcher: DispatcherStore;
  readonly log: Logger;
  readonly now: () => Date;
}

/** Times that were missed longer ago are not even listed. */
const LOOK_BACK_MS = 7 * 86_400_000;
/** Of the times that were missed, so many are kept as events that started nothing; all of them are counted. */
const MISSED_EVENTS = 100;

/**
 * Turns schedules that are due into events. The event and the next time are written in one transaction, and an event is named by its schedule and its time,
 * so any number of processes may do it and no time is doubled, whatever their clocks say. What was missed, or came while the last run was open, is dealt
 * with as the trigger says, and is on record in any case.
 * @returns how many times fired.
 */
export async function fireDueSchedules(options: SchedulerOptions): Promise<number> {
  const now = options.now();
  let fired = 0;
  for (const due of await options.dispatcher.dueSchedules(now, 500)) {
    try {
      fired += await fire(options, due, now);
    } catch (error) {
      options.log.error({ err: error, ...due }, 'a schedule could not fire; it is tried again in a second');
    }
  }
  return fired;
}

async function fire(
  { store }: SchedulerOptions,
  { companyId, subscriptionId }: { readonly companyId: string; readonly subscriptionId: string },
  now: Date,
): Promise<number> {
  return await store.tenant(companyId, async (tx) => {
    const row = await lockDue(tx, companyId, subscriptionId, now);
    if (!row) return 0;
    const config = scheduleConfigSchema.parse(row.config);
    const zone = config.timeZone || row.time_zone;
    const isDue = row.next_fire_at !== null && row.next_fire_at <= now;
    const times = isDue && row.next_fire_at ? dueTimes(config, zone, row.next_fire_at, now) : [];
    const next = isDue ? (nextTimes(config.cron, zone, now, 1)[0] ?? null) : row.next_fire_at;
    const place = { tx, companyId, key: row.key, now };
    let waiting = row.waiting_fire_at;
    let fired = 0;
    // Switched off, it keeps its times and starts nothing.
    if (row.status !== 'on') waiting = null;
    else {
      const { fire: chosen, missed } = catchUp(times, config, now);
      const take = async (time: Date): Promise<void> => {
        if (await insertTime(place, time)) fired += 1;
      };
      const isOpen = () => hasOpenRun(place, row.flow_id, row.node_id);
      if (waiting && !(await isOpen())) {
        await take(waiting);
        waiting = null;
      }
      for (const time of chosen) {
        if (config.overlap === 'start' || !(await isOpen())) await take(time);
        else if (config.overlap === 'wait' && waiting === null) waiting = time;
        else await insertTime(place, time, leftOut[config.overlap]);
      }
      for (const time of missed.slice(-MISSED_EVENTS))
        await insertTime(place, time, 'Nothing ran at this time, and the trigger does not catch up on it.');
      if (missed.length > 0)
        await tellMissed(tx, {
          companyId,
          subscriptionId,
          flowName: row.name,
          zone,
          missed,
          caughtUp: chosen.length,
          at: now,
        });
    }
    await tx
      .updateTable('subscriptions')
      .set({ next_fire_at: next, waiting_fire_at: waiting })
      .where('company_id', '=', companyId)
      .where('id', '=', subscriptionId)
      .execute();
    return fired;
  });
}

const leftOut = {
  skip: 'The run before it had not ended.',
  wait: 'The run before it had not ended, and another time was waiting in line already.',
} as const;

async function lockDue(tx: Transaction, companyId: string, subscriptionId: string, now: Date) {
  return await tx
    .selectFrom('subscriptions')
    .innerJoin('companies', 'companies.id', 'subscriptions.company_id')
    .innerJoin('flows', (join) =>
      join.onRef('flows.id', '=', 'subscriptions.flow_id').onRef('flows.company_id', '=', 'subscriptions.company_id'),
    )
    .select([
      'subscriptions.key',
      'subscriptions.config',
      'subscriptions.flow_id',
      'subscriptions.node_id',
      'subscriptions.next_fire_at',
      'subscriptions.waiting_fire_at',
      'companies.time_zone',
      'flows.status',
      'flows.name',
    ])
    .where('subscriptions.company_id', '=', companyId)
    .where('subscriptions.id', '=', subscriptionId)
    .where('subscriptions.active', '=', true)
    .where((eb) =>
      eb.or([eb('subscriptions.next_fire_at', '<=', now), eb('subscriptions.waiting_fire_at', 'is not', null)]),
    )
    .forUpdate('subscriptions')
    .skipLocked()
    .executeTakeFirst();
}

/** Every time from the first that is due until now. */
function dueTimes({ cron }: ScheduleConfig, zone: string, first: Date, now: Date): Date[] {
  const from = new Date(Math.max(first.getTime(), now.getTime() - LOOK_BACK_MS));
  return [first, ...timesBetween(cron, zone, from, now)];
}

interface Place {
  readonly tx: Transaction;
  readonly companyId: string;
  readonly key: string;
  readonly now: Date;
}

/** Stores a time as an event, once; with a reason it starts nothing. */
async function insertTime({ tx, companyId, key, now }: Place, time: Date, reason?: string): Promise<boolean> {
  const scheduledAt = time.toISOString();
  const row = await tx
    .insertInto('events')
    .values({
      company_id: companyId,
      kind: 'schedule',
      key,
      dedupe_key: scheduledAt,
      subject_entity: null,
      subject_id: null,
      data: json({ scheduledAt }),
      ...(reason === undefined ? { reason: null, dispatched_at: null } : ignored(reason, now)),
    })
    .onConflict((conflict) => conflict.columns(['company_id', 'key', 'dedupe_key']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

function ignored(reason: string, now: Date) {
  return { status: 'ignored', reason, dispatched_at: now } as const;
}

/** Whether a run that this trigger started has not ended, or is about to start. Served by `runs_by_flow` and `events_latest`. */
async function hasOpenRun({ tx, companyId, key }: Place, flowId: string, nodeId: string): Promise<boolean> {
  const pending = await tx
    .selectFrom('events')
    .select('id')
    .where('company_id', '=', companyId)
    .where('key', '=', key)
    .where('status', '=', 'pending')
    .limit(1)
    .executeTakeFirst();
  if (pending) return true;
  const open = await tx
    .selectFrom('runs')
    .select('id')
    .where('company_id', '=', companyId)
    .where('flow_id', '=', flowId)
    .where('trigger_node_id', '=', nodeId)
    .where('finished_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return open !== undefined;
}
