import type { Store } from '@plumbline/db';
import { stuckFor, tellItWorks } from '@plumbline/workflows/activities/step-notices';
import { sql } from 'kysely';

/** So long it is looked whether what had trouble works again. */
const LOOKED_FOR_DAYS = 7;

/**
 * Closes what people were told of that waits for nobody any more, whether it was tried again, skipped, given up or cancelled, so that new trouble is told
 * anew; and says that a step works again once a run that came after the trouble got through there. The keys of notices are those of `tellPeople`.
 */
export async function closeTroubles(store: Store, companyId: string, now: Date): Promise<void> {
  await store.tenant(companyId, async (tx) => {
    const stuck = stuckFor(companyId, { flowId: sql`told.flow_id`, nodeId: sql`told.node_id` });
    const told = sql`
      select id, key, created_at, split_part(key, ':', 2)::uuid as flow_id, split_part(key, ':', 3) as node_id
        from notifications where company_id = ${companyId} and starts_with(key, 'parked:')`;
    await sql`
      with told as materialized (${told} and over_at is null)
      update notifications set over_at = ${now}
       where company_id = ${companyId} and id in (select id from told where not exists (${stuck}))`.execute(tx);
    const { rows } = await sql<{ flow_id: string; node_id: string; told_at: Date; run_id: string; name: string }>`
      with told as materialized (
        ${told} and over_at is not null and created_at > ${new Date(now.getTime() - LOOKED_FOR_DAYS * 86_400_000)})
      select distinct on (told.flow_id, told.node_id) told.flow_id, told.node_id, told.created_at as told_at, through.run_id, through.name
        from told cross join lateral (
          select runs.id as run_id, coalesce(plans.plan -> 'steps' -> told.node_id ->> 'name', told.node_id) as name
            from runs join steps on steps.company_id = runs.company_id and steps.run_id = runs.id
                      join plans on plans.company_id = runs.company_id and plans.hash = runs.plan_hash
           where runs.company_id = ${companyId} and runs.flow_id = told.flow_id and runs.queued_at > told.created_at
             and runs.test is null and steps.node_id = told.node_id and steps.status = 'succeeded'
           limit 1) through
       where not exists (${stuck})
         and not exists (
           select from notifications later where later.company_id = ${companyId} and later.created_at >= told.created_at
              and later.key = 'recovered:' || told.flow_id || ':' || told.node_id)
       order by told.flow_id, told.node_id, told.created_at desc`.execute(tx);
    for (const { flow_id: flowId, node_id: nodeId, run_id: runId, told_at: at, name } of rows)
      await tellItWorks(tx, { companyId, runId, flowId, nodeId, name, told: at, at: now });
  });
}
