import { json, type Transaction } from '@plumbline/db';
import { appendAudit } from '@plumbline/db/queries/audit';
import { sql, type RawBuilder } from 'kysely';
import type { DropOutcome, DropRequest, EventDrop, PendingChoice, PendingEvent } from '../contract/index.ts';
import { tellDispatchers } from '../dispatch/channel.ts';
import { describeSubject } from '../flows/subject.ts';
import { ApiError, notFound } from '../problem.ts';
import { mask } from './mask.ts';

/** So many are dropped at once: the locks of more would hold up the dispatcher. */
const AT_ONCE = 20_000;
const SHOWN = 100;
const EXCERPT = 160;
const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;

interface Who {
  readonly companyId: string;
  readonly actor: string;
  readonly now: Date;
}

/**
 * Drops events that have not begun, together and for a reason; they stay, and can be put back for thirty days. One that begins meanwhile is left alone:
 * whoever takes it for a run and whoever drops it lock the same row, and the second finds it no longer pending.
 * @throws ApiError `not_found` when none waits; `invalid_input` without a reason.
 */
export async function dropEvents(tx: Transaction, who: Who, request: DropRequest): Promise<DropOutcome> {
  const { companyId, actor, now } = who;
  const { choice, reason, dryRun } = request;
  const fits = fitting(companyId, choice, request.upTo);
  const { rows } = await sql<{ count: number; up_to: string | null }>`
    select count(*)::int as count, max(seq)::text as up_to from events where ${fits}`.execute(tx);
  const { count = 0, up_to: upTo } = rows[0] ?? { up_to: null };
  if (dryRun)
    return {
      count: Math.min(count, AT_ONCE),
      events: await firstOf(tx, fits),
      upTo: upTo ?? '0',
      left: Math.max(0, count - AT_ONCE),
      drop: null,
    };
  if (reason === '')
    throw new ApiError('invalid_input', 'There is no reason.', {
      path: 'reason',
      fix: 'Say why they are dropped, for whoever looks for them later.',
    });
  const { rows: locked } = await sql<{ id: string; kind: string }>`
    select id, kind from events where ${fits} order by seq limit ${AT_ONCE} for update skip locked`.execute(tx);
  if (locked.length === 0)
    throw new ApiError('not_found', 'None of these events waits any more.', {
      fix: 'They have begun, or somebody has dropped them. Look at the runs.',
    });
  const { id } = await tx
    .insertInto('event_drops')
    .values({
      ...{ company_id: companyId, reason, chosen: json(choice), count: locked.length },
      ...{ dropped_by: actor, dropped_at: now, put_back_by: null, put_back_at: null },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await sql`
    update events set status = 'dropped', drop_id = ${id}, reason = ${`Dropped by ${actor}: ${reason}`}
     where company_id = ${companyId} and status = 'pending'
       and id in (select jsonb_array_elements_text(${json(locked.map((event) => event.id))}::jsonb)::uuid)`.execute(tx);
  await appendAudit(tx, {
    ...{ actor, action: 'events.dropped', targetType: 'event_drop', targetId: id },
    details: { reason, count: locked.length, choice: 'ids' in choice ? { ids: choice.ids.slice(0, 100) } : choice },
  });
  const [drop] = await readDrops(tx, { companyId, now, id });
  return {
    count: locked.length,
    events: [],
    upTo: upTo ?? '0',
    left: count - locked.length,
    drop: drop ?? null,
  };
}

/** What was dropped within the time for which it is kept, newest first. */
export async function listDrops(tx: Transaction, companyId: string, now: Date): Promise<EventDrop[]> {
  return await readDrops(tx, { companyId, now });
}

/**
 * Puts dropped events back in line, in their old places.
 * @throws ApiError `not_found`; `invalid_transition` when it is too late, or was done before.
 */
export async function putBack(tx: Transaction, { companyId, actor, now }: Who, id: string): Promise<EventDrop> {
  const row = await tx
    .selectFrom('event_drops')
    .select(['dropped_at', 'put_back_by'])
    .where('company_id', '=', companyId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw notFound('drop');
  if (row.put_back_by)
    throw new ApiError('invalid_transition', `${row.put_back_by} has put these events back already.`, {
      fix: 'Look at the runs.',
    });
  if (row.dropped_at.getTime() + KEPT_DAYS * DAY_MS < now.getTime())
    throw new ApiError('invalid_transition', `These events were dropped more than ${KEPT_DAYS} days ago.`, {
      fix: 'Have them sent again by whoever sent them.',
    });
  const { rows } = await sql`
    update events set status = 'pending', drop_id = null, reason = null
     where company_id = ${companyId} and drop_id = ${id} and status = 'dropped' returning 1`.execute(tx);
  await tellDispatchers(tx, companyId);
  await tx
    .updateTable('event_drops')
    .set({ put_back_by: actor, put_back_at: now })
    .where('company_id', '=', companyId)
    .where('id', '=', id)
    .execute();
  await appendAudit(tx, {
    ...{ actor, action: 'events.put_back', targetType: 'event_drop', targetId: id },
    details: { count: rows.length },
  });
  const [drop] = await readDrops(tx, { companyId, now, id });
  if (!drop) throw notFound('drop');
  return drop;
}

/** Served by `events_pending`. */
function fitting(companyId: string, choice: PendingChoice, upTo: string | undefined): RawBuilder<boolean> {
  const parts: RawBuilder<unknown>[] = [sql`company_id = ${companyId} and status = 'pending'`];
  if (upTo !== undefined) parts.push(sql`seq <= ${upTo}::bigint`);
  if ('ids' in choice) parts.push(sql`id in (select jsonb_array_elements_text(${json(choice.ids)}::jsonb)::uuid)`);
  else {
    const { kind, key, q } = choice;
    if (kind !== undefined) parts.push(sql`kind = ${kind}`);
    if (key !== undefined) parts.push(sql`key = ${key}`);
    if (q !== undefined) {
      const like = `%${q.replace(/[\\%_]/g, '\\$&')}%`;
      parts.push(sql`(data::text ilike ${like} or dedupe_key ilike ${like})`);
    }
  }
  return sql<boolean>`${sql.join(parts, sql` and `)}`;
}

async function firstOf(tx: Transaction, fits: RawBuilder<boolean>): Promise<PendingEvent[]> {
  const { rows } = await sql<{
    id: string;
    kind: string;
    key: string;
    data: Record<string, unknown>;
    received_at: Date;
  }>`
    select id, kind, key, data, received_at from events where ${fits} order by seq limit ${SHOWN}`.execute(tx);
  return rows.map(({ id, kind, key, data, received_at }) => ({
    ...{ id, kind, key, subject: describeSubject(key, data) },
    excerpt: JSON.stringify(mask(data['body'] ?? data)).slice(0, EXCERPT),
    receivedAt: new Date(received_at).toISOString(),
  }));
}

async function readDrops(
  tx: Transaction,
  { companyId, now, id }: { readonly companyId: string; readonly now: Date; readonly id?: string },
): Promise<EventDrop[]> {
  const { rows } = await sql<{
    id: string;
    reason: string;
    count: number;
    kinds: string[] | null;
    dropped_by: string;
    dropped_at: Date;
    put_back_by: string | null;
    put_back_at: Date | null;
  }>`
    select event_drops.*, (select array_agg(distinct case kind when 'record' then key else kind end) from events
                            where events.company_id = ${companyId} and events.drop_id = event_drops.id) as kinds
      from event_drops
     where company_id = ${companyId} and ${id === undefined ? sql`dropped_at > ${new Date(now.getTime() - KEPT_DAYS * DAY_MS)}` : sql`id = ${id}`}
     order by dropped_at desc limit 50`.execute(tx);
  return rows.map((row) => ({
    ...{ id: row.id, reason: row.reason, count: row.count, kinds: row.kinds ?? [], droppedBy: row.dropped_by },
    droppedAt: new Date(row.dropped_at).toISOString(),
    keptUntil: new Date(new Date(row.dropped_at).getTime() + KEPT_DAYS * DAY_MS).toISOString(),
    putBackBy: row.put_back_by,
    putBackAt: row.put_back_at && new Date(row.put_back_at).toISOString(),
  }));
}
