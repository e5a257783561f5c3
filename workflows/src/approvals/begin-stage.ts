import type { Transaction } from '@plumbline/db';
import { hoursAfter, seatsOf, type ApprovalRow } from './row.ts';
import { tellSeats } from './tell.ts';
import { expiryOf, timesOf } from './times.ts';

/** Puts the question to those of a stage; from now on reminders, asking others and its own limit count. */
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
  const times = timesOf(settings, number);
  await tx
    .updateTable('approvals')
    .set({
      stage: number,
      remind_at: times.remindEveryHours > 0 ? hoursAfter(now, times.remindEveryHours) : null,
      escalate_at:
        times.escalateAfterHours > 0 && times.escalateTo.trim() !== ''
          ? hoursAfter(now, times.escalateAfterHours)
          : null,
      // What was asked before that was kept keeps the limit it has.
      ...(settings.expiresAfterHours === undefined
        ? {}
        : { expires_at: await expiryOf(tx, approval, { number, now }) }),
    })
    .where('company_id', '=', companyId)
    .where('id', '=', id)
    .execute();
  const seats = (await seatsOf(tx, companyId, id)).filter(({ stage }) => stage === number);
  await tellSeats(tx, approval, seats, { kind: 'asked', at: now });
}
