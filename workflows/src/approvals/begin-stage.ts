import type { Transaction } from '@plumbline/db';
import { hoursAfter, seatsOf, type ApprovalRow } from './row.ts';
import { tellSeats } from './tell.ts';

/** Puts the question to those of a stage; from now on reminders and asking others count. */
export async function beginStage(tx: Transaction, approval: ApprovalRow, number: number, now: Date): Promise<void> {
  const { id, company_id: companyId, settings } = approval;
  await tx
    .updateTable('approval_stages')
    .set({ status: 'open', began_at: now })
    .where('company_id', '=', companyId)
    .where('approval_id', '=', id)
    .where('number', '=', number)
    .execute();
  await tx
    .updateTable('approval_seats')
    .set({ status: 'open' })
    .where('company_id', '=', companyId)
    .where('approval_id', '=', id)
    .where('stage', '=', number)
    .where('status', '=', 'ahead')
    .execute();
  await tx
    .updateTable('approvals')
    .set({
      stage: number,
      remind_at: settings.remindEveryHours > 0 ? hoursAfter(now, settings.remindEveryHours) : null,
      escalate_at:
        settings.escalateAfterHours > 0 && settings.escalateTo.trim() !== ''
          ? hoursAfter(now, settings.escalateAfterHours)
          : null,
    })
    .where('company_id', '=', companyId)
    .where('id', '=', id)
    .execute();
  const seats = (await seatsOf(tx, companyId, id)).filter(({ stage }) => stage === number);
  await tellSeats(tx, approval, seats, { kind: 'asked', at: now });
}
