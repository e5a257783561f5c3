import type { Store } from '@plumbline/db';
import { sql } from 'kysely';

/** So long it is looked whether what had trouble works again. */
const LOOKED_FOR_DAYS = 7;

/**
 * Closes what people were told of that waits for nobody any more, whether it was tried again, skipped, given up or cancelled, so that new trouble is told
 * anew; and says that a step works again once a run that came after the trouble got through there. The keys of notices are those of `tellPeople`.
 */
export async function closeTroubles(store: Store, companyId: string, now: Date): Promise<void> {
  await store.tenant(companyId, async (tx) => {
    // What is stuck at a step for the reason that was told.
    const stuck = sql`
      select from runs join steps on steps.company_id = runs.company_id and steps.run_id = runs.id
       where runs.company_id = ${companyId} and runs.flow_id = told.flow_id and runs.finished_at is null
         and steps.node_id = told.node_id and steps.status in ('parked', 'waiting', 'running')
         and left('parked:' || told.flow_id || ':' || told.node_id || ':' || (steps.error ->> 'kind') || ':' || (steps.error ->> 'code'), 400) = told.key`;
    const told = sql`
      select id, key, created_at, read_at, split_part(key, ':', 2)::uuid as flow_id, split_part(key, ':', 3) as node_id
        from notifications where company_id = ${companyId} and starts_with(key, 'parked:')`;
    await sql`
      with told as materialized (${told} and read_at is null)
      update notifications set read_at = ${now}
       where company_id = ${companyId} and id in (select id from told where not exists (${stuck}))`.execute(tx);
    await sql`
      with told as materialized (
        ${told} and read_at is not null and created_at > ${new Date(now.getTime() - LOOKED_FOR_DAYS * 86_400_000)}),
      works as (
        select distinct on (told.flow_id, told.node_id) told.flow_id, told.node_id, told.created_at as told_at, through.run_id, through.name
          from told cross join lateral (
            select runs.id as run_id, plans.plan -> 'steps' -> told.node_id ->> 'name' as name
              from runs join steps on steps.company_id = runs.company_id and steps.run_id = runs.id
                        join plans on plans.company_id = runs.company_id and plans.hash = runs.plan_hash
             where runs.company_id = ${companyId} and runs.flow_id = told.flow_id and runs.queued_at > told.created_at
               and runs.test is null and steps.node_id = told.node_id and steps.status = 'succeeded'
             limit 1) through
         where not exists (${stuck})
           and not exists (
             select from notifications later where later.company_id = ${companyId} and later.created_at >= told.created_at
                and later.key = 'recovered:' || told.flow_id || ':' || told.node_id)
         order by told.flow_id, told.node_id, told.created_at desc)
      insert into notifications (company_id, key, title, body, severity, run_id, read_at, created_at)
      select ${companyId}, 'recovered:' || works.flow_id || ':' || works.node_id, '"' || coalesce(works.name, works.node_id) || '" works again',
             'Nothing of "' || flows.name || '" waits for you there any more.', 'info', works.run_id, null, ${now}
        from works join flows on flows.company_id = ${companyId} and flows.id = works.flow_id
      on conflict (company_id, key) do update set
        title = excluded.title, body = excluded.body, run_id = excluded.run_id, read_at = null, created_at = excluded.created_at`.execute(
      tx,
    );
  });
}
