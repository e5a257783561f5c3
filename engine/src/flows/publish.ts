import { json, type Transaction } from '@plumbline/db';
import { compile, flowInterface, type CatalogInfo, type Finding, type FlowDocument } from '@plumbline/workflows/flow';
import { planHash } from '@plumbline/workflows/plan-hash';
import type { Catalog } from '@plumbline/nodes';
import type { BrokenCaller, ChangeAuthors } from '../contract/index.ts';
import { ApiError } from '../problem.ts';
import { brokenCallers } from './broken-callers.ts';
import { companyCatalog } from './company-catalog.ts';
import { subscribe } from './subscribe.ts';

export interface Published {
  readonly number: number;
  readonly hash: string;
  /** Flows that can no longer call it as they do. */
  readonly brokenCallers: readonly BrokenCaller[];
}

/**
 * Makes the draft the live version: compiles it, keeps document and plan for ever, and points the subscriptions at it. Runs that are under way keep theirs.
 * Whoever asks holds the flow, so that versions are numbered one after the other.
 * @throws ApiError `flow_invalid` with the findings.
 */
export async function publish(
  tx: Transaction,
  work: {
    readonly companyId: string;
    readonly flowId: string;
    readonly document: FlowDocument;
    readonly note?: string;
    readonly publishedBy: string;
    /** Whether it was live before: then what only a new version is refused for is let be. */
    readonly wasLive?: boolean;
    /** Who changed what since the version before. @default nobody in particular */
    readonly authors?: ChangeAuthors;
    readonly catalog: Catalog;
    readonly info: CatalogInfo;
    readonly seal: (subscriptionId: string, secret: string) => Promise<string>;
    readonly now: Date;
  },
): Promise<Published> {
  const { companyId, flowId, document } = work;
  const { findings, plan } = compile(
    document,
    await companyCatalog(tx, { companyId, flowId, document, info: work.info }),
  );
  // While it is drawn a step may stand alone; nobody means one that never runs to go live.
  const isRefused = ({ code, severity }: Finding): boolean =>
    severity === 'error' || (code === 'node_unreachable' && !work.wasLive);
  const errors = findings.filter(isRefused);
  if (!plan || errors.length > 0) {
    throw new ApiError(
      'flow_invalid',
      `This flow cannot be published: ${errors[0]?.message ?? 'it is not complete.'}${errors.length > 1 ? ` And ${errors.length - 1} more.` : ''}`,
      {
        fix: errors[0]?.fix ?? 'Look at the problems list.',
        findings: findings.map((finding) => (isRefused(finding) ? { ...finding, severity: 'error' } : finding)),
      },
    );
  }
  await requireConnections(tx, companyId, document);
  const next = flowInterface(document, work.info);
  const broken = await brokenCallers(tx, { companyId, flowId, next, info: work.info });
  const hash = planHash(plan);
  await tx
    .insertInto('plans')
    .values({ company_id: companyId, hash, plan: json(plan) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const last = await tx
    .selectFrom('flow_versions')
    .select((eb) => eb.fn.max('number').as('number'))
    .where('company_id', '=', companyId)
    .where('flow_id', '=', flowId)
    .executeTakeFirst();
  const number = Number(last?.number ?? 0) + 1;
  await tx
    .insertInto('flow_versions')
    .values({
      company_id: companyId,
      flow_id: flowId,
      number,
      document: json(document),
      plan_hash: hash,
      interface: json(next),
      note: work.note ?? null,
      published_by: work.publishedBy,
      authors: json(work.authors ?? {}),
    })
    .execute();
  await tx
    .updateTable('flows')
    .set({ published_version: number, updated_at: work.now })
    .where('company_id', '=', companyId)
    .where('id', '=', flowId)
    .execute();
  await subscribe(tx, { companyId, flowId, document, catalog: work.catalog, seal: work.seal, now: work.now });
  return { number, hash, brokenCallers: broken };
}

/** A document may only name connections of its own company; the composite key in the database would refuse others anyway. */
async function requireConnections(tx: Transaction, companyId: string, document: FlowDocument): Promise<void> {
  const used = new Set(Object.values(document.nodes).flatMap((node) => (node.connection ? [node.connection] : [])));
  for (const [slot, connection] of Object.entries(document.connections)) {
    if (!used.has(slot) || !connection.id) continue;
    const row = await tx
      .selectFrom('integrations')
      .select('status')
      .where('company_id', '=', companyId)
      .where('id', '=', connection.id)
      .where('type', '=', connection.connector)
      .executeTakeFirst();
    if (!row || row.status === 'disconnected')
      throw new ApiError('flow_invalid', `The connection "${connection.title}" no longer exists.`, {
        path: `connections.${slot}`,
        fix: 'Choose another one in the flow.',
      });
  }
}
