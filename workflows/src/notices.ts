import type { Transaction } from '@plumbline/db';
import { sql, type RawBuilder } from 'kysely';

/** What is put under people's bells. */
export interface NewNotice {
  readonly companyId: string;
  /** Names what it tells of: one notice of a key stands at a time. */
  readonly key: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly title: string;
  readonly body: string;
  readonly runId?: string;
  /** The task it is about. */
  readonly approvalId?: string;
  /** Whom it is for; everybody of the company when it does not say. */
  readonly userId?: string;
  /** When it is told; now when it does not say. */
  readonly at?: Date;
}

/** When a notice of a key that stands already is told anew: with its new words, and new to everybody who had seen it. */
export const again = {
  never: sql<boolean>`false`,
  always: sql<boolean>`true`,
  /** The thing happens once more after it was over. */
  afterItWasOver: sql<boolean>`notifications.over_at is not null`,
} as const;

/** Puts a notice under people's bells. One of that key that stands already is told anew where `anew` says so of it, and else stays as it is. */
export async function tell(tx: Transaction, notice: NewNotice, anew: RawBuilder<boolean>): Promise<void> {
  const { companyId, key, severity, title, body, runId = null, approvalId = null, userId = null, at } = notice;
  const words = { title: title.slice(0, 200), body, run_id: runId, over_at: null, created_at: at ?? sql<Date>`now()` };
  await tx
    .insertInto('notifications')
    .values({ company_id: companyId, key, severity, approval_id: approvalId, user_id: userId, ...words })
    .onConflict((conflict) => conflict.columns(['company_id', 'key']).doUpdateSet(words).where(anew))
    .execute();
}

/** What these notices tell of is over: whoever has not seen them need not, and when it happens once more it is told anew. */
export async function closeNotices(
  tx: Transaction,
  told: { readonly companyId: string; readonly keys: readonly string[]; readonly at: Date },
): Promise<void> {
  await tx
    .updateTable('notifications')
    .set({ over_at: told.at })
    .where('company_id', '=', told.companyId)
    .where('key', 'in', told.keys)
    .where('over_at', 'is', null)
    .execute();
}
