import { choicesOf, type FormField } from '@plumbline/nodes';
import { outcomeTitle } from '@plumbline/workflows/approvals/decide';
import type { ApprovalRow } from '@plumbline/workflows/approvals/row';
import type { Question } from '../contract/index.ts';

/** What is asked, as whoever decides sees it. */
export function questionOf(
  row: Pick<ApprovalRow, 'title' | 'body' | 'facts' | 'amount' | 'form' | 'outcomes' | 'expires_at'> & {
    readonly settings: object;
  },
): Question {
  const { comment = 'optional' } = row.settings as { readonly comment?: Question['comment'] };
  return {
    title: row.title,
    body: row.body,
    facts: row.facts,
    amount: row.amount,
    form: (row.form as unknown as readonly FormField[]).map((field) => ({
      id: field.id,
      title: field.title,
      type: field.type,
      required: field.required ?? false,
      choices: choicesOf(field),
      entity: field.entity ?? null,
    })),
    outcomes: [
      { id: 'approved', title: 'Approve' },
      ...row.outcomes.map(({ id }) => ({ id, title: outcomeTitle(row, id) })),
      { id: 'rejected', title: 'Reject' },
    ],
    comment,
    expiresAt: row.expires_at?.toISOString() ?? null,
  };
}
