import type { Store, Transaction } from '@plumbline/db';
import { sql } from 'kysely';
import type { Place } from './place.ts';

/** What has been over for so long is cleared away, a few at a time, by whoever comes by. */
const CLEARED_AT_ONCE = 50;

/**
 * Whether this step is the first with a key within so many seconds. Carried out again, it says the same, and so it does in a run that repeats the run that was
 * the first; of two at the same moment one is the first.
 */
export async function firstOf(
  store: Store,
  place: Place,
  given: { readonly key: string; readonly seconds: number; readonly now: Date },
): Promise<boolean> {
  const { companyId, flowId, nodeId, runId, iteration } = place;
  const { key, seconds, now } = given;
  const until = new Date(now.getTime() + seconds * 1_000);
  return await store.tenant(companyId, async (tx) => {
    await sql`
      delete from seen_keys where (company_id, flow_id, node_id, key) in (
        select company_id, flow_id, node_id, key from seen_keys
         where company_id = ${companyId} and until <= ${now} limit ${CLEARED_AT_ONCE} for update skip locked)`.execute(
      tx,
    );
    const { rows } = await sql<{ run_id: string; iteration: string }>`
      insert into seen_keys (company_id, flow_id, node_id, key, run_id, iteration, until)
      values (${companyId}, ${flowId}, ${nodeId}, ${key}, ${runId}, ${iteration}, ${until})
      on conflict (company_id, flow_id, node_id, key) do update set
        run_id = case when seen_keys.until <= ${now} then excluded.run_id else seen_keys.run_id end,
        iteration = case when seen_keys.until <= ${now} then excluded.iteration else seen_keys.iteration end,
        until = case when seen_keys.until <= ${now} then excluded.until else seen_keys.until end
      returning run_id, iteration`.execute(tx);
    const [first] = rows;
    return first?.iteration === iteration && (first.run_id === runId || (await repeats(tx, place, first.run_id)));
  });
}

/** Whether a run is a repetition of another, or of a repetition of it. */
async function repeats(tx: Transaction, { companyId, runId }: Place, other: string): Promise<boolean> {
  const { rows } = await sql`
    with recursive before as (
      select rerun_of as id from runs where company_id = ${companyId} and id = ${runId}
      union
      select rerun_of from runs join before on runs.id = before.id where company_id = ${companyId})
    select from before where id = ${other}`.execute(tx);
  return rows.length > 0;
}
