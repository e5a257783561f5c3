import { json, type Transaction } from '@plumbline/db';
import { appendAudit } from '@plumbline/db/queries/audit';
import { canonicalJson } from '@plumbline/workflows/flow';
import type { FlowPublished } from '../contract/index.ts';
import { ApiError } from '../problem.ts';
import type { Services } from '../services.ts';
import { lockFlow } from './lock.ts';
import { publish } from './publish.ts';
import { readFlow } from './read.ts';
import { readLatest, readVersionDocument } from './versions.ts';

/**
 * Publishes an old version again, under a new number: history only grows. A draft with changes of its own stays; one without follows.
 * @throws ApiError `not_found`; `invalid_transition` for the version that is live; `flow_invalid` when it would not run today.
 */
export async function rollBack(
  tx: Transaction,
  { deps, info }: Pick<Services, 'deps' | 'info'>,
  work: {
    readonly companyId: string;
    readonly flowId: string;
    readonly number: number;
    readonly note?: string;
    readonly actor: string;
    readonly seal: (subscriptionId: string, secret: string) => Promise<string>;
  },
): Promise<FlowPublished> {
  const { companyId, flowId, number, note, actor, seal } = work;
  await lockFlow(tx, companyId, flowId);
  const flow = await readFlow(tx, companyId, flowId, info, deps.now());
  const document = await readVersionDocument(tx, { companyId, flowId, number });
  if (flow.publishedVersion === number)
    throw new ApiError('invalid_transition', `Version ${number} is the one that is live.`, {
      fix: 'Choose an earlier one.',
    });
  const published = await publish(tx, {
    ...{ companyId, flowId, document, publishedBy: actor, catalog: deps.catalog, info, seal, now: deps.now() },
    note: note ?? `Back to version ${number}`,
    wasLive: true,
  });
  if (!flow.hasUnpublishedChanges && canonicalJson(document) !== canonicalJson(flow.draft))
    await tx
      .updateTable('flows')
      .set({ draft: json(document), draft_revision: flow.revision + 1, draft_authors: '{}' })
      .where('company_id', '=', companyId)
      .where('id', '=', flowId)
      .execute();
  await appendAudit(tx, {
    actor,
    action: 'flow.rolled_back',
    targetType: 'flow',
    targetId: flowId,
    details: { to: number, version: published.number, plan: published.hash },
  });
  return { ...(await readLatest(tx, companyId, flowId)), brokenCallers: published.brokenCallers };
}
