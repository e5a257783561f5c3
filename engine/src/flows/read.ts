import type { Transaction } from '@plumbline/db';
import {
  canonicalJson,
  compile,
  findNodeType,
  parseFlow,
  type CatalogInfo,
  type FlowDocument,
} from '@plumbline/workflows/flow';
import type { FlowDetail, FlowSummary, RunStatus } from '../contract/index.ts';
import { notFound } from '../problem.ts';
import { companyCatalog } from './company-catalog.ts';

/** All flows of the company, newest change first. */
export async function listFlows(
  tx: Transaction,
  companyId: string,
  info: CatalogInfo,
  now: Date,
): Promise<FlowSummary[]> {
  const rows = await flowRows(tx, companyId).orderBy('flows.updated_at', 'desc').execute();
  return await Promise.all(rows.map((row) => summarize(tx, companyId, row, info, now)));
}

/** @throws ApiError `not_found` */
export async function readFlow(
  tx: Transaction,
  companyId: string,
  flowId: string,
  info: CatalogInfo,
  now: Date,
): Promise<FlowDetail> {
  const row = await flowRows(tx, companyId).where('flows.id', '=', flowId).executeTakeFirst();
  if (!row) throw notFound('flow');
  const summary = await summarize(tx, companyId, row, info, now);
  const draft = row.draft as FlowDocument;
  return {
    ...summary,
    draft,
    revision: row.draft_revision,
    authors: row.draft_authors,
    findings: await findingsOf(tx, { companyId, flowId, document: draft, info }),
  };
}

/** What the compiler says of a document of the company, whatever its state. */
export async function findingsOf(
  tx: Transaction,
  given: {
    readonly companyId: string;
    readonly flowId: string;
    readonly document: unknown;
    readonly info: CatalogInfo;
  },
) {
  const parsed = parseFlow(given.document);
  if ('findings' in parsed) return parsed.findings;
  const { document } = parsed;
  return compile(document, await companyCatalog(tx, { ...given, document })).findings;
}

type FlowRow = Awaited<ReturnType<ReturnType<typeof flowRows>['execute']>>[number];

function flowRows(tx: Transaction, companyId: string) {
  return tx
    .selectFrom('flows')
    .leftJoin('flow_versions as live', (join) =>
      join
        .onRef('live.company_id', '=', 'flows.company_id')
        .onRef('live.flow_id', '=', 'flows.id')
        .onRef('live.number', '=', 'flows.published_version'),
    )
    .select([
      'flows.id',
      'flows.name',
      'flows.description',
      'flows.status',
      'flows.draft',
      'flows.draft_revision',
      'flows.draft_authors',
      'flows.published_version',
      'flows.template_slug',
      'flows.updated_at',
      'live.document as live_document',
    ])
    .where('flows.company_id', '=', companyId);
}

async function summarize(
  tx: Transaction,
  companyId: string,
  row: FlowRow,
  info: CatalogInfo,
  now: Date,
): Promise<FlowSummary> {
  const document = row.draft as FlowDocument;
  const types = Object.values(document.nodes).map((node) => findNodeType(info, node.type, node.version));
  const trigger = types.find((type) => type?.kind === 'trigger');
  const runs = tx
    .selectFrom('runs')
    .where('company_id', '=', companyId)
    .where('flow_id', '=', row.id)
    .where('test', 'is', null);
  const last = await runs
    .select(['id', 'status', 'queued_at'])
    .orderBy('queued_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  const counts = await runs
    .select((eb) => ['status', eb.fn.countAll<string>().as('count')])
    .where('finished_at', '>', new Date(now.getTime() - 86_400_000))
    .groupBy('status')
    .execute();
  const count = (status: RunStatus): number => Number(counts.find((entry) => entry.status === status)?.count ?? 0);
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    status: row.status,
    publishedVersion: row.published_version,
    hasUnpublishedChanges: row.live_document === null || canonicalJson(row.live_document) !== canonicalJson(document),
    trigger: trigger ? { type: trigger.id, title: trigger.title } : null,
    connectors: [...new Set(types.flatMap((type) => (type?.connector ? [type.connector] : [])))],
    templateSlug: row.template_slug,
    lastRun: last ? { id: last.id, status: last.status, at: last.queued_at.toISOString() } : null,
    last24h: { succeeded: count('succeeded'), failed: count('failed') },
    updatedAt: row.updated_at.toISOString(),
  };
}
