import { json, type Transaction } from '@plumbline/db';
import { decisionsOf, type ApprovalRow } from './row.ts';

/** What the step gets that asked. */
export interface ApprovalAnswer {
  readonly outcome: string;
  readonly decisions: readonly {
    readonly stage: number;
    readonly outcome: string;
    readonly by: string;
    readonly email: string;
    readonly at: string;
    readonly comment: string;
    readonly values: Readonly<Record<string, unknown>>;
    readonly insteadOf: string | null;
    readonly way: 'studio' | 'link';
  }[];
}

/** Ends a question with an outcome and hands it to the step that asked, in one transaction: whoever carries the run is woken by the same commit. */
export async function endApproval(
  tx: Transaction,
  approval: ApprovalRow,
  end: { readonly status: 'decided' | 'expired'; readonly outcome: string; readonly at: Date },
): Promise<void> {
  const { id, company_id: companyId } = approval;
  const { status, outcome, at } = end;
  await tx
    .updateTable('approvals')
    .set({ status, outcome, closed_at: at })
    .where('company_id', '=', companyId)
    .where('id', '=', id)
    .execute();
  await tx
    .updateTable('approval_stages')
    .set({ status: 'ended', ended_at: at })
    .where('company_id', '=', companyId)
    .where('approval_id', '=', id)
    .where('status', '=', 'open')
    .execute();
  await tx
    .updateTable('approval_seats')
    .set({ status: 'closed' })
    .where('company_id', '=', companyId)
    .where('approval_id', '=', id)
    .where('status', 'in', ['open', 'ahead'])
    .execute();
  const decisions = await decisionsOf(tx, companyId, id);
  const answer: ApprovalAnswer = {
    outcome,
    decisions: decisions.map((decision) => ({
      stage: decision.stage,
      outcome: decision.outcome,
      by: decision.decided_by,
      email: decision.email,
      at: new Date(decision.at).toISOString(),
      comment: decision.comment,
      values: decision.filled,
      insteadOf: decision.instead_of,
      way: decision.way,
    })),
  };
  await tx
    .updateTable('waits')
    .set({ answer: json(answer), answered_at: at })
    .where('company_id', '=', companyId)
    .where('run_id', '=', approval.run_id)
    .where('node_id', '=', approval.node_id)
    .where('iteration', '=', approval.iteration)
    .where('key', '=', id)
    .where('answered_at', 'is', null)
    .execute();
}
