import type { Transaction } from '@plumbline/db';
import { again, tell } from '../notices.ts';
import type { ApprovalRow, SeatRow } from './row.ts';

/** Why somebody hears of an approval. */
export type News = 'asked' | 'reminder' | 'escalated' | 'delegated';

/**
 * Tells those who are asked: people of the company under their bell, and everybody by a mail that is written down to be sent. The same news reaches
 * nobody twice, whoever tells it.
 */
export async function tellSeats(
  tx: Transaction,
  approval: Pick<ApprovalRow, 'id' | 'company_id' | 'run_id' | 'title' | 'body'>,
  seats: readonly Pick<SeatRow, 'id' | 'user_id' | 'email' | 'name' | 'handed_by'>[],
  news: { readonly kind: News; readonly at: Date },
): Promise<void> {
  for (const seat of seats) {
    const key = `approval:${approval.id}:${seat.id}:${news.kind}:${news.kind === 'reminder' ? news.at.toISOString() : ''}`;
    const title = titleOf(news.kind, approval.title);
    const body =
      news.kind === 'delegated' && seat.handed_by ? `${seat.handed_by} asks you to decide in their place.` : '';
    if (seat.user_id)
      await tell(
        tx,
        {
          companyId: approval.company_id,
          key,
          title,
          body,
          severity: news.kind === 'asked' || news.kind === 'delegated' ? 'info' : 'warning',
          runId: approval.run_id,
          userId: seat.user_id,
          approvalId: approval.id,
        },
        again.never,
      );
    await tx
      .insertInto('mail_outbox')
      .values({
        company_id: approval.company_id,
        key,
        to_email: seat.email,
        to_name: seat.name,
        subject: title.slice(0, 200),
        body: [body, approval.body].filter((part) => part !== '').join('\n\n'),
        approval_id: approval.id,
        seat_id: seat.id,
        created_at: news.at,
        next_attempt_at: news.at,
        sent_at: null,
      })
      .onConflict((conflict) => conflict.columns(['company_id', 'key']).doNothing())
      .execute();
  }
}

function titleOf(kind: News, title: string): string {
  switch (kind) {
    case 'asked':
    case 'delegated':
      return `Your decision: ${title}`;
    case 'reminder':
      return `Still waits for your decision: ${title}`;
    case 'escalated':
      return `Nobody has decided yet, can you? ${title}`;
  }
}
