import type { Transaction } from '@plumbline/db';
import { appendAudit } from '@plumbline/db/queries/audit';
import { requireOpen, type Decider } from './decide.ts';
import { companyPeople } from './people.ts';
import { ApprovalRefusal } from './refusal.ts';
import { lockApproval, seatsOf } from './row.ts';
import { tellSeats } from './tell.ts';

/**
 * Hands somebody's seat to another person of the company, who decides in their place. Nobody gets a second voice by it.
 * @throws ApprovalRefusal `already_decided`, `approval_over`, `not_asked`, `invalid_input`
 */
export async function delegate(
  tx: Transaction,
  task: { readonly companyId: string; readonly approvalId: string },
  decider: Pick<Decider, 'name' | 'chooseSeat'>,
  to: string,
  now: Date,
): Promise<void> {
  const { companyId, approvalId } = task;
  const approval = await lockApproval(tx, companyId, approvalId);
  await requireOpen(tx, approval, now);
  const seats = (await seatsOf(tx, companyId, approvalId)).filter(({ stage }) => stage === approval.stage);
  const { seat } = decider.chooseSeat(seats, approval);
  if (seat.status !== 'open')
    throw new ApprovalRefusal('not_asked', `${seat.name} is not asked at the moment.`, 'Look at the task again.');
  const email = to.trim().toLowerCase();
  const person = (await companyPeople(tx)).find((candidate) => candidate.email === email);
  if (!person)
    throw new ApprovalRefusal(
      'invalid_input',
      `${to.slice(0, 200)} is nobody of this company.`,
      'Hand it to a colleague.',
      'to',
    );
  if (person.role === 'viewer')
    throw new ApprovalRefusal(
      'invalid_input',
      `${person.name} only looks on and may not decide.`,
      'Choose another colleague.',
      'to',
    );
  if (seats.some((other) => other.user_id === person.id && other.status !== 'delegated'))
    throw new ApprovalRefusal('invalid_input', `${person.name} is asked already.`, 'Choose another colleague.', 'to');
  await tx
    .updateTable('approval_seats')
    .set({ status: 'delegated' })
    .where('company_id', '=', companyId)
    .where('id', '=', seat.id)
    .execute();
  const handed = await tx
    .insertInto('approval_seats')
    .values({
      ...{ company_id: companyId, approval_id: approvalId, stage: approval.stage },
      ...{ user_id: person.id, email: person.email, name: person.name },
      ...{ status: 'open', way: 'delegated', handed_by: seat.name },
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  // Whoever watches the list learns of it.
  await tx
    .updateTable('approvals')
    .set({ stage: approval.stage })
    .where('company_id', '=', companyId)
    .where('id', '=', approvalId)
    .execute();
  await tellSeats(tx, approval, [handed], { kind: 'delegated', at: now });
  await appendAudit(tx, {
    actor: decider.name,
    action: 'approval.delegated',
    targetType: 'approval',
    targetId: approvalId,
    details: { from: seat.name, to: person.name, runId: approval.run_id },
  });
}
