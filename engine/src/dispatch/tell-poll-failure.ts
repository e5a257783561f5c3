import type { Transaction } from '@plumbline/db';
import { isPassing, type PollFailure } from './poll-pause.ts';

/** What passes by itself is told only when it does not. */
const PATIENCE = 5;

/** Tells people of a source that cannot be read: once, until they have seen it or it works again. */
export async function tellPollFailure(
  tx: Transaction,
  told: {
    readonly companyId: string;
    readonly subscriptionId: string;
    readonly flowName: string;
    readonly failure: PollFailure;
    readonly failures: number;
    readonly at: Date;
  },
): Promise<void> {
  const { failure, failures } = told;
  // A connection that has to be connected again says so itself, for all that work with it.
  if (failure.kind === 'reauthorize') return;
  if (failures !== (isPassing(failure) ? PATIENCE : 1)) return;
  const words = {
    title: `"${told.flowName}" cannot look for news`,
    body: `${failure.message} Nothing is lost: it reads on from where it was.`,
  };
  await tx
    .insertInto('notifications')
    .values({
      company_id: told.companyId,
      key: `poll:${told.subscriptionId}`,
      severity: 'error',
      run_id: null,
      read_at: null,
      created_at: told.at,
      ...words,
    })
    .onConflict((conflict) =>
      conflict.columns(['company_id', 'key']).doUpdateSet({ ...words, read_at: null, created_at: told.at }),
    )
    .execute();
}
