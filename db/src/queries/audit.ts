import { sql } from 'kysely';
import { json } from '../data-error.ts';
import type { Transaction } from '../store.ts';

export interface AuditEntry {
  /** Name and id of who did it, or of the program. */
  readonly actor: string;
  /** `flow.published`, `connection.created` … */
  readonly action: string;
  readonly targetType: string;
  readonly targetId: string;
  /** Before and after, without secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Appends to the company's hash-chained audit log, in the transaction of what it tells of. */
export async function appendAudit(tx: Transaction, entry: AuditEntry): Promise<void> {
  await sql`select append_audit(${entry.actor}, ${entry.action}, ${entry.targetType}, ${entry.targetId}, ${json(entry.details ?? {})}::jsonb)`.execute(
    tx,
  );
}

/** Number of the first entry that does not fit the chain, or null when all do. */
export async function verifyAudit(tx: Transaction): Promise<number | null> {
  const { rows } = await sql<{ broken: string | null }>`select verify_audit_chain() as broken`.execute(tx);
  const broken = rows[0]?.broken ?? null;
  return broken === null ? null : Number(broken);
}
