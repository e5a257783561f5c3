import { json, type Store, type Transaction } from '@plumbline/db';
import { whileOpen } from '../run-open.ts';
import { answerWait, insertWait } from '../waits.ts';
import { oneAtATime, type Place } from './place.ts';

/** What came of putting an item to the others. */
export type Collected =
  /** This run goes on with all of them, when there are enough or their time is up. */
  | { readonly role: 'first' }
  /** Another run goes on with it. */
  | { readonly role: 'joined'; readonly runId: string }
  /** There are enough, and it is this run that goes on. */
  | { readonly role: 'full'; readonly items: readonly unknown[] };

/** Puts an item to those that others have put together under a key. Asked again, it is there once. */
export async function collect(
  store: Store,
  place: Place,
  given: { readonly key: string; readonly item: unknown; readonly count: number; readonly now: Date },
): Promise<Collected> {
  const { companyId, flowId, nodeId, runId, iteration } = place;
  const { key, item, count, now } = given;
  return await whileOpen(store, place, async (tx) => {
    await oneAtATime(tx, 'collect', companyId, flowId, nodeId, key);
    const own = await tx
      .selectFrom('batch_items')
      .innerJoin('batches', (join) =>
        join
          .onRef('batches.company_id', '=', 'batch_items.company_id')
          .onRef('batches.id', '=', 'batch_items.batch_id'),
      )
      .select(['batches.id', 'batches.run_id', 'batches.iteration', 'batches.closed_at'])
      .where('batch_items.company_id', '=', companyId)
      .where('batch_items.run_id', '=', runId)
      .where('batch_items.node_id', '=', nodeId)
      .where('batch_items.iteration', '=', iteration)
      .executeTakeFirst();
    if (own) {
      if (own.run_id !== runId || own.iteration !== iteration) return { role: 'joined', runId: own.run_id };
      return own.closed_at ? { role: 'full', items: await itemsOf(tx, companyId, own.id) } : { role: 'first' };
    }
    const found = await tx
      .selectFrom('batches')
      .select(['id', 'run_id', 'iteration'])
      .where('company_id', '=', companyId)
      .where('flow_id', '=', flowId)
      .where('node_id', '=', nodeId)
      .where('key', '=', key)
      .where('closed_at', 'is', null)
      .executeTakeFirst();
    const open = found && (await isWaitedFor(tx, place, found)) ? found : undefined;
    const batch =
      open ??
      (found && (await takeOver(tx, place, found))) ??
      (await tx
        .insertInto('batches')
        .values({
          ...{ company_id: companyId, flow_id: flowId, node_id: nodeId, key },
          run_id: runId,
          iteration,
          opened_at: now,
          closed_at: null,
        })
        .returning(['id', 'run_id', 'iteration'])
        .executeTakeFirstOrThrow());
    await tx
      .insertInto('batch_items')
      .values({
        company_id: companyId,
        batch_id: batch.id,
        run_id: runId,
        node_id: nodeId,
        iteration,
        item: json(item ?? null),
      })
      .execute();
    const items = await itemsOf(tx, companyId, batch.id);
    if (items.length >= count) await closeBatch(tx, companyId, batch.id, now);
    if (open) {
      if (items.length >= count)
        await answerWait(
          tx,
          { companyId, runId: batch.run_id, nodeId, iteration: batch.iteration },
          { answer: { items }, at: now },
        );
      return { role: 'joined', runId: batch.run_id };
    }
    if (items.length >= count) return { role: 'full', items };
    await insertWait(tx, place, { kind: 'batch', key: batch.id });
    return { role: 'first' };
  });
}

interface Batch {
  readonly id: string;
  readonly run_id: string;
  readonly iteration: string;
}

/** Whether the step still waits that is to go on with it: its run may have ended, or the step been given up. */
async function isWaitedFor(tx: Transaction, { companyId, nodeId }: Place, batch: Batch): Promise<boolean> {
  const waits = await tx
    .selectFrom('waits')
    .innerJoin('runs', (join) =>
      join.onRef('runs.company_id', '=', 'waits.company_id').onRef('runs.id', '=', 'waits.run_id'),
    )
    .select('waits.run_id')
    .where('waits.company_id', '=', companyId)
    .where('waits.run_id', '=', batch.run_id)
    .where('waits.node_id', '=', nodeId)
    .where('waits.iteration', '=', batch.iteration)
    .where('runs.finished_at', 'is', null)
    .executeTakeFirst();
  return waits !== undefined;
}

/** This step goes on in place of the one that was to: with what others put to it, but not with what that one brought itself. A repetition brings it again. */
async function takeOver(tx: Transaction, { companyId, nodeId, runId, iteration }: Place, batch: Batch): Promise<Batch> {
  await tx
    .deleteFrom('batch_items')
    .where('company_id', '=', companyId)
    .where('run_id', '=', batch.run_id)
    .where('node_id', '=', nodeId)
    .where('iteration', '=', batch.iteration)
    .execute();
  await tx
    .updateTable('batches')
    .set({ run_id: runId, iteration })
    .where('company_id', '=', companyId)
    .where('id', '=', batch.id)
    .execute();
  return { id: batch.id, run_id: runId, iteration };
}

/**
 * Closes what a run has waited to be put together, because its time is up; what comes later begins anew. Asked again, and when it was full at this very
 * moment, it is the same items. To be done before the wait ends: by the wait others tell that somebody goes on with it.
 */
export async function closeCollected(store: Store, place: Place, now: Date): Promise<readonly unknown[]> {
  const { companyId, flowId, nodeId, runId, iteration } = place;
  return await store.tenant(companyId, async (tx) => {
    const own = tx
      .selectFrom('batches')
      .select(['id', 'key'])
      .where('company_id', '=', companyId)
      .where('flow_id', '=', flowId)
      .where('node_id', '=', nodeId)
      .where('run_id', '=', runId)
      .where('iteration', '=', iteration);
    const found = await own.executeTakeFirstOrThrow();
    await oneAtATime(tx, 'collect', companyId, flowId, nodeId, found.key);
    // Whoever had the name until now may have taken it over.
    const batch = await own.executeTakeFirstOrThrow();
    await closeBatch(tx, companyId, batch.id, now);
    return await itemsOf(tx, companyId, batch.id);
  });
}

async function closeBatch(tx: Transaction, companyId: string, id: string, now: Date): Promise<void> {
  await tx
    .updateTable('batches')
    .set({ closed_at: now })
    .where('company_id', '=', companyId)
    .where('id', '=', id)
    .where('closed_at', 'is', null)
    .execute();
}

async function itemsOf(tx: Transaction, companyId: string, batchId: string): Promise<readonly unknown[]> {
  const rows = await tx
    .selectFrom('batch_items')
    .select('item')
    .where('company_id', '=', companyId)
    .where('batch_id', '=', batchId)
    .orderBy('number')
    .execute();
  return rows.map(({ item }) => item);
}
