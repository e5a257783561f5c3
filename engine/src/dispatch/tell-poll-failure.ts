import type { Transaction } from '@plumbline/db';
import { again, tell } from '@plumbline/workflows/notices';
import { isPassing, type PollFailure } from './poll-pause.ts';

/** What passes by itself is told only when it does not. */
const PATIENCE = 5;

/** The key of what people are told of a source that cannot be read. */
export function pollTrouble(subscriptionId: string): string {
  return `poll:${subscriptionId}`;
}

/** Tells people of a source that cannot be read: once, until it works again. */
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
  const { companyId, subscriptionId, at } = told;
  await tell(tx, { companyId, key: pollTrouble(subscriptionId), severity: 'error', ...words, at }, again.always);
}
