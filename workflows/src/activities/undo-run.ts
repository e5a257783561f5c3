import type { Tables } from '@plumbline/db';
import { isConnectorFailure, type NodeType } from '@plumbline/nodes';
import { sql, type ExpressionBuilder } from 'kysely';
import { z } from 'zod';
import type { PlanNode } from '../flow/plan.ts';
import { regionsOf, type Regions } from '../flow/regions.ts';
import { stepKey } from '../step-key.ts';
import type { CarriedRun } from './carry-run.ts';
import { cancelCalledIn } from './call-flow.ts';
import { isWrite } from './effects.ts';
import type { LaneStep } from './lane.ts';
import { isIn, type Part } from './part.ts';
import type { StepOutcome } from './run-step.ts';
import { CALL, uses } from '../flow/special-types.ts';

export type Undone =
  /** `names` are undone; `kept` wrote something, or may have, that stays. */
  | { readonly kind: 'done'; readonly names: readonly string[]; readonly kept: readonly string[] }
  /** It waits for the next try, or for a person. */
  | { readonly kind: 'waits'; readonly node: PlanNode; readonly outcome: StepOutcome };

/** What the iteration of a step that undoes another ends with. */
const UNDO = 'undo';

/**
 * Undoes what a run, or a part of it, wrote, last first, each under an idempotency key of its own and recorded as a step of its own. What cannot be undone
 * is left and named, and so is what a person gave up undoing. Carried on again, it goes on where it stood.
 */
export async function undoSteps(run: CarriedRun, part?: Part, how: 'undo' | 'leave' = 'undo'): Promise<Undone> {
  const { deps, runner, work } = run;
  const { lane, plan } = work;
  const rows = await readSteps(run, part);
  const known = new Map(rows.map((row) => [`${row.node_id} ${row.iteration}`, row]));
  const names: string[] = [];
  const kept: string[] = [];
  const wroteByCall = await callsThatWrote(run);
  for (const row of rows) {
    const step = plan.steps[row.node_id];
    const type = step && deps.catalog.nodeTypes.get(`${step.type}@${step.version}`);
    const node = regionsOf(plan.graph).node(row.node_id);
    if (!step || !type || !node || isUndo(row.iteration)) continue;
    const isUnclear = row.status === 'failed' && row.error?.['kind'] === 'ambiguous';
    // What another flow wrote is that flow's to undo: it is named, also when it failed after it.
    if (wroteByCall.has(`${row.node_id} ${row.iteration}`)) kept.push(step.name);
    if (row.status !== 'succeeded' && !isUnclear) continue;
    if (!isWrite(type.effectFor?.(row.input as never) ?? type.effect)) continue;
    const iteration = row.iteration === '' ? UNDO : `${row.iteration}.${UNDO}`;
    const before = known.get(`${row.node_id} ${iteration}`);
    if (before?.status === 'succeeded' && isUndone(before.output)) {
      names.push(step.name);
      continue;
    }
    // Where a person skipped undoing it, or gave it up, it stays.
    const isGivenUp = before?.status === 'succeeded' || before?.status === 'failed';
    if (!type.undo || isUnclear || isGivenUp || how === 'leave') {
      kept.push(step.name);
      continue;
    }
    const waits = (outcome: StepOutcome): Undone => ({ kind: 'waits', node, outcome });
    if (before?.status === 'parked')
      return waits({ kind: 'parked', failure: before.error as unknown as NonNullable<LaneStep['error']> });
    const leftMs = before?.next_attempt_at ? before.next_attempt_at.getTime() - deps.now().getTime() : 0;
    if (leftMs > 0) return waits({ kind: 'retry', afterMs: leftMs });
    if (run.isOver) return waits({ kind: 'retry', afterMs: 0 });
    const outcome = await runner.runStep(
      {
        ...run.attemptOf(node, { iteration, turns: [] }, before?.status === 'waiting' ? before.attempt + 1 : 1),
        onError: 'park',
      },
      { ...step, name: `Undo: ${step.name}` },
      lane,
      { iteration, turns: [] },
      { type: undoing(type), mapped: { input: row.input, output: row.output } },
    );
    // Only what is tried out fails here: there nobody is asked.
    if (outcome.kind === 'failed') kept.push(step.name);
    else if (outcome.kind === 'done') names.push(step.name);
    else return waits(outcome);
    deps.crashPoint?.('mid-undo', row.node_id);
  }
  return { kind: 'done', names, kept };
}

