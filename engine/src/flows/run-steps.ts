import type { Transaction } from '@plumbline/db';
import { containersAround, type FlowDocument } from '@plumbline/workflows/flow';
import { sql } from 'kysely';
import { notFound } from '../problem.ts';

/** One round of a loop: of one in another loop, that round in every round around it. */
export interface AskedRound {
  readonly loop: string;
  /** From 1, as people count. */
  readonly number: number;
}

/** Most steps that are told of one run, and of one round that was asked for: a loop may have a hundred thousand rounds. */
const STEPS = 2_000;

/**
 * The steps of a run in the order in which they began. Where there are too many: those outside of loops, then those that are not over or went wrong, then
 * the first; and all the same those of the round that was asked for.
 * @throws ApiError `not_found` for a loop that is none
 */
export async function stepsOf(
  tx: Transaction,
  run: { readonly companyId: string; readonly id: string; readonly document: FlowDocument },
  asked?: AskedRound,
) {
  const all = tx.selectFrom('steps').where('company_id', '=', run.companyId).where('run_id', '=', run.id);
  const found = await all
    .selectAll()
    .orderBy(sql`(iteration = '')`, 'desc')
    .orderBy(sql`(status in ('parked', 'failed', 'running', 'waiting'))`, 'desc')
    .orderBy('started_at')
    .orderBy('node_id')
    .limit(STEPS + 1)
    .execute();
  const shown = found.slice(0, STEPS);
  if (asked) {
    const place = placeOf(run.document, asked);
    if (found.length > STEPS) {
      const ofRound = await all
        .selectAll()
        .where('node_id', 'in', place.inside)
        .where(sql`split_part(iteration, '.', ${place.level})`, '=', String(asked.number - 1))
        .orderBy('started_at')
        .limit(STEPS)
        .execute();
      const listed = new Set(shown.map(keyOf));
      shown.push(...ofRound.filter((step) => !listed.has(keyOf(step))));
    }
  }
  const { count } =
    found.length > STEPS
      ? await all.select((eb) => eb.fn.countAll<string>().as('count')).executeTakeFirstOrThrow()
      : { count: found.length };
  return {
    leftOut: Number(count) - shown.length,
    steps: shown.sort((a, b) => a.started_at.getTime() - b.started_at.getTime() || (a.node_id < b.node_id ? -1 : 1)),
  };
}

/** The steps inside a loop, and which number of their iteration, from 1, counts its rounds. */
function placeOf(document: FlowDocument, { loop }: AskedRound): { readonly inside: string[]; readonly level: number } {
  const inside = Object.keys(document.nodes).filter((id) => containersAround(document, id).includes(loop));
  if (inside.length === 0) throw notFound('loop in this run');
  return { inside, level: containersAround(document, loop).length + 1 };
}

function keyOf(step: { readonly node_id: string; readonly iteration: string }): string {
  return `${step.node_id}:${step.iteration}`;
}
