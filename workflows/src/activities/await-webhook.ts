import type { Store } from '@plumbline/db';
import { ConnectorFailure, type ExpectedEvent } from '@plumbline/nodes';
import { sql } from 'kysely';
import type { StepRef } from './contract.ts';
import { answerWait, awaitEvent } from './waits.ts';

/**
 * Waits for a webhook of an address in whose data, at `path`, stands `value`, or takes one that came since the run began: whoever is told to call back may do
 * so before the run has come to the step that waits.
 * @throws ConnectorFailure `webhook_unknown`
 */
export async function awaitWebhook(store: Store, ref: StepRef, event: ExpectedEvent, now: Date): Promise<void> {
  const { companyId, runId } = ref;
  const known = await store.tenant(companyId, (tx) =>
    tx
      .selectFrom('subscriptions')
      .select('id')
      .where('company_id', '=', companyId)
      .where('kind', '=', 'webhook')
      .where('key', '=', event.key)
      .executeTakeFirst(),
  );
  if (!known)
    throw new ConnectorFailure({
      kind: 'invalid',
      code: 'webhook_unknown',
      message:
        'None of your flows has a webhook of that address. Open the flow that begins with it, and copy its address.',
    });
  await awaitEvent(store, ref, event);
  // First the wait, then a look at what is there: what comes in between answers the wait. Served by `events_latest`.
  await store.tenant(companyId, async (tx) => {
    const { rows } = await sql<{ data: unknown }>`
      select events.data from events join runs on runs.company_id = events.company_id and runs.id = ${runId}
       where events.company_id = ${companyId} and events.key = ${event.key} and events.received_at >= runs.queued_at
         and events.id is distinct from runs.event_id and events.status <> 'dropped'
         and events.data #>> ${[...event.path]}::text[] = ${event.value}
       order by events.seq limit 1`.execute(tx);
    const [came] = rows;
    if (came) await answerWait(tx, ref, { answer: came.data, at: now });
  });
}
