import type { Transaction } from '@plumbline/db';
import type { FlowDocument } from '@plumbline/workflows/flow';
import type { FlowVersionSummary } from '../contract/index.ts';
import { notFound } from '../problem.ts';

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

/** The version that was published last. @throws ApiError `not_found` before the first */
export async function readLatest(tx: Transaction, companyId: string, flowId: string): Promise<FlowVersionSummary> {
  const [latest] = await readVersions(tx, companyId, flowId);
  if (!latest) throw notFound('version');
  return latest;
}

/** What a flow is drawn as: in a version, or else now. @throws ApiError `not_found` */
export async function readDrawing(
  tx: Transaction,
  {
    companyId,
    flowId,
    version,
  }: { readonly companyId: string; readonly flowId: string; readonly version?: number | undefined },
): Promise<FlowDocument> {
  if (version !== undefined) return await readVersionDocument(tx, { companyId, flowId, number: version });
  const row = await tx
    .selectFrom('flows')
    .select('draft')
    .where('company_id', '=', companyId)
    .where('id', '=', flowId)
    .executeTakeFirst();
  if (!row) throw notFound('flow');
  return row.draft as FlowDocument;
}

/** What a version was drawn as. @throws ApiError `not_found` */
export async function readVersionDocument(
  tx: Transaction,
  version: { readonly companyId: string; readonly flowId: string; readonly number: number },
): Promise<FlowDocument> {
  const row = await tx
    .selectFrom('flow_versions')
    .select('document')
    .where('company_id', '=', version.companyId)
    .where('flow_id', '=', version.flowId)
    .where('number', '=', version.number)
    .executeTakeFirst();
  if (!row) throw notFound('version');
  return row.document as FlowDocument;
}
