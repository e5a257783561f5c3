import type { Store } from '@plumbline/db';
import { sql } from 'kysely';
import type { Accounting } from '../contract/index.ts';

/** What a run is counted as when it has not ended, and when it has; in a state of the other half it counts as nothing. */
const open = ['parked', 'waiting', 'running', 'queued'] as const;
const closed = { done: 'succeeded', failed: 'failed', cancelled: 'cancelled' } as const;

/**
 * Counts where everything is that came in. In one statement, so that the numbers are of one moment and tie whatever is under way; each part is counted
 * from what it leaves behind and not from the others, so that something lost shows.
 */
export async function account(store: Store, companyId: string, now: Date): Promise<Accounting> {
  const isOpen = (status: string) => sql`status = ${sql.lit(status)} and finished_at is null`;
  const isClosed = (status: string) => sql`status = ${sql.lit(status)} and finished_at is not null`;
  const parts = [
    ...open.map((status) => [status, isOpen(status)] as const),
    ...Object.entries(closed).map(([name, status]) => [name, isClosed(status)] as const),
  ];
  const { rows } = await store.tenant(companyId, (tx) =>
    sql<{
      events: Omit<Accounting['events'], 'ties' | 'oldestPendingAt'> & { readonly oldestPendingAt: string | null };
      runs: Omit<Accounting['runs'], 'ties'>;
    }>`
      select (
        select jsonb_build_object(
          'acknowledged', count(*),
          'ignored', count(*) filter (where place = 'ignored'),
          'dropped', count(*) filter (where place = 'dropped'),
          'withRuns', count(*) filter (where place = 'run'),
          'pending', count(*) filter (where place = 'pending'),
          'oldestPendingAt', min(received_at) filter (where place = 'pending'),
          'strays', coalesce(to_jsonb((array_agg(id order by received_at) filter (where place is null))[1:5]), '[]'))
          from (
            select id, received_at, case
                when status = 'pending' and ran.event_id is null then 'pending'
                when status = 'ignored' and ran.event_id is null then 'ignored'
                when status = 'dropped' and ran.event_id is null then 'dropped'
                when status = 'dispatched' and ran.event_id is not null then 'run' end as place
              from events
              left join (select distinct event_id from runs where company_id = ${companyId} and event_id is not null) ran on ran.event_id = events.id
             where company_id = ${companyId}) placed
      ) as events, (
        select jsonb_build_object(
          'total', count(*),
          ${sql.join(parts.map(([name, is]) => sql`${sql.lit(name)}, count(*) filter (where ${is})`))},
          'strays', coalesce(to_jsonb((array_agg(id order by queued_at) filter (where not (${sql.join(
            parts.map(([, is]) => sql`(${is})`),
            sql` or `,
          )})))[1:5]), '[]'))
          from runs where company_id = ${companyId}
      ) as runs`.execute(tx),
  );
  const [counted] = rows;
  if (!counted) throw new Error('Nothing was counted');
  const { events, runs } = counted;
  const sum = [...open, ...(Object.keys(closed) as (keyof typeof closed)[])].reduce((all, name) => all + runs[name], 0);
  const tie = {
    events: events.acknowledged === events.ignored + events.dropped + events.withRuns + events.pending,
    runs: runs.total === sum,
  };
  return {
    at: now.toISOString(),
    events: {
      ...events,
      oldestPendingAt: events.oldestPendingAt && new Date(events.oldestPendingAt).toISOString(),
      ties: tie.events,
    },
    runs: { ...runs, ties: tie.runs },
    ties: tie.events && tie.runs,
  };
}
