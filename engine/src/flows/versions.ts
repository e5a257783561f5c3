import type { Transaction } from '@plumbline/db';
import type { FlowVersionSummary } from '../contract.ts';

/** A flow's versions, newest first, with the runs that still run each. */
export async function readVersions(tx: Transaction, companyId: string, flowId: string): Promise<FlowVersionSummary[]> {
  const rows = await tx
    .selectFrom('flow_versions')
    .select(['number', 'published_at', 'published_by', 'note', 'plan_hash', 'authors'])
    .where('company_id', '=', companyId)
    .where('flow_id', '=', flowId)
    .orderBy('number', 'desc')
    .execute();
  const open = await tx
    .selectFrom('runs')
    .select((eb) => ['flow_version', eb.fn.countAll<string>().as('count')])
    .where('company_id', '=', companyId)
    .where('flow_id', '=', flowId)
    .where('finished_at', 'is', null)
    .groupBy('flow_version')
    .execute();
  const openRuns = new Map(open.map((row) => [row.flow_version, Number(row.count)]));
  return rows.map((row) => ({
    number: row.number,
    publishedAt: row.published_at.toISOString(),
    publishedBy: row.published_by,
    note: row.note,
    planHash: row.plan_hash,
    authors: row.authors,
    openRuns: openRuns.get(row.number) ?? 0,
  }));
}
