import type { Transaction } from '@plumbline/db';
import { sql } from 'kysely';
import type { ErrorGroup } from '../contract/index.ts';
import { mask } from './mask.ts';

/** What runs failed with, most of it first, by flow and code. Served by `runs_failed`. */
export async function listErrors(
  tx: Transaction,
  { companyId, flowId, since }: { readonly companyId: string; readonly flowId?: string; readonly since: Date },
): Promise<ErrorGroup[]> {
  const newest = <T>(expression: string) =>
    sql<T>`(array_agg(${sql.raw(expression)} order by runs.queued_at desc, runs.id))[1]`;
  let query = tx
    .selectFrom('runs')
    .innerJoin('flows', (join) =>
      join.onRef('flows.company_id', '=', 'runs.company_id').onRef('flows.id', '=', 'runs.flow_id'),
    )
    .select((eb) => [
      'runs.flow_id',
      'flows.name',
      'runs.error_code',
      eb.fn.countAll<string>().as('count'),
      eb.fn.min('runs.queued_at').as('oldest'),
      eb.fn.max('runs.queued_at').as('newest'),
      newest<Record<string, string> | null>('runs.error').as('error'),
      newest<string>('runs.id').as('run_id'),
    ])
    .where('runs.company_id', '=', companyId)
    .where('runs.test', 'is', null)
    .where('runs.status', '=', 'failed')
    .where('runs.queued_at', '>=', since)
    .groupBy(['runs.flow_id', 'flows.name', 'runs.error_code'])
    .orderBy('count', 'desc')
    .orderBy('newest', 'desc')
    .limit(200);
  if (flowId) query = query.where('runs.flow_id', '=', flowId);
  const rows = await query.execute();
  return rows.map((row) => ({
    flowId: row.flow_id,
    flowName: row.name,
    kind: row.error?.['kind'] ?? '',
    code: row.error_code ?? '',
    count: Number(row.count),
    message: mask(row.error?.['message'] ?? 'It failed without a reason on record.'),
    exampleRunId: row.run_id,
    oldest: new Date(row.oldest).toISOString(),
    newest: new Date(row.newest).toISOString(),
  }));
}
