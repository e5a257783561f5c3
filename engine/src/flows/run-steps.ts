import type { Transaction } from '@plumbline/db';
import { containersAround, type FlowDocument } from '@plumbline/workflows/flow';
import { sql, type RawBuilder } from 'kysely';
import type { StepData } from '../contract/index.ts';
import { mask } from '../runs/mask.ts';
import { notFound } from '../problem.ts';

/** One round of a loop: of one in another loop, that round in every round around it. */
export interface AskedRound {
  readonly loop: string;
  /** From 1, as people count. */
  readonly number: number;
}

/** Most steps that are told of one run, and of one round that was asked for: a loop may have a hundred thousand rounds. */
const STEPS = 2_000;

/** Bytes, as they are stored, of what the steps of an answer got and gave; and characters of it, for what is stored may be pressed to a hundredth. */
const STORED_TOGETHER = 2 * 1_048_576;
const TOLD_TOGETHER = 16 * 1_048_576;

/**
 * The steps of a run in the order in which they began. Where there are too many: those outside of loops, then those that are not over or went wrong, then
 * the first; and all the same those of the round that was asked for. In that order what they got and gave is told, until it is too much.
 * @throws ApiError `not_found` for a loop that is none
 */
export async function stepsOf(
  tx: Transaction,
  run: { readonly companyId: string; readonly id: string; readonly document: FlowDocument },
  asked?: AskedRound,
) {
  const all = tx.selectFrom('steps').where('company_id', '=', run.companyId).where('run_id', '=', run.id);
  const urgency = sql`(iteration = '') desc, (status in ('parked', 'failed', 'running', 'waiting')) desc, started_at, node_id`;
  const found = await all
    .select(columns)
    .select(within(urgency))
    .orderBy(urgency)
    .limit(STEPS + 1)
    .execute();
  const shown = withhold(found.slice(0, STEPS));
  if (asked) {
    const place = placeOf(run.document, asked);
    if (found.length > STEPS) {
      const ofRound = await all
        .select(columns)
        .select(within(sql`started_at, node_id`))
        .where('node_id', 'in', place.inside)
        .where(sql`split_part(iteration, '.', ${place.level})`, '=', String(asked.number - 1))
        .orderBy('started_at')
        .orderBy('node_id')
        .limit(STEPS)
        .execute();
      const listed = new Set(shown.map(keyOf));
      shown.push(...withhold(ofRound.filter((step) => !listed.has(keyOf(step)))));
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

const columns = [
  ...(['node_id', 'iteration', 'status', 'attempt', 'port', 'error', 'attempts', 'next_attempt_at'] as const),
  ...(['started_at', 'finished_at', 'carried', 'simulated'] as const),
] as const;

type Data = Readonly<Record<string, unknown>> | readonly unknown[] | null;

/** What each got and gave, while all that comes before it in that order is not too much. Sizes as they are stored are known without reading the values. */
function within(order: RawBuilder<unknown>) {
  const fits = sql`sum(coalesce(pg_column_size(input), 0) + coalesce(pg_column_size(output), 0)) over (order by ${order} rows unbounded preceding) <= ${STORED_TOGETHER}`;
  return [
    sql<Data>`case when ${fits} then input end`.as('input'),
    sql<Data>`case when ${fits} then output end`.as('output'),
    sql<boolean>`not (${fits}) and (input is not null or output is not null)`.as('withheld'),
  ] as const;
}

function withhold<T extends { readonly input: Data; readonly output: Data; readonly withheld: boolean }>(
  steps: readonly T[],
): T[] {
  let told = 0;
  return steps.map((step) => {
    told += JSON.stringify([step.input, step.output]).length;
    return told <= TOLD_TOGETHER ? step : { ...step, input: null, output: null, withheld: true };
  });
}

/**
 * What one step got and gave, however large.
 * @throws ApiError `not_found`
 */
export async function stepData(
  tx: Transaction,
  at: { readonly companyId: string; readonly runId: string; readonly nodeId: string; readonly iteration: string },
): Promise<StepData> {
  const step = await tx
    .selectFrom('steps')
    .select(['input', 'output'])
    .where('company_id', '=', at.companyId)
    .where('run_id', '=', at.runId)
    .where('node_id', '=', at.nodeId)
    .where('iteration', '=', at.iteration)
    .executeTakeFirst();
  if (!step) throw notFound('step in this run');
  return { input: mask(step.input), output: mask(step.output) };
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