/** Steps that called a flow which wrote something, itself or by what it called. */
async function callsThatWrote({ deps, work }: CarriedRun): Promise<ReadonlySet<string>> {
  const { companyId, lane, plan } = work;
  if (!uses(plan, CALL)) return new Set();
  return await deps.store.tenant(companyId, async (tx) => {
    const { rows } = await sql<{ caller: string; run_id: string; node_id: string; iteration: string }>`
      with recursive called as (
        select id, parent_node_id || ' ' || parent_iteration as caller from runs
         where company_id = ${companyId} and parent_run_id = ${lane.runId}
        union all
        select runs.id, called.caller from runs join called on runs.parent_run_id = called.id
         where runs.company_id = ${companyId})
      select called.caller, steps.run_id, steps.node_id, steps.iteration
        from called join steps on steps.company_id = ${companyId} and steps.run_id = called.id and steps.status = 'succeeded'`.execute(
      tx,
    );
    // Effects are found by their keys, and by nothing else.
    const callers = new Map(
      rows.map(({ caller, run_id: runId, node_id: nodeId, iteration }) => [
        stepKey({ companyId, runId, nodeId, iteration }),
        caller,
      ]),
    );
    if (callers.size === 0) return new Set();
    const effects = await tx
      .selectFrom('effects')
      .select('key')
      .where('company_id', '=', companyId)
      .where(sql<boolean>`key = any(${[...callers.keys()]}::text[])`)
      .where('state', '=', 'confirmed')
      .execute();
    return new Set(effects.flatMap(({ key }) => callers.get(key) ?? []));
  });
}

/** The steps that there are to undo, and those that undo them, last first. */
async function readSteps({ deps, work }: CarriedRun, part: Part | undefined) {
  const { companyId, lane, plan } = work;
  await lane.commit({});
  const rows = await deps.store.tenant(companyId, (tx) => {
    const query = tx
      .selectFrom('steps')
      .select([
        'node_id',
        'iteration',
        'status',
        'attempt',
        'input',
        'output',
        'error',
        'next_attempt_at',
        'finished_at',
      ])
      .where('company_id', '=', companyId)
      .where('run_id', '=', lane.runId)
      .where('status', '<>', 'skipped');
    return (part ? query.where(isIn(part)) : query).execute();
  });
  const regions = regionsOf(plan.graph);
  const place = new Map(plan.graph.nodes.map(({ id }, index) => [id, index]));
  const paths = new Map(rows.map((row) => [row, pathOf(regions, place, row)]));
  // What ended at the same moment is undone against the order of the drawing.
  return rows.sort(
    (a, b) =>
      (b.finished_at?.getTime() ?? 0) - (a.finished_at?.getTime() ?? 0) ||
      compare(paths.get(b) ?? [], paths.get(a) ?? []),
  );
}

/** Whether it is no step that undoes another: what was begun to be undone goes on. */
export function isNoUndo(eb: ExpressionBuilder<Tables, 'steps'>) {
  return eb('steps.iteration', 'not like', `%${UNDO}`);
}

/** Where a step stands: the place of each container around it and its turn in there, then its own. */
function pathOf(
  regions: Regions,
  place: ReadonlyMap<string, number>,
  row: { readonly node_id: string; readonly iteration: string },
): readonly number[] {
  const turns = row.iteration.split('.');
  return [
    ...regions.around(row.node_id).flatMap((id, depth) => [place.get(id) ?? 0, Number(turns[depth] ?? 0)]),
    place.get(row.node_id) ?? 0,
  ];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, one] of a.entries()) {
    const difference = one - (b[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** From now on the run does nothing but undo: whoever takes it up again sees that. */
export async function beginUndoing({ deps, work }: CarriedRun): Promise<void> {
  const { companyId, lane } = work;
  await lane.commit({});
  // Also where a person chose it: what else the run has going goes on beside that until somebody takes it up.
  await deps.store.tenant(companyId, async (tx) => {
    await tx
      .updateTable('runs')
      .set({ compensate: true })
      .where('company_id', '=', companyId)
      .where('id', '=', lane.runId)
      .execute();
    await tx
      .updateTable('approvals')
      .set({ status: 'withdrawn', closed_at: deps.now() })
      .where('company_id', '=', companyId)
      .where('run_id', '=', lane.runId)
      .where('status', '=', 'open')
      .execute();
    await tx
      .updateTable('steps')
      .set({ status: 'failed', finished_at: deps.now(), next_attempt_at: null })
      .where('company_id', '=', companyId)
      .where('run_id', '=', lane.runId)
      .where('status', 'in', ['running', 'waiting', 'parked'])
      .where(isNoUndo)
      .execute();
    await cancelCalledIn(tx, { companyId, runId: lane.runId }, deps.now());
  });
}

function isUndo(iteration: string): boolean {
  return iteration === UNDO || iteration.endsWith(`.${UNDO}`);
}

/** What a person put in its place says nothing of the sort. */
function isUndone(output: unknown): boolean {
  return (output as { readonly undone?: unknown } | null)?.undone === true;
}

/** The step that undoes a step: a write like any other, done once under its own key. */
function undoing(type: NodeType): NodeType {
  const { undo } = type;
  const { effectFor: _, findExisting: __, remote: ___, ...rest } = type;
  return {
    ...rest,
    title: `Undo: ${type.title}`,
    effect: 'upsert',
    output: z.object({ undone: z.boolean() }),
    async run(context) {
      try {
        await undo?.run(context);
      } catch (error) {
        // What is no longer there needs no undoing.
        if (!isConnectorFailure(error) || error.kind !== 'not_found') throw error;
      }
      return { output: { undone: true } };
    },
  };
}
