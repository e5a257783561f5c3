import type { Transaction } from '@plumbline/db';

/** The run ended while one of its steps was on its way. */
export class RunEnded extends Error {}

/**
 * Looks that a run is open, and keeps it so until the transaction ends: whoever ends it comes after, and finds what is written here.
 * @throws RunEnded
 */
export async function requireOpenRun(
  tx: Transaction,
  { companyId, runId }: { readonly companyId: string; readonly runId: string },
): Promise<void> {
  const run = await tx
    .selectFrom('runs')
    .select('id')
    .where('company_id', '=', companyId)
    .where('id', '=', runId)
    .where('finished_at', 'is', null)
    .forShare()
    .executeTakeFirst();
  if (!run) throw new RunEnded(`Run ${runId} has ended`);
}
