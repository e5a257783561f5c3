import type { Store, Transaction } from '@plumbline/db';

/** The run ended while one of its steps was on its way. */
export class RunEnded extends Error {}

/**
 * Has a step hand something over while its run is open, and keeps the run so until that is committed: whoever ends it comes after, and finds what is written.
 * The run comes before any lock by name, as it does where a run is ended.
 * @throws RunEnded
 */
export async function whileOpen<T>(
  store: Store,
  { companyId, runId }: { readonly companyId: string; readonly runId: string },
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  return await store.tenant(companyId, async (tx) => {
    const run = await tx
      .selectFrom('runs')
      .select('id')
      .where('company_id', '=', companyId)
      .where('id', '=', runId)
      .where('finished_at', 'is', null)
      .forShare()
      .executeTakeFirst();
    if (!run) throw new RunEnded(`Run ${runId} has ended`);
    return await work(tx);
  });
}
