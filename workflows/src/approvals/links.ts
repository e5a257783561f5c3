import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Transaction } from '@plumbline/db';
import { appendAudit } from '@plumbline/db/queries/audit';
import { ApprovalRefusal } from './refusal.ts';
import { hoursAfter, lockApproval, seatsOf } from './row.ts';

/** A link is good for so long, unless its approval ends before. */
const LINK_HOURS = 14 * 24;

/** What of a token is kept: nobody who reads the database can decide with it. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}

/** Whether a text may be a token at all: 256 bits as base64url. */
export function isToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

/**
 * Makes the link for one person outside of the company; the token is told once and kept nowhere. The person's links before it no longer work, unless it is
 * made `beside` them: whoever is reminded may still use the first mail.
 * @throws ApprovalRefusal `not_found`, `approval_over`, `already_decided`, `invalid_input` for a person of the company, who signs in
 */
export async function makeLink(
  tx: Transaction,
  task: { readonly companyId: string; readonly approvalId: string; readonly seatId: string },
  actor: string,
  now: Date,
  { beside = false }: { readonly beside?: boolean } = {},
): Promise<{ readonly token: string; readonly expiresAt: Date }> {
  const { companyId, approvalId, seatId } = task;
  const approval = await lockApproval(tx, companyId, approvalId);
  const seat = (await seatsOf(tx, companyId, approvalId)).find(({ id }) => id === seatId);
  if (!seat) throw new ApprovalRefusal('not_found', 'Nobody like that is asked here.', 'Go back to the task.');
  if (seat.user_id)
    throw new ApprovalRefusal(
      'invalid_input',
      `${seat.name} belongs to the company and decides after signing in.`,
      'Send them to Tasks.',
      'seat',
    );
  if (seat.status === 'decided')
    throw new ApprovalRefusal('already_decided', `${seat.name} has decided already.`, 'Nothing more is to be done.');
  if (approval.status !== 'open' || seat.status !== 'open')
    throw new ApprovalRefusal('approval_over', `${seat.name} is not asked at the moment.`, 'Look at the task again.');
  if (!beside) await revoke(tx, task, now);
  const token = randomBytes(32).toString('base64url');
  const longest = hoursAfter(now, LINK_HOURS);
  const expiresAt =
    approval.expires_at && new Date(approval.expires_at) < longest ? new Date(approval.expires_at) : longest;
  await tx
    .insertInto('approval_links')
    .values({
      ...{ company_id: companyId, token_hash: hashToken(token), approval_id: approvalId, seat_id: seatId },
      ...{ made_by: actor, created_at: now, expires_at: expiresAt, used_at: null, revoked_at: null },
    })
    .execute();
  await appendAudit(tx, {
    actor,
    action: 'approval.link_made',
    targetType: 'approval',
    targetId: approvalId,
    details: { for: seat.email, expiresAt: expiresAt.toISOString() },
  });
  return { token, expiresAt };
}

/** Makes one link worthless, of which nobody has learnt. */
export async function voidToken(tx: Transaction, companyId: string, token: string, now: Date): Promise<void> {
  await tx
    .updateTable('approval_links')
    .set({ revoked_at: now })
    .where('company_id', '=', companyId)
    .where('token_hash', '=', hashToken(token))
    .execute();
}

/** Makes every link of a person worthless. @returns how many there were. */
export async function revokeLinks(
  tx: Transaction,
  task: { readonly companyId: string; readonly approvalId: string; readonly seatId: string },
  actor: string,
  now: Date,
): Promise<number> {
  await lockApproval(tx, task.companyId, task.approvalId);
  const count = await revoke(tx, task, now);
  if (count > 0)
    await appendAudit(tx, {
      actor,
      action: 'approval.link_revoked',
      targetType: 'approval',
      targetId: task.approvalId,
      details: { seatId: task.seatId },
    });
  return count;
}

async function revoke(
  tx: Transaction,
  {
    companyId,
    approvalId,
    seatId,
  }: { readonly companyId: string; readonly approvalId: string; readonly seatId: string },
  now: Date,
): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('approval_links')
    .set({ revoked_at: now })
    .where('company_id', '=', companyId)
    .where('approval_id', '=', approvalId)
    .where('seat_id', '=', seatId)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Where a link leads. */
export interface OpenedLink {
  readonly approvalId: string;
  readonly seatId: string;
}

/**
 * Reads a link, and changes nothing.
 * @throws ApprovalRefusal `not_found`, `link_used`, `link_revoked`, `link_expired`
 */
export async function readLink(tx: Transaction, companyId: string, token: string, now: Date): Promise<OpenedLink> {
  const hash = hashToken(token);
  const row = await tx
    .selectFrom('approval_links')
    .selectAll()
    .where('company_id', '=', companyId)
    .where('token_hash', '=', hash)
    .executeTakeFirst();
  if (!row || !timingSafeEqual(row.token_hash, hash)) throw unknownLink();
  if (row.used_at)
    throw new ApprovalRefusal('link_used', 'You have decided with this link already.', 'Nothing more is to be done.');
  if (row.revoked_at)
    throw new ApprovalRefusal(
      'link_revoked',
      'This link was withdrawn.',
      'Use the newest one you got, or ask who sent it for another.',
    );
  if (new Date(row.expires_at) <= now)
    throw new ApprovalRefusal('link_expired', 'This link is too old.', 'Ask who sent it for a new one.');
  return { approvalId: row.approval_id, seatId: row.seat_id };
}

/** Uses a link up, in the transaction of the decision made with it. @throws ApprovalRefusal `link_used` when another came first */
export async function useLink(tx: Transaction, companyId: string, token: string, now: Date): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('approval_links')
    .set({ used_at: now })
    .where('company_id', '=', companyId)
    .where('token_hash', '=', hashToken(token))
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n)
    throw new ApprovalRefusal('link_used', 'You have decided with this link already.', 'Nothing more is to be done.');
}

/** One answer for every text that is no link, so that nobody learns anything by guessing. */
export function unknownLink(): ApprovalRefusal {
  return new ApprovalRefusal(
    'not_found',
    'This link leads nowhere.',
    'Check that it is complete, or ask who sent it for another.',
  );
}
