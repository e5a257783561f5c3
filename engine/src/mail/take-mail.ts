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
  readonly firstAt: Date;
  readonly approvalId: string | null;
  /** The token of the link in it; a colleague's has none. */
  readonly token: string | undefined;
}

/** Whoever takes a mail has so long to hand it over before another may: longer than a server may take for its answers. */
export const TAKEN_MS = 30 * 60_000;

/** Takes a mail that is due and writes its letter; one that nobody needs any more is dropped. @returns undefined when there is nothing to send */
export async function takeMail(
  tx: Transaction,
  { companyId, mailId }: MailRef,
  given: { readonly origin: string; readonly at: Date },
): Promise<Taken | undefined> {
  const { at } = given;
  const mail = await tx
    .updateTable('mail_outbox')
    .set((eb) => ({
      attempts: eb('attempts', '+', 1),
      next_attempt_at: new Date(at.getTime() + TAKEN_MS),
      first_attempt_at: eb.fn.coalesce('first_attempt_at', eb.val(at)),
    }))
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
  const asked = (await isOvertaken(tx, mail))
    ? undefined
    : await askedBy(tx, mail, { ...given, currency: company.currency });
  if (!asked) {
    await tx
      .updateTable('mail_outbox')
      .set({ dropped_at: at, problem: null })
      .where('company_id', '=', companyId)
      .where('id', '=', mailId)
      .execute();
    return undefined;
  }
  const letter = writeLetter({
    ...{ mailId, subject: mail.subject, body: mail.body, facts: asked.facts, link: asked.link },
    to: { name: mail.to_name, address: mail.to_email },
    ...{ companyName: company.name, timeZone: company.time_zone },
  });
  const { attempts, first_attempt_at: firstAt, approval_id: approvalId } = mail;
  return { letter, attempts, firstAt: firstAt ?? at, approvalId, token: asked.token };
}

/** Whether somebody is told something newer about the same anyway: after days without a mail server, nobody wants every reminder. Served by `mail_outbox_by_approval`. */
async function isOvertaken(
  tx: Transaction,
  mail: {
    readonly company_id: string;
    readonly approval_id: string | null;
    readonly seat_id: string | null;
    readonly created_at: Date;
  },
): Promise<boolean> {
  if (mail.approval_id === null || mail.seat_id === null) return false;
  const newer = await tx
    .selectFrom('mail_outbox')
    .select('id')
    .where('company_id', '=', mail.company_id)
    .where('approval_id', '=', mail.approval_id)
    .where('seat_id', '=', mail.seat_id)
    .where('created_at', '>', mail.created_at)
    .where('sent_at', 'is', null)
    .where('dropped_at', 'is', null)
    .executeTakeFirst();
  return newer !== undefined;
}

/** What is asked, and where it is decided: by a person of the company after signing in, by anybody else through a link of their own. Undefined when they are asked no more. */
async function askedBy(
  tx: Transaction,
  mail: { readonly company_id: string; readonly approval_id: string | null; readonly seat_id: string | null },
  { origin, at, currency }: { readonly origin: string; readonly at: Date; readonly currency: string },
): Promise<(Pick<LetterParts, 'facts' | 'link'> & { readonly token?: string }) | undefined> {
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
  if (await isWithdrawn(tx, { companyId, seatId })) return undefined;
  try {
    const { token, expiresAt } = await makeLink(tx, { companyId, approvalId, seatId }, 'Plumbline, by mail', at, {
      beside: true,
    });
    return { facts, link: { url: `${origin}/approve/${token}`, expiresAt }, token };
  } catch (error) {
    // It was decided, or its time was up, at this very moment.
    if (error instanceof ApprovalRefusal) return undefined;
    throw error;
  }
}

/** Whether somebody took this person's link away, and gave them no other: then no mail brings a new one. Served by `approval_links_by_seat`. */
async function isWithdrawn(
  tx: Transaction,
  { companyId, seatId }: { readonly companyId: string; readonly seatId: string },
): Promise<boolean> {
  const newest = await tx
    .selectFrom('approval_links')
    .select('revoked_at')
    .where('company_id', '=', companyId)
    .where('seat_id', '=', seatId)
    .orderBy('created_at', 'desc')
    .orderBy('revoked_at', (order) => order.desc().nullsFirst())
    .limit(1)
    .executeTakeFirst();
  return newest?.revoked_at != null;
}

/** @param amount Decimal text; it is never a number on the way. */
function money(amount: string, currency: string): string {
  return new Intl.NumberFormat('en-US', { style: 'currency', currency }).format(amount as Intl.StringNumericLiteral);
}
