import { json, type Store } from '@plumbline/db';
import { requireOpenRun } from '../run-open.ts';
import { oneAtATime, type Place } from './place.ts';

/** Has a step wait for quiet; those of other runs that waited for the same go on at once, knowing that a newer one came. */
export async function waitForQuiet(
  store: Store,
  place: Place,
  given: { readonly key: string; readonly now: Date },
): Promise<void> {
  const { companyId, flowId, nodeId, runId, iteration } = place;
  const key = `${flowId}/${nodeId}/${given.key}`;
  await store.tenant(companyId, async (tx) => {
    await requireOpenRun(tx, place);
    await oneAtATime(tx, 'quiet', companyId, key);
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('waits')
      .values({
        ...{ company_id: companyId, run_id: runId, node_id: nodeId, iteration },
        ...{ kind: 'quiet', key, path: null, value: null, answer: null, answered_at: null },
      })
      .onConflict((conflict) => conflict.columns(['company_id', 'run_id', 'node_id', 'iteration']).doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows !== 1n) return;
    await tx
      .updateTable('waits')
      .set({ answer: json({ by: runId }), answered_at: given.now })
      .where('company_id', '=', companyId)
      .where('kind', '=', 'quiet')
      .where('key', '=', key)
      .where('answered_at', 'is', null)
      .where((eb) => eb.not(eb.and([eb('run_id', '=', runId), eb('iteration', '=', iteration)])))
      .execute();
  });
}
