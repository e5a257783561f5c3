import type { Transaction } from '@plumbline/db';
import { outcomeTitle } from '@plumbline/workflows/approvals/decide';
import { companyPeople } from '@plumbline/workflows/approvals/people';
import { decisionsOf, seatsOf } from '@plumbline/workflows/approvals/row';
import { sql } from 'kysely';
import { may } from '../auth/roles.ts';
import type { Actor } from '../auth/session.ts';
import type { Page, SeatMail, TaskDetail, TaskSummary } from '../contract/index.ts';
import { notFound } from '../problem.ts';
import { questionOf } from './question.ts';
import { waitingFor } from './waiting-for.ts';

const PAGE = 50;

/** What a list of tasks holds: what waits for the reader, all that waits, or what was decided. */
export type TaskView = 'mine' | 'open' | 'decided';

function taskRows(tx: Transaction, actor: Actor) {
  return tx
    .selectFrom('approvals')
    .innerJoin('runs', (join) =>
      join.onRef('runs.company_id', '=', 'approvals.company_id').onRef('runs.id', '=', 'approvals.run_id'),
    )
    .innerJoin('flows', (join) =>
      join.onRef('flows.company_id', '=', 'runs.company_id').onRef('flows.id', '=', 'runs.flow_id'),
    )
    .selectAll('approvals')
    .select(['flows.name as flow_name', isMine(actor).as('mine')])
    .where('approvals.company_id', '=', actor.companyId);
}

type TaskRow = Awaited<ReturnType<ReturnType<typeof taskRows>['execute']>>[number];

/** Whether the reader is asked now. Served by `approval_seats_by_approval`. */
function isMine(actor: Actor) {
  return sql<boolean>`(approvals.status = 'open' and exists (
    select from approval_seats seat where seat.company_id = approvals.company_id and seat.approval_id = approvals.id
       and seat.stage = approvals.stage and seat.status = 'open' and seat.user_id = ${actor.userId}))`;
}

/** Tasks: what is open with the oldest first, what is over with the newest first. */
export async function listTasks(
  tx: Transaction,
  actor: Actor,
  { view, cursor }: { readonly view: TaskView; readonly cursor?: string },
): Promise<Page<TaskSummary>> {
  const open = view !== 'decided';
  const [at, id] = cursor ? Buffer.from(cursor, 'base64url').toString().split('|') : [];
  let rows = taskRows(tx, actor).limit(PAGE + 1);
  if (open) {
    rows = rows.where('approvals.status', '=', 'open').orderBy('approvals.opened_at').orderBy('approvals.id');
    if (at && id)
      rows = rows.where(sql<boolean>`(approvals.opened_at, approvals.id) > (${at}::timestamptz, ${id}::uuid)`);
  } else {
    rows = rows
      .where('approvals.status', '<>', 'open')
      .orderBy('approvals.closed_at', 'desc')
      .orderBy('approvals.id', 'desc');
    if (at && id)
      rows = rows.where(sql<boolean>`(approvals.closed_at, approvals.id) < (${at}::timestamptz, ${id}::uuid)`);
  }
  if (view === 'mine') rows = rows.where(isMine(actor));
  const found = await rows.execute();
  const page = found.slice(0, PAGE);
  const waiting = await waitingFor(
    tx,
    actor.companyId,
    page.filter(({ status }) => status === 'open').map((row) => row.id),
  );
  const last = page.at(-1);
  const lastAt = last && (open ? last.opened_at : last.closed_at);
  return {
    items: page.map((row) => toSummary(row, waiting.get(row.id))),
    ...(found.length > PAGE && last && lastAt
      ? { next: Buffer.from(`${lastAt.toISOString()}|${last.id}`).toString('base64url') }
      : {}),
  };
}

