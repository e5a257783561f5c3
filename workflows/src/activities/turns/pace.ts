import type { Store } from '@plumbline/db';
import { sql } from 'kysely';
import { whileOpen } from '../run-open.ts';
import { insertWait } from '../waits.ts';
import { oneAtATime, type Place } from './place.ts';

export interface Pace {
  readonly key: string;
  readonly limit: number;
  readonly perSeconds: number;
  /** Takes no turn of a later window. */
  readonly onlyNow: boolean;
}

/**
 * Gives a step its turn, so many in each window: now, or in the first window with room. Asked again, it is the same turn.
 * @returns when; undefined when only this window would do and it is full.
 */
export async function takeTurn(
  store: Store,
  place: Place,
  pace: Pace & { readonly now: Date },
): Promise<Date | undefined> {
  const { companyId, flowId, nodeId, runId, iteration } = place;
  const { key, limit, perSeconds, onlyNow, now } = pace;
  return await whileOpen(store, place, async (tx) => {
    await oneAtATime(tx, 'pace', companyId, flowId, nodeId, key);
    const taken = await tx
      .selectFrom('waits')
      .select('config')
      .where('company_id', '=', companyId)
      .where('run_id', '=', runId)
      .where('node_id', '=', nodeId)
      .where('iteration', '=', iteration)
      .executeTakeFirst();
    const at = taken?.config['at'];
    if (typeof at === 'string') return new Date(at);
    const row = await tx
      .selectFrom('paces')
      .select(['window_at', 'used'])
      .where('company_id', '=', companyId)
      .where('flow_id', '=', flowId)
      .where('node_id', '=', nodeId)
      .where('key', '=', key)
      .executeTakeFirst();
    const windowMs = perSeconds * 1_000;
    const isOver = !row || row.window_at.getTime() + windowMs <= now.getTime();
    const isFull = !isOver && row.used >= limit;
    const windowAt = isOver ? now : isFull ? new Date(row.window_at.getTime() + windowMs) : row.window_at;
    const turn = windowAt > now ? windowAt : now;
    if (onlyNow && turn > now) return undefined;
    const used = isOver || isFull ? 1 : row.used + 1;
    await tx
      .insertInto('paces')
      .values({ company_id: companyId, flow_id: flowId, node_id: nodeId, key, window_at: windowAt, used })
      .onConflict((conflict) =>
        conflict
          .columns(['company_id', 'flow_id', 'node_id', 'key'])
          .doUpdateSet({ window_at: sql`excluded.window_at`, used: sql`excluded.used` }),
      )
      .execute();
    await insertWait(tx, place, { kind: 'pace', key, config: { at: turn.toISOString() } });
    return turn;
  });
}
