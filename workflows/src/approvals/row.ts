import type { Transaction } from '@plumbline/db';
import type { StageTimes } from '@plumbline/nodes';
import { ApprovalRefusal } from './refusal.ts';

/** How an approval is to be kept after. */
export interface ApprovalSettings {
  readonly remindEveryHours: number;
  readonly escalateAfterHours: number;
  readonly escalateTo: string;
  /** Absent for what was asked before stages had times of their own. */
  readonly expiresAfterHours?: number;
  /** Times that stages have of their own, in their order. */
  readonly stages?: readonly StageTimes[];
  readonly comment: 'optional' | 'rejection' | 'always';
}

export type ApprovalRow = Awaited<ReturnType<typeof lockApproval>>;
export type SeatRow = Awaited<ReturnType<typeof seatsOf>>[number];

/**
 * Takes the one lock that everything about an approval takes first, so that of two who decide at the same moment one comes second.
 * @throws ApprovalRefusal `not_found`
 */
export async function lockApproval(tx: Transaction, companyId: string, approvalId: string) {
  const row = await tx
    .selectFrom('approvals')
    .selectAll()
    .where('company_id', '=', companyId)
    .where('id', '=', approvalId)
    .forUpdate()
    .executeTakeFirst();
  if (!row)
    throw new ApprovalRefusal('not_found', 'There is no such task.', 'It may have been removed. Go back to the list.');
  return { ...row, settings: row.settings as unknown as ApprovalSettings };
}

/** Who is asked, in the order they were named. */
export async function seatsOf(tx: Transaction, companyId: string, approvalId: string) {
  return await tx
    .selectFrom('approval_seats')
    .selectAll()
    .where('company_id', '=', companyId)
    .where('approval_id', '=', approvalId)
    .orderBy('stage')
    .orderBy('number')
    .execute();
}

/** What was decided, in its order. */
export async function decisionsOf(tx: Transaction, companyId: string, approvalId: string) {
  return await tx
    .selectFrom('approval_decisions')
    .selectAll()
    .where('company_id', '=', companyId)
    .where('approval_id', '=', approvalId)
    .orderBy('number')
    .execute();
}

/** A moment so many hours from another. */
export function hoursAfter(at: Date, hours: number): Date {
  return new Date(at.getTime() + hours * 3_600_000);
}