/** How many tasks wait for the reader. Served by `approval_seats_by_user`. */
export async function countTasks(tx: Transaction, actor: Actor): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(distinct approvals.id)::int as count
      from approval_seats seat join approvals on approvals.company_id = seat.company_id and approvals.id = seat.approval_id
     where seat.company_id = ${actor.companyId} and seat.user_id = ${actor.userId} and seat.status = 'open'
       and approvals.status = 'open' and approvals.stage = seat.stage`.execute(tx);
  return rows[0]?.count ?? 0;
}

/**
 * One task.
 * @param sendsMail Whether this installation sends mail: where it does not, what is written down says nothing.
 * @throws ApiError `not_found`
 */
export async function readTask(
  tx: Transaction,
  actor: Actor,
  taskId: string,
  { now, sendsMail }: { readonly now: Date; readonly sendsMail: boolean },
): Promise<TaskDetail> {
  const { companyId } = actor;
  const row = await taskRows(tx, actor).where('approvals.id', '=', taskId).executeTakeFirst();
  if (!row) throw notFound('task');
  const stages = await tx
    .selectFrom('approval_stages')
    .selectAll()
    .where('company_id', '=', companyId)
    .where('approval_id', '=', taskId)
    .orderBy('number')
    .execute();
  const seats = await seatsOf(tx, companyId, taskId);
  const links = await tx
    .selectFrom('approval_links')
    .select(['seat_id', 'expires_at'])
    .where('company_id', '=', companyId)
    .where('approval_id', '=', taskId)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('expires_at')
    .execute();
  const linkUntil = new Map(links.map((link) => [link.seat_id, link.expires_at.toISOString()]));
  const mails = sendsMail ? await lastMails(tx, companyId, taskId) : new Map<string, SeatMail>();
  const decisions = await decisionsOf(tx, companyId, taskId);
  const words = row.status === 'open' ? await waitingFor(tx, companyId, [row.id]) : new Map<string, string>();
  const question = questionOf(row);
  const titles = new Map(question.form.map(({ id, title }) => [id, title]));
  const own = may(actor.role, 'approval:decide')
    ? seats.find(
        ({ user_id, status, stage }) =>
          row.status === 'open' && user_id === actor.userId && status === 'open' && stage === row.stage,
      )
    : undefined;
  const people = own || may(actor.role, 'approval:oversee') ? await companyPeople(tx) : [];
  return {
    ...toSummary(row, words.get(row.id)),
    question,
    record: row.record_entity && row.record_id ? { entity: row.record_entity, id: row.record_id } : null,
    stages: stages.map(({ number, title, from_amount, need, status }) => ({
      number,
      title,
      fromAmount: from_amount,
      need,
      status,
      seats: seats
        .filter(({ stage }) => stage === number)
        .map((seat) => ({
          id: seat.id,
          name: seat.name,
          email: seat.email,
          status: seat.status,
          way: seat.way,
          handedBy: seat.handed_by,
          outside: seat.user_id === null,
          linkUntil: linkUntil.get(seat.id) ?? null,
          mail: mails.get(seat.id) ?? null,
        })),
    })),
    decisions: decisions.map((decision) => ({
      stage: decision.stage,
      outcome: { id: decision.outcome, title: outcomeTitle(row, decision.outcome) },
      by: decision.decided_by,
      insteadOf: decision.instead_of,
      way: decision.way,
      comment: decision.comment,
      filled: Object.entries(decision.filled).map(([id, value]) => ({ title: titles.get(id) ?? id, value })),
      at: decision.at.toISOString(),
    })),
    seatId: own?.id ?? null,
    mayOversee: may(actor.role, 'approval:oversee'),
    colleagues: people
      .filter(({ id, role }) => id !== actor.userId && role !== 'viewer')
      .map(({ email, name }) => ({ email, name })),
  };
}

/** The last mail to each who is asked, by seat; what was dropped because nobody needs it any more is none. Served by `mail_outbox_by_approval`. */
async function lastMails(tx: Transaction, companyId: string, taskId: string): Promise<ReadonlyMap<string, SeatMail>> {
  const rows = await tx
    .selectFrom('mail_outbox')
    .select(['seat_id', 'created_at', 'sent_at', 'dropped_at', 'problem'])
    .where('company_id', '=', companyId)
    .where('approval_id', '=', taskId)
    .where((eb) => eb.or([eb('dropped_at', 'is', null), eb('problem', 'is not', null)]))
    .orderBy('created_at')
    .execute();
  return new Map(
    rows.flatMap(({ seat_id: seatId, created_at, sent_at, dropped_at, problem }): [string, SeatMail][] => {
      const state = sent_at ? 'sent' : dropped_at ? 'failed' : 'on_its_way';
      const at = (sent_at ?? dropped_at ?? created_at).toISOString();
      return seatId === null ? [] : [[seatId, { state, at, problem }]];
    }),
  );
}

function toSummary(row: TaskRow, waiting: string | undefined): TaskSummary {
  return {
    id: row.id,
    title: row.title,
    status: row.status,
    amount: row.amount,
    outcome: row.outcome === null ? null : { id: row.outcome, title: outcomeTitle(row, row.outcome) },
    flowName: row.flow_name,
    runId: row.run_id,
    waitingFor: waiting ?? null,
    mine: row.mine,
    openedAt: row.opened_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    closedAt: row.closed_at?.toISOString() ?? null,
  };
}
