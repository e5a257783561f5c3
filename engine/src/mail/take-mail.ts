import type { Transaction } from '@plumbline/db';
import { makeLink } from '@plumbline/workflows/approvals/links';
import { ApprovalRefusal } from '@plumbline/workflows/approvals/refusal';
import type { Letter } from './post-office.ts';
import { writeLetter, type LetterParts } from './write-letter.ts';

/** A mail that is written down. */
export interface MailRef {
  readonly companyId: string;
  readonly mailId: string;
}

export interface Taken {
  readonly letter: Letter;
  /** This one counted. */
  readonly attempts: number;
  readonly writtenAt: Date;
  readonly approvalId: string | null;
}

/** Whoever takes a mail has so long to hand it over before another may: longer than every time limit of the server's answers together. */
const TAKEN_MS = 5 * 60_000;

/** Takes a mail that is due and writes its letter; one that nobody needs any more is dropped. @returns undefined when there is nothing to send */
export async function takeMail(
  tx: Transaction,
  { companyId, mailId }: MailRef,
  given: { readonly origin: string; readonly at: Date },
): Promise<Taken | undefined> {
  const { at } = given;
  const mail = await tx
    .updateTable('mail_outbox')
    .set((eb) => ({ attempts: eb('attempts', '+', 1), next_attempt_at: new Date(at.getTime() + TAKEN_MS) }))
    .where('company_id', '=', companyId)
    .where('id', '=', mailId)
    .where('sent_at', 'is', null)
    .where('dropped_at', 'is', null)
    .where('next_attempt_at', '<=', at)
    .returningAll()
    .executeTakeFirst();
  if (!mail) return undefined;
  const company = await tx
    .selectFrom('companies')
    .select(['name', 'time_zone', 'currency'])
    .where('id', '=', companyId)
    .executeTakeFirstOrThrow();
  const asked = await askedBy(tx, mail, { ...given, currency: company.currency });
  if (!asked) {
    await tx
      .updateTable('mail_outbox')
      .set({ dropped_at: at })
      .where('company_id', '=', companyId)
      .where('id', '=', mailId)
      .execute();
    return undefined;
  }
  const letter = writeLetter({
    ...{ mailId, subject: mail.subject, body: mail.body, ...asked },
    to: { name: mail.to_name, address: mail.to_email },
    ...{ companyName: company.name, timeZone: company.time_zone },
  });
  return { letter, attempts: mail.attempts, writtenAt: mail.created_at, approvalId: mail.approval_id };
}

/** What is asked, and where it is decided: by a person of the company after signing in, by anybody else through a link of their own. Undefined when they are asked no more. */
async function askedBy(
  tx: Transaction,
  mail: { readonly company_id: string; readonly approval_id: string | null; readonly seat_id: string | null },
  { origin, at, currency }: { readonly origin: string; readonly at: Date; readonly currency: string },
): Promise<Pick<LetterParts, 'facts' | 'link'> | undefined> {
  const { company_id: companyId, approval_id: approvalId, seat_id: seatId } = mail;
  if (approvalId === null || seatId === null) return { facts: [], link: { url: origin } };
  const asked = await tx
    .selectFrom('approval_seats')
    .innerJoin('approvals', (join) =>
      join
        .onRef('approvals.company_id', '=', 'approval_seats.company_id')
        .onRef('approvals.id', '=', 'approval_seats.approval_id'),
    )
    .select(['approval_seats.user_id', 'approvals.amount', 'approvals.facts'])
    .where('approval_seats.company_id', '=', companyId)
    .where('approval_seats.id', '=', seatId)
    .where('approval_seats.status', '=', 'open')
    .where('approvals.status', '=', 'open')
    .executeTakeFirst();
  if (!asked) return undefined;
  const facts = [
    ...(asked.amount === null ? [] : [{ label: 'Amount', value: money(asked.amount, currency) }]),
    ...asked.facts,
  ];
  if (asked.user_id) return { facts, link: { url: `${origin}/tasks/${approvalId}` } };
  try {
    const { token, expiresAt } = await makeLink(tx, { companyId, approvalId, seatId }, 'Plumbline, by mail', at, {
      beside: true,
    });
    return { facts, link: { url: `${origin}/approve/${token}`, expiresAt } };
  } catch (error) {
    // It was decided, or its time was up, at this very moment.
    if (error instanceof ApprovalRefusal) return undefined;
    throw error;
  }
}

/** @param amount Decimal text; it is never a number on the way. */
function money(amount: string, currency: string): string {
  return new Intl.NumberFormat('en-US', { style: 'currency', currency }).format(amount as Intl.StringNumericLiteral);
}
