import type { Transaction } from '@plumbline/db';
import { sql } from 'kysely';
import type { SimilarFailures } from '../contract/index.ts';

interface Trouble {
  readonly node_id: string;
  readonly status: string;
  readonly error: Readonly<Record<string, unknown>> | null;
}

/**
 * How many other runs of the flow came to the same error, for each step of a run that is in trouble. A handful of statements at most: a run stops at few
 * steps. Served by `runs_open` and `runs_failed`.
 */
export async function similarFailures(
  tx: Transaction,
  companyId: string,
  run: { readonly id: string; readonly flowId: string; readonly steps: readonly Trouble[] },
): Promise<ReadonlyMap<string, SimilarFailures>> {
  const found = new Map<string, SimilarFailures>();
  for (const { node_id: nodeId, status, error } of run.steps) {
    if (!error || !['parked', 'failed'].includes(status) || found.has(nodeId) || found.size >= 5) continue;
    const [kind, code] = [String(error['kind']), String(error['code'])];
    const { rows } = await sql<{ waiting: string; failed: string }>`
      select (select count(*) from runs join steps on steps.company_id = runs.company_id and steps.run_id = runs.id
               where runs.company_id = ${companyId} and runs.finished_at is null and runs.flow_id = ${run.flowId} and runs.id <> ${run.id}
                 and steps.node_id = ${nodeId} and steps.status = 'parked'
                 and steps.error ->> 'kind' = ${kind} and steps.error ->> 'code' = ${code}) as waiting,
             (select count(*) from runs
               where company_id = ${companyId} and flow_id = ${run.flowId} and status = 'failed' and error_code = ${code} and test is null
                 and queued_at > now() - interval '30 days' and id <> ${run.id}
                 and exists (select from steps where steps.company_id = runs.company_id and steps.run_id = runs.id and steps.node_id = ${nodeId}
                                and steps.status = 'failed' and steps.error ->> 'code' = ${code})) as failed`.execute(
      tx,
    );
    found.set(nodeId, { waiting: Number(rows[0]?.waiting ?? 0), failed: Number(rows[0]?.failed ?? 0) });
  }
  return found;
}
