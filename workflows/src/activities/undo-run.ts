import { isConnectorFailure, type NodeType } from '@plumbline/nodes';
import { z } from 'zod';
import type { PlanNode } from '../flow/plan.ts';
import { regionsOf } from '../flow/regions.ts';
import type { CarriedRun } from './carry-run.ts';
import { isWrite } from './effects.ts';
import type { LaneStep } from './lane.ts';
import type { StepOutcome } from './run-step.ts';

export type Undone =
  /** `names` are undone; `kept` wrote something and cannot be. */
  | { readonly kind: 'done'; readonly names: readonly string[]; readonly kept: readonly string[] }
  /** It waits for the next try, or for a person. */
  | { readonly kind: 'waits'; readonly node: PlanNode; readonly outcome: StepOutcome };

/** What the iteration of a step that undoes another ends with. */
const UNDO = 'undo';

/**
 * Undoes what a run wrote, last first, each under an idempotency key of its own and recorded as a step of its own. What cannot be undone is left and
 * named. Carried on again, it goes on where it stood.
 */
export async function undoRun(run: CarriedRun): Promise<Undone> {
  const { deps, runner, work } = run;
  const { companyId, lane, plan } = work;
  await beginUndoing(run);
  const rows = await deps.store.tenant(companyId, (tx) =>
    tx
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
      .where('status', 'in', ['succeeded', 'waiting', 'parked', 'running'])
      .execute(),
  );
  const place = new Map(plan.graph.nodes.map(({ id }, index) => [id, index]));
  // What ended at the same moment is undone against the order of the drawing.
  rows.sort(
    (a, b) =>
      (b.finished_at?.getTime() ?? 0) - (a.finished_at?.getTime() ?? 0) ||
      (place.get(b.node_id) ?? 0) - (place.get(a.node_id) ?? 0),
  );
  const known = new Map(rows.map((row) => [`${row.node_id} ${row.iteration}`, row]));
  const names: string[] = [];
  const kept: string[] = [];
  for (const row of rows) {
    const step = plan.steps[row.node_id];
    const type = step && deps.catalog.nodeTypes.get(`${step.type}@${step.version}`);
    const node = regionsOf(plan.graph).node(row.node_id);
    if (!step || !type || !node || row.status !== 'succeeded' || isUndo(row.iteration)) continue;
    if (!isWrite(type.effectFor?.(row.input as never) ?? type.effect)) continue;
    if (!type.undo) {
      kept.push(step.name);
      continue;
    }
    const iteration = row.iteration === '' ? UNDO : `${row.iteration}.${UNDO}`;
    const before = known.get(`${row.node_id} ${iteration}`);
    names.push(step.name);
    if (before?.status === 'succeeded') continue;
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
    if (outcome.kind !== 'done') return waits(outcome);
    deps.crashPoint?.('mid-undo', row.node_id);
  }
  return { kind: 'done', names, kept };
}

/** From now on the run does nothing but undo: whoever takes it up again sees that. */
async function beginUndoing({ deps, work }: CarriedRun): Promise<void> {
  const { companyId, lane } = work;
  await lane.commit({});
  if (lane.compensate) return;
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
      .execute();
  });
}

function isUndo(iteration: string): boolean {
  return iteration === UNDO || iteration.endsWith(`.${UNDO}`);
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
