import type { Store, Transaction } from '@plumbline/db';
import { sql } from 'kysely';
import { isIn, type Part } from '../part.ts';
import { whileOpen } from '../run-open.ts';
import { answerWait, insertWait } from '../waits.ts';
import { oneAtATime, type Place } from './place.ts';

/**
 * Gets in line for a name that so many may hold at once. Asked again, it keeps its place.
 * @returns whether it holds it now; otherwise the step's wait is answered when its turn comes.
 */
export async function getInLine(
  store: Store,
  place: Place,
  given: { readonly name: string; readonly permits: number; readonly now: Date },
): Promise<boolean> {
  const { companyId, runId, nodeId, iteration } = place;
  const { name, permits, now } = given;
  return await whileOpen(store, place, async (tx) => {
    await oneAtATime(tx, 'lock', companyId, name);
    await tx
      .insertInto('locks')
      .values({ company_id: companyId, name, run_id: runId, node_id: nodeId, iteration, held_at: null })
      .onConflict((conflict) => conflict.columns(['company_id', 'run_id', 'node_id', 'iteration']).doNothing())
      .execute();
    await insertWait(tx, place, { kind: 'lock', key: name, config: { permits } });
    await hand(tx, companyId, name, now);
    const own = await tx
      .selectFrom('locks')
      .select('held_at')
      .where('company_id', '=', companyId)
      .where('run_id', '=', runId)
      .where('node_id', '=', nodeId)
      .where('iteration', '=', iteration)
      .executeTakeFirst();
    return own?.held_at != null;
  });
}

/** What is let go of. */
interface LetGo {
  readonly companyId: string;
  readonly runId: string;
  /** @default all */
  readonly name?: string;
  /** The place of the step that lets go of what the run holds: it may have taken it before, around it or within. What other turns of a loop hold, and what other branches stand in line for, stays theirs. @default all of the run, and its places in line */
  readonly place?: string;
  /** Only what these steps took, at that place or further in. */
  readonly within?: Part;
  readonly now: Date;
}

/** Gives up what a run holds, or waits for: one name, or all. Whoever is next in line is woken. */
export async function letGo(store: Store, given: LetGo): Promise<void> {
  await store.tenant(given.companyId, (tx) => letGoIn(tx, given));
}

/** The same, in a transaction with what else is written then. */
export async function letGoIn(tx: Transaction, { companyId, runId, name, place, within, now }: LetGo): Promise<void> {
  const taken = within ? isIn(within, 'locks') : place === undefined ? sql<boolean>`true` : isOnTheWayTo(place);
  const held = await tx
    .selectFrom('locks')
    .select('name')
    .distinct()
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .$if(name !== undefined, (query) => query.where('name', '=', name ?? ''))
    .where(taken)
    .orderBy('name')
    .execute();
  for (const lock of held) {
    await oneAtATime(tx, 'lock', companyId, lock.name);
    await tx
      .deleteFrom('locks')
      .where('company_id', '=', companyId)
      .where('run_id', '=', runId)
      .where('name', '=', lock.name)
      .where(taken)
      .execute();
    await hand(tx, companyId, lock.name, now);
  }
}

/** Whether a lock is held that was taken around a place, at it, or within. */
function isOnTheWayTo(place: string) {
  return sql<boolean>`(locks.held_at is not null and (locks.iteration = ${place} or locks.iteration = '' or ${place} = ''
    or starts_with(${place}, locks.iteration || '.') or starts_with(locks.iteration, ${place} || '.')))`;
}

/** Hands a name to those next in line, as long as there is room. */
async function hand(tx: Transaction, companyId: string, name: string, now: Date): Promise<void> {
  const line = await tx
    .selectFrom('locks')
    .innerJoin('waits', (join) =>
      join
        .onRef('waits.company_id', '=', 'locks.company_id')
        .onRef('waits.run_id', '=', 'locks.run_id')
        .onRef('waits.node_id', '=', 'locks.node_id')
        .onRef('waits.iteration', '=', 'locks.iteration'),
    )
    .select(['locks.run_id', 'locks.node_id', 'locks.iteration', 'locks.held_at', 'waits.config'])
    .where('locks.company_id', '=', companyId)
    .where('locks.name', '=', name)
    .orderBy('locks.number')
    .execute();
  let holders = line.filter(({ held_at }) => held_at !== null).length;
  for (const next of line) {
    if (next.held_at !== null) continue;
    // In the order in which they came: nobody overtakes whoever needs more room.
    if (holders >= Number(next.config['permits'] ?? 1)) return;
    holders++;
    await tx
      .updateTable('locks')
      .set({ held_at: now })
      .where('company_id', '=', companyId)
      .where('run_id', '=', next.run_id)
      .where('node_id', '=', next.node_id)
      .where('iteration', '=', next.iteration)
      .execute();
    const step = { companyId, runId: next.run_id, nodeId: next.node_id, iteration: next.iteration };
    await answerWait(tx, step, { answer: { held: true }, at: now });
  }
}
