import { json, type DispatcherStore, type Store } from '@plumbline/db';
import { nextTimes } from '@plumbline/workflows/flow';
import type { Logger } from 'pino';

export interface SchedulerOptions {
  readonly store: Store;
  readonly dispatcher: DispatcherStore;
  readonly log: Logger;
  readonly now: () => Date;
}

/**
 * Turns schedules that are due into events. The event and the next time are written in one transaction, so any number of processes may do it and no
 * time is lost or doubled. What came due while nothing ran comes once, not once for each time that was missed.
 * @returns how many fired.
 */
export async function fireDueSchedules(options: SchedulerOptions): Promise<number> {
  const now = options.now();
  let fired = 0;
  for (const due of await options.dispatcher.dueSchedules(now, 500)) {
    try {
      if (await fire(options, due, now)) fired += 1;
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
): Promise<boolean> {
  return await store.tenant(companyId, async (tx) => {
    const row = await tx
      .selectFrom('subscriptions')
      .innerJoin('companies', 'companies.id', 'subscriptions.company_id')
      .innerJoin('flows', (join) =>
        join.onRef('flows.id', '=', 'subscriptions.flow_id').onRef('flows.company_id', '=', 'subscriptions.company_id'),
      )
      .select([
        'subscriptions.key',
        'subscriptions.config',
        'subscriptions.next_fire_at',
        'companies.time_zone',
        'flows.status',
      ])
      .where('subscriptions.company_id', '=', companyId)
      .where('subscriptions.id', '=', subscriptionId)
      .where('subscriptions.active', '=', true)
      .where('subscriptions.next_fire_at', '<=', now)
      .forUpdate('subscriptions')
      .skipLocked()
      .executeTakeFirst();
    if (!row?.next_fire_at) return false;
    const { cron, timeZone } = row.config as { cron: string; timeZone?: string };
    const [next] = nextTimes(cron, timeZone || row.time_zone, now, 1);
    await tx
      .updateTable('subscriptions')
      .set({ next_fire_at: next ?? null })
      .where('company_id', '=', companyId)
      .where('id', '=', subscriptionId)
      .execute();
    // Switched off, it keeps its times and starts nothing.
    if (row.status !== 'on') return false;
    const scheduledAt = new Date(row.next_fire_at).toISOString();
    await tx
      .insertInto('events')
      .values({
        company_id: companyId,
        kind: 'schedule',
        key: row.key,
        dedupe_key: scheduledAt,
        subject_entity: null,
        subject_id: null,
        data: json({ scheduledAt }),
        reason: null,
        dispatched_at: null,
      })
      .onConflict((conflict) => conflict.columns(['company_id', 'key', 'dedupe_key']).doNothing())
      .execute();
    return true;
  });
}
