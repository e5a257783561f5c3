import type { Store } from '@plumbline/db';
import { ConnectorFailure, type ExpectedEvent } from '@plumbline/nodes';
import type { StepRef } from './contract.ts';
import { awaitEvent } from './waits.ts';

/**
 * Waits for a webhook of an address in whose data, at `path`, stands `value`, or takes one that came since the run began: whoever is told to call back may do
 * so before the run has come to the step that waits.
 * @throws ConnectorFailure `webhook_unknown`
 */
export async function awaitWebhook(store: Store, ref: StepRef, event: ExpectedEvent, now: Date): Promise<void> {
  const { companyId, runId } = ref;
  const run = await store.tenant(companyId, (tx) =>
    tx
      .selectFrom('subscriptions')
      .innerJoin('runs', 'runs.company_id', 'subscriptions.company_id')
      .select('runs.queued_at')
      .where('subscriptions.company_id', '=', companyId)
      .where('subscriptions.kind', '=', 'webhook')
      .where('subscriptions.key', '=', event.key)
      .where('runs.id', '=', runId)
      .executeTakeFirst(),
  );
  if (!run)
    throw new ConnectorFailure({
      kind: 'invalid',
      code: 'webhook_unknown',
      message:
        'None of your flows has a webhook of that address. Open the flow that begins with it, and copy its address.',
    });
  await awaitEvent(store, ref, event, now, run.queued_at);
}
