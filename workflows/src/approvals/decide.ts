import { json, type Transaction } from '@plumbline/db';
import { appendAudit } from '@plumbline/db/queries/audit';
import { checkForm, type FormField } from '@plumbline/nodes';
import { beginStage } from './begin-stage.ts';
import { endApproval } from './end.ts';
import { judgeStage } from './judge.ts';
import { ApprovalRefusal } from './refusal.ts';
import { decisionsOf, lockApproval, seatsOf, type ApprovalRow, type SeatRow } from './row.ts';

/** What somebody decided. */
export interface GivenDecision {
  readonly outcome: string;
  readonly comment: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Who decides, and in whose place they sit. */
export interface Decider {
  readonly name: string;
  readonly email: string;
  readonly way: 'studio' | 'link';
  /**
   * Which seat is theirs, of those that are open or decided.
   * @throws ApprovalRefusal when none is
   */
  chooseSeat(seats: readonly SeatRow[], approval: ApprovalRow): { readonly seat: SeatRow; readonly instead: boolean };
}

/**
 * Writes a decision, and what follows of it: the next stage, or the end of the question and the waking of its run. All of it is one transaction; the
 * first decision that settles a stage stands.
 * @throws ApprovalRefusal `already_decided`, `approval_over`, `not_asked`, `invalid_input`, `unknown_field`
 */
export async function decide(
  tx: Transaction,
  task: { readonly companyId: string; readonly approvalId: string },
  decider: Decider,
  given: GivenDecision,
  now: Date,
): Promise<void> {
  const { companyId, approvalId } = task;
  const approval = await lockApproval(tx, companyId, approvalId);
  await requireOpen(tx, approval, now);
  const seats = (await seatsOf(tx, companyId, approvalId)).filter(({ stage }) => stage === approval.stage);
  const { seat, instead } = decider.chooseSeat(seats, approval);
  if (seat.status === 'decided')
    throw new ApprovalRefusal('already_decided', `${seat.name} has decided already.`, 'Nothing more is to be done.');
  if (seat.status !== 'open')
    throw new ApprovalRefusal(
      'not_asked',
      seat.status === 'delegated'
        ? `${seat.name} has handed this to somebody else.`
        : `${seat.name} is not asked at the moment.`,
      'Look at the task again.',
    );
  const filled = check(approval, given);
  await tx
    .insertInto('approval_decisions')
    .values({
      ...{ company_id: companyId, approval_id: approvalId, stage: approval.stage, seat_id: seat.id },
      ...{ outcome: given.outcome, comment: given.comment.trim(), filled: json(filled) },
      ...{ decided_by: decider.name, email: decider.email, instead_of: instead ? seat.name : null },
      ...{ way: decider.way, at: now },
    })
    .execute();
  await tx
    .updateTable('approval_seats')
    .set({ status: 'decided' })
    .where('company_id', '=', companyId)
    .where('id', '=', seat.id)
    .execute();
  await follow(tx, approval, now);
  await appendAudit(tx, {
    actor: decider.way === 'link' ? `${decider.email} (by link)` : decider.name,
    action: 'approval.decided',
    targetType: 'approval',
    targetId: approvalId,
    details: {
      ...{
        outcome: given.outcome,
        stage: approval.stage,
        runId: approval.run_id,
        title: approval.title,
        way: decider.way,
      },
      ...(approval.amount === null ? {} : { amount: approval.amount }),
      ...(instead ? { insteadOf: seat.name } : {}),
      ...(given.comment.trim() === '' ? {} : { comment: given.comment.trim() }),
    },
  });
}

/** @throws ApprovalRefusal `already_decided` or `approval_over` */
export async function requireOpen(tx: Transaction, approval: ApprovalRow, now: Date): Promise<void> {
  if (approval.status === 'decided') {
    const last = (await decisionsOf(tx, approval.company_id, approval.id)).at(-1);
    throw new ApprovalRefusal(
      'already_decided',
      last
        ? `This was decided already: ${outcomeTitle(approval, last.outcome).toLowerCase()} by ${last.decided_by}.`
        : 'This was decided already.',
      'Nothing more is to be done.',
    );
  }
  if (approval.status === 'withdrawn')
    throw new ApprovalRefusal(
      'approval_over',
      'This is no longer asked: its run has ended, or asks anew.',
      'Look at its run.',
    );
  // The time may be up and nobody has looked yet.
  if (approval.status === 'expired' || (approval.expires_at && new Date(approval.expires_at) <= now))
    throw new ApprovalRefusal(
      'approval_over',
      'The time to decide is over.',
      'The flow goes on without a decision. Look at its run.',
    );
}

/** What an outcome is called. */
export function outcomeTitle(approval: Pick<ApprovalRow, 'outcomes'>, outcome: string): string {
  if (outcome === 'approved') return 'Approved';
  if (outcome === 'rejected') return 'Rejected';
  if (outcome === 'expired') return 'Expired';
  return approval.outcomes.find(({ id }) => id === outcome)?.title ?? outcome;
}

function check(approval: ApprovalRow, given: GivenDecision): Readonly<Record<string, unknown>> {
  const known = ['approved', 'rejected', ...approval.outcomes.map(({ id }) => id)];
  if (!known.includes(given.outcome))
    throw new ApprovalRefusal(
      'invalid_input',
      `"${given.outcome}" is no answer to this.`,
      `Choose one of: ${known.join(', ')}.`,
      'outcome',
    );
  const { comment } = approval.settings;
  if (
    given.comment.trim() === '' &&
    (comment === 'always' || (comment === 'rejection' && given.outcome !== 'approved'))
  )
    throw new ApprovalRefusal(
      'invalid_input',
      'A comment is needed with this answer.',
      'Say why in a sentence.',
      'comment',
    );
  const form = approval.form as unknown as readonly FormField[];
  // Who says no need not fill in what a yes needs.
  const fields = given.outcome === 'rejected' ? form.map((field) => ({ ...field, required: false })) : form;
  const checked = checkForm(fields, given.values);
  if ('problem' in checked) {
    const { code, message, fix, field } = checked.problem;
    throw new ApprovalRefusal(code, message, fix, `values.${field}`);
  }
  return checked.values;
}

async function follow(tx: Transaction, approval: ApprovalRow, now: Date): Promise<void> {
  const { company_id: companyId, id } = approval;
  const stages = await tx
    .selectFrom('approval_stages')
    .select(['number', 'need'])
    .where('company_id', '=', companyId)
    .where('approval_id', '=', id)
    .orderBy('number')
    .execute();
  const stage = stages.find(({ number }) => number === approval.stage);
  const decided = (await decisionsOf(tx, companyId, id)).filter((decision) => decision.stage === approval.stage);
  const verdict = judgeStage(
    stage?.need ?? 1,
    decided.map(({ outcome }) => outcome),
  );
  if (verdict.kind === 'open') return;
  if (verdict.kind === 'ended') {
    await endApproval(tx, approval, { status: 'decided', outcome: verdict.outcome, at: now });
    return;
  }
  await tx
    .updateTable('approval_stages')
    .set({ status: 'approved', ended_at: now })
    .where('company_id', '=', companyId)
    .where('approval_id', '=', id)
    .where('number', '=', approval.stage)
    .execute();
  const next = stages.find(({ number }) => number > approval.stage);
  if (!next) {
    await endApproval(tx, approval, { status: 'decided', outcome: 'approved', at: now });
    return;
  }
  await tx
    .updateTable('approval_seats')
    .set({ status: 'closed' })
    .where('company_id', '=', companyId)
    .where('approval_id', '=', id)
    .where('stage', '=', approval.stage)
    .where('status', '=', 'open')
    .execute();
  await beginStage(tx, approval, next.number, now);
}
