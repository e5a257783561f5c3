import type { Store } from '@plumbline/db';
import { sql } from 'kysely';
import type { Place } from './place.ts';

/** What has been over for so long is cleared away, a few at a time, by whoever comes by. */
const CLEARED_AT_ONCE = 50;

/**
 * Whether this step is the first with a key within so many seconds. Carried out again, it says the same; of two at the same moment one is the first.
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
    return rows[0]?.run_id === runId && rows[0].iteration === iteration;
  });
}
