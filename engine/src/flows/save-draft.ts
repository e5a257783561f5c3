import { json, type Transaction } from '@plumbline/db';
import { changesBetween, itemOf, type FlowDocument } from '@plumbline/workflows/flow';
import type { ChangeAuthors } from '../contract/index.ts';
import { ApiError, notFound } from '../problem.ts';

/** So many people are remembered for one step. */
const AUTHORS = 5;

/**
 * Keeps a draft, and who changed what in it, so that whoever publishes sees whose changes those are.
 * @returns the new revision
 * @throws ApiError `not_found`; `revision_conflict` when somebody else was first.
 */
export async function saveDraft(
  tx: Transaction,
  work: {
    readonly companyId: string;
    readonly flowId: string;
    /** The one it was read at. */
    readonly revision: number;
    readonly document: FlowDocument;
    readonly name?: string | undefined;
    /** @default stays as it is */
    readonly description?: string;
    readonly author: string;
    readonly now: Date;
  },
): Promise<number> {
  const { companyId, flowId, revision, document, name, description, author, now } = work;
  const before = await tx
    .selectFrom('flows')
    .select(['draft', 'draft_revision', 'draft_authors'])
    .where('company_id', '=', companyId)
    .where('id', '=', flowId)
    .forUpdate()
    .executeTakeFirst();
  if (!before) throw notFound('flow');
  if (before.draft_revision !== revision)
    throw new ApiError('revision_conflict', 'Someone else has changed this flow meanwhile.', {
      fix: 'Load it again and repeat your change, or overwrite theirs.',
    });
  const authors = { ...before.draft_authors } as Record<string, ChangeAuthors[string]>;
  for (const item of changesBetween(before.draft as FlowDocument, document).map(itemOf))
    authors[item] = [
      { name: author, at: now.toISOString() },
      ...(authors[item] ?? []).filter((other) => other.name !== author),
    ].slice(0, AUTHORS);
  await tx
    .updateTable('flows')
    .set({
      draft: json(document),
      draft_revision: revision + 1,
      draft_authors: json(authors),
      updated_at: now,
      ...(name ? { name } : {}),
      ...(description === undefined ? {} : { description }),
    })
    .where('company_id', '=', companyId)
    .where('id', '=', flowId)
    .execute();
  return revision + 1;
}
