import { json, type Store } from '@plumbline/db';
import { whileOpen } from '../run-open.ts';
import { insertWait } from '../waits.ts';
import { oneAtATime, type Place } from './place.ts';

/** Has a step wait for quiet; those of other runs that waited for the same go on at once, knowing that a newer one came. */
export async function waitForQuiet(
  store: Store,
  place: Place,
  given: { readonly key: string; readonly now: Date },
): Promise<void> {
  const { companyId, flowId, nodeId, runId, iteration } = place;
  const key = `${flowId}/${nodeId}/${given.key}`;
  await whileOpen(store, place, async (tx) => {
    await oneAtATime(tx, 'quiet', companyId, key);
    if (!(await insertWait(tx, place, { kind: 'quiet', key }))) return;
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
