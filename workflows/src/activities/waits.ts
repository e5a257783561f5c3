import { json, literal, type Store, type Transaction } from '@plumbline/db';
import type { ExpectedEvent } from '@plumbline/nodes';
import { sql } from 'kysely';
import type { StepRef } from './contract.ts';
import { whileOpen } from './run-open.ts';

/**
 * Waits whose end somebody else brings: people who decide, a run that was called, whoever holds a lock. To go on without it would be to decide in their
 * place, to call again, or to be two where one may be.
 */
export const AWAITED = ['approval', 'run', 'lock'] as const;

/** The newest events of a key that are looked at for one that came before the wait was open. */
const LOOKED_AT = 10_000;

/** An answer that came for a step. */
export interface Answer {
  readonly answer: unknown;
  readonly at: Date;
}

/** What came for a step that waits; undefined while nothing has. */
export async function readAnswer(store: Store, ref: StepRef): Promise<Answer | undefined> {
  return await store.tenant(ref.companyId, (tx) => answerIn(tx, ref));
}

async function answerIn(
  tx: Transaction,
  { companyId, runId, nodeId, iteration }: StepRef,
): Promise<Answer | undefined> {
  const row = await tx
    .selectFrom('waits')
    .select(['answer', 'answered_at'])
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('node_id', '=', nodeId)
    .where('iteration', '=', iteration)
    .executeTakeFirst();
  return row?.answered_at ? { answer: row.answer, at: row.answered_at } : undefined;
}

/** Ends a wait whose time is up. Resolves with the answer that came before, if one did; afterwards none can come. */
export async function expireWait(store: Store, ref: StepRef, now: Date): Promise<Answer | undefined> {
  const { companyId, runId, nodeId, iteration } = ref;
  return await store.tenant(companyId, async (tx) => {
    // Whoever decides takes the two in this order.
    for (const table of ['approvals', 'waits'] as const)
      await tx
        .selectFrom(table)
        .select('run_id')
        .where('company_id', '=', companyId)
        .where('run_id', '=', runId)
        .where('node_id', '=', nodeId)
        .where('iteration', '=', iteration)
        .forUpdate()
        .execute();
    const answer = await answerIn(tx, ref);
    if (!answer) await closeWait(tx, ref, now);
    return answer;
  });
}

/** What a step waits for, and how that is found when it comes. */
interface NewWait {
  readonly kind: string;
  readonly key: string;
  readonly path?: readonly string[];
  readonly value?: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Writes down that a step waits, once; whoever answers wakes the run in the same transaction. @returns whether it is new */
export async function insertWait(
  tx: Transaction,
  { companyId, runId, nodeId, iteration }: StepRef,
  { kind, key, path, value, config = {} }: NewWait,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('waits')
    .values({
      ...{ company_id: companyId, run_id: runId, node_id: nodeId, iteration },
      ...{ kind, key, path: path ? [...path] : null, value: value ?? null, config: json(config) },
      ...{ answer: null, answered_at: null },
    })
    .onConflict((conflict) => conflict.columns(['company_id', 'run_id', 'node_id', 'iteration']).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/**
 * A lock, as SQL, under which a wait for an event is opened, and which whoever stores events and looks for such waits in one statement shares: so either the
 * one sees the wait, or the other the event.
 */
export function eventLock(companyId: string, key: string, how: 'alone' | 'shared'): string {
  const name = literal(`wait for event\n${companyId}\n${key}`);
  return `pg_advisory_xact_lock${how === 'shared' ? '_shared' : ''}(hashtextextended(${name}, 0))`;
}

/**
 * Waits for an event of a key in whose data, at `path`, stands `value`. Events that came before `since` do not count.
 * @param since @default the moment from which it waits
 */
export async function awaitEvent(
  store: Store,
  ref: StepRef,
  event: ExpectedEvent,
  now: Date,
  since?: Date,
): Promise<void> {
  const { companyId, runId, nodeId, iteration } = ref;
  await whileOpen(store, ref, async (tx) => {
    await sql`select ${sql.raw(eventLock(companyId, event.key, 'alone'))}`.execute(tx);
    await insertWait(tx, ref, { kind: 'event', ...event });
  });
  // First the wait, then a look at what is there: what comes in between answers the wait. Served by `events_latest`.
  await store.tenant(companyId, async (tx) => {
    const { rows } = await sql<{ data: unknown }>`
      select events.data
        from waits join runs on runs.company_id = waits.company_id and runs.id = waits.run_id
             cross join lateral (
               select * from events where company_id = ${companyId} and key = ${event.key} order by seq desc limit ${LOOKED_AT}) events
       where waits.company_id = ${companyId} and waits.run_id = ${runId} and waits.node_id = ${nodeId} and waits.iteration = ${iteration}
         and waits.answered_at is null
         and events.received_at >= coalesce(${since ?? null}::timestamptz, waits.since)
         and events.id is distinct from runs.event_id and events.status <> 'dropped'
         and events.data #>> ${[...event.path]}::text[] = ${event.value}
       order by events.seq limit 1`.execute(tx);
    const [came] = rows;
    if (came) await answerWait(tx, ref, { answer: came.data, at: now });
  });
}

/** Answers what a step waits for, unless it is answered already. */
export async function answerWait(
  tx: Transaction,
  { companyId, runId, nodeId, iteration }: StepRef,
  { answer, at }: Answer,
): Promise<void> {
  await tx
    .updateTable('waits')
    .set({ answer: json(answer), answered_at: at })
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('node_id', '=', nodeId)
    .where('iteration', '=', iteration)
    .where('answered_at', 'is', null)
    .execute();
}

/** Takes back what a step waits for, and the question it put to people, if any: nobody needs to answer it any more. */
export async function closeWait(tx: Transaction, ref: StepRef, now: Date): Promise<void> {
  const { companyId, runId, nodeId, iteration } = ref;
  // Before the wait, as whoever decides takes them in this order too.
  await tx
    .updateTable('approvals')
    .set({ status: 'withdrawn', closed_at: now })
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('node_id', '=', nodeId)
    .where('iteration', '=', iteration)
    .where('status', '=', 'open')
    .execute();
  await tx
    .deleteFrom('waits')
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('node_id', '=', nodeId)
    .where('iteration', '=', iteration)
    .execute();
}
