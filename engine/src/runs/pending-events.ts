import type { Transaction } from '@plumbline/db';
import { appendAudit } from '@plumbline/db/queries/audit';
import { sql } from 'kysely';
import type { PendingEvents } from '../contract/index.ts';
import { tellDispatchers } from '../dispatch/channel.ts';
import { notFound } from '../problem.ts';

/** Events whose turn has not come, by kind and key, in the order in which it comes. Served by `events_pending_by_lane`. */
export async function listPending(tx: Transaction, companyId: string): Promise<PendingEvents[]> {
  const { rows } = await sql<{
    kind: string;
    key: string;
    flows: string[] | null;
    count: string;
    oldest: Date;
    first: boolean;
  }>`
    select kind, key, count(*) as count, min(received_at) as oldest, bool_or(put_first) as first,
           (select array_agg(distinct flows.name) from subscriptions join flows on flows.company_id = subscriptions.company_id and flows.id = subscriptions.flow_id
             where subscriptions.company_id = ${companyId} and subscriptions.kind = events.kind and subscriptions.key = events.key and subscriptions.active) as flows
      from events where company_id = ${companyId} and status = 'pending'
     group by kind, key order by bool_or(put_first) desc, min(lane), min(seq) limit 50`.execute(tx);
  return rows.map(({ kind, key, flows, count, oldest, first }) => ({
    ...{ kind, key, first, flows: flows ?? [], count: Number(count) },
    oldest: new Date(oldest).toISOString(),
  }));
}

/**
 * Lets the events of one kind and key that wait now go before all others; those that come later take their usual place.
 * @returns how many there are
 * @throws ApiError `not_found` when none waits.
 */
export async function putFirst(
  tx: Transaction,
  who: { readonly companyId: string; readonly actor: string },
  { kind, key }: { readonly kind: string; readonly key: string },
): Promise<number> {
  const { companyId, actor } = who;
  const { numUpdatedRows } = await tx
    .updateTable('events')
    .set({ put_first: true })
    .where('company_id', '=', companyId)
    .where('status', '=', 'pending')
    .where('kind', '=', kind as never)
    .where('key', '=', key)
    .executeTakeFirst();
  const count = Number(numUpdatedRows);
  if (count === 0) throw notFound('event that waits');
  await tellDispatchers(tx, companyId);
  await appendAudit(tx, {
    actor,
    action: 'events.put_first',
    targetType: 'events',
    targetId: key.slice(0, 200),
    details: { kind, count },
  });
  return count;
}
