import type { Transaction } from '@plumbline/db';
import { appendAudit } from '@plumbline/db/queries/audit';
import { endApproval } from './end.ts';
import { companyPeople, whoIsMeant } from './people.ts';
import { hoursAfter, seatsOf, type ApprovalRow, type ApprovalSettings, type SeatRow } from './row.ts';
import { tellSeats } from './tell.ts';
import { timesOf } from './times.ts';

/** What was due with an approval. */
export type Kept = 'expired' | 'escalated' | 'reminded';

/**
 * Does what is due with one approval: ends it when its time is up, asks others, reminds. What it did is written with the next time it is due, so
 * however many processes come for it, each thing happens once; who finds it locked leaves it.
 */
export async function keepApproval(
  tx: Transaction,
  task: { readonly companyId: string; readonly approvalId: string },
  now: Date,
): Promise<readonly Kept[]> {
  const { companyId, approvalId } = task;
  const row = await tx
    .selectFrom('approvals')
    .selectAll()
    .where('company_id', '=', companyId)
    .where('id', '=', approvalId)
    .where('status', '=', 'open')
    .where('next_at', '<=', now)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  if (!row) return [];
  const approval = { ...row, settings: row.settings as unknown as ApprovalSettings };
  if (isDue(approval.expires_at, now)) {
    await expire(tx, approval, now);
    return ['expired'];
  }
  const kept: Kept[] = [];
  const seats = (await seatsOf(tx, companyId, approvalId)).filter(({ stage }) => stage === approval.stage);
  const times = timesOf(approval.settings, approval.stage);
  if (isDue(approval.escalate_at, now)) {
    await escalate(tx, { approval, seats, to: times.escalateTo }, now);
    kept.push('escalated');
  }
  const every = times.remindEveryHours;
  const reminder = isDue(approval.remind_at, now) ? approval.remind_at : null;
  if (reminder) {
    await tellSeats(
      tx,
      approval,
      seats.filter(({ status }) => status === 'open'),
      { kind: 'reminder', at: reminder },
    );
    kept.push('reminded');
  }
  await tx
    .updateTable('approvals')
    .set({
      ...(kept.includes('escalated') ? { escalate_at: null } : {}),
      ...(reminder ? { remind_at: every > 0 ? nextReminder(reminder, every, now) : null } : {}),
    })
    .where('company_id', '=', companyId)
    .where('id', '=', approvalId)
    .execute();
  return kept;
}

function isDue(at: Date | null, now: Date): boolean {
  return at !== null && at <= now;
}

/** Reminders that were missed are not made up for. */
function nextReminder(last: Date, everyHours: number, now: Date): Date {
  const missed = Math.floor((now.getTime() - last.getTime()) / (everyHours * 3_600_000));
  return hoursAfter(last, everyHours * (missed + 1));
}

async function expire(tx: Transaction, approval: ApprovalRow, now: Date): Promise<void> {
  await endApproval(tx, approval, { status: 'expired', outcome: 'expired', at: now });
  await appendAudit(tx, {
    actor: 'Plumbline',
    action: 'approval.expired',
    targetType: 'approval',
    targetId: approval.id,
    details: { runId: approval.run_id, title: approval.title, stage: approval.stage },
  });
}

/** Others may decide as well from now on; how many must approve stays as it was. */
async function escalate(
  tx: Transaction,
  { approval, seats, to }: { readonly approval: ApprovalRow; readonly seats: readonly SeatRow[]; readonly to: string },
  now: Date,
): Promise<void> {
  const { asked, problem } = whoIsMeant(to, await companyPeople(tx));
  const known = new Set(seats.map(({ email }) => email));
  const added: SeatRow[] = [];
  for (const { userId, email, name } of asked.filter((person) => !known.has(person.email)))
    added.push(
      await tx
        .insertInto('approval_seats')
        .values({
          ...{ company_id: approval.company_id, approval_id: approval.id, stage: approval.stage },
          ...{ user_id: userId, email, name, status: 'open', way: 'escalated', handed_by: null },
        })
        .returningAll()
        .executeTakeFirstOrThrow(),
    );
  await tellSeats(tx, approval, added, { kind: 'escalated', at: now });
  await appendAudit(tx, {
    actor: 'Plumbline',
    action: 'approval.escalated',
    targetType: 'approval',
    targetId: approval.id,
    details: {
      runId: approval.run_id,
      to: added.map(({ name }) => name),
      ...(problem ? { problem: problem.message } : {}),
    },
  });
}
