import type { Transaction } from '@plumbline/db';
import { sql } from 'kysely';

/** A step of a run, and the flow that it stands in: what steps of different runs meet at. */
export interface Place {
  readonly companyId: string;
  readonly flowId: string;
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
}

/** Lets one transaction at a time do something about a name; held until it ends. */
export async function oneAtATime(tx: Transaction, ...name: readonly string[]): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${name.join('\n')}, 0))`.execute(tx);
}
