import type { Transaction } from '@plumbline/db';
import { sql } from 'kysely';

/** Channel on which dispatchers hear of companies with something for them: events that arrived, or runs to be woken. Triggers tell of both. */
export const EVENTS_CHANNEL = 'plumbline_events';

/** Says, once the transaction is committed, that events which were there before are due now. */
export async function tellDispatchers(tx: Transaction, companyId: string): Promise<void> {
  await sql`select pg_notify(${EVENTS_CHANNEL}, ${companyId})`.execute(tx);
}
