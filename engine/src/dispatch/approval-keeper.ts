import type { DispatcherStore, Store } from '@plumbline/db';
import { keepApproval, type Kept } from '@plumbline/workflows/approvals/keep';
import type { Logger } from 'pino';

/**
 * Reminds of approvals, asks others, and ends those whose time is up. Nobody sleeps for it: what is due next stands in the row, so it goes on wherever it
 * was left, and any number of processes may do it.
 * @returns what was done.
 */
export async function keepApprovals(options: {
  readonly store: Store;
  readonly dispatcher: DispatcherStore;
  readonly log: Logger;
  readonly now: () => Date;
}): Promise<readonly Kept[]> {
  const { store, dispatcher, log } = options;
  const now = options.now();
  const kept: Kept[] = [];
  for (const due of await dispatcher.dueApprovals(now, 200)) {
    try {
      kept.push(...(await store.tenant(due.companyId, (tx) => keepApproval(tx, due, now))));
    } catch (error) {
      log.error({ err: error, ...due }, 'an approval could not be looked after; it is tried again in a second');
    }
  }
  return kept;
}
