import type { Transaction } from '@plumbline/db';
import { notFound } from '../problem.ts';

/**
 * Holds a flow for the rest of the transaction: its draft and its versions stay as they are read after this. Runs of it may begin meanwhile, so whoever
 * polls for it is not waited for and does not wait.
 * @returns the revision of its draft
 * @throws ApiError `not_found`
 */
export async function lockFlow(tx: Transaction, companyId: string, flowId: string): Promise<number> {
  const row = await tx
    .selectFrom('flows')
    .select('draft_revision')
    .where('company_id', '=', companyId)
    .where('id', '=', flowId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!row) throw notFound('flow');
  return row.draft_revision;
}
