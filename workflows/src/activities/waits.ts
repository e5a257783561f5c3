import { json, type Store, type Transaction } from '@plumbline/db';
import type { ExpectedEvent } from '@plumbline/nodes';
import type { StepRef } from './contract.ts';

/**
 * Waits whose end somebody else brings: people who decide, a run that was called, whoever holds a lock. To go on without it would be to decide in their
 * place, to call again, or to be two where one may be.
 */
export const AWAITED = ['approval', 'run', 'lock'] as const;

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

/** Writes down that a step waits. Whoever answers wakes the run in the same transaction. */
export async function openWait(
  store: Store,
  ref: StepRef,
  wait: {
    readonly kind: string;
    readonly key: string;
    readonly path?: readonly string[];
    readonly value?: string;
    readonly config?: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  await store.tenant(ref.companyId, (tx) =>
    tx
      .insertInto('waits')
      .values({
        company_id: ref.companyId,
        run_id: ref.runId,
        node_id: ref.nodeId,
        iteration: ref.iteration,
        kind: wait.kind,
        key: wait.key,
        path: wait.path ? [...wait.path] : null,
        value: wait.value ?? null,
        config: json(wait.config ?? {}),
        answer: null,
        answered_at: null,
      })
      .onConflict((conflict) => conflict.columns(['company_id', 'run_id', 'node_id', 'iteration']).doNothing())
      .execute(),
  );
}

/** Waits for an event of a key in whose data, at `path`, stands `value`. Events that came before do not count. */
export async function awaitEvent(store: Store, ref: StepRef, event: ExpectedEvent): Promise<void> {
  await openWait(store, ref, { kind: 'event', ...event });
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
