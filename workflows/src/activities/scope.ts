import { json, type Transaction } from '@plumbline/db';
import type { PlanNode, PlanStep } from '../flow/plan.ts';
import { regionsOf } from '../flow/regions.ts';
import type { StepFailure } from '../step-failure.ts';
import { stepKey } from '../step-key.ts';
import type { CarriedRun } from './carry-run.ts';
import { StepError } from './classify.ts';
import { giveUpWithin, hasOpen } from './give-up.ts';
import { inside, stepName, type Scope } from './lane.ts';
import type { Part } from './part.ts';
import type { StepOutcome } from './run-step.ts';
import { undoSteps } from './undo-run.ts';

export type ScopeEnd =
  /** Something in it waits. */
  { readonly kind: 'paused' } | StepOutcome;

/** How a scope is gone into, when that happens in this call. */
export interface Entered {
  readonly attempt: number;
  readonly settings: Readonly<Record<string, unknown>>;
}

interface OpenScope {
  readonly run: CarriedRun;
  readonly node: PlanNode;
  readonly step: PlanStep;
  readonly scope: Scope;
  readonly attempt: number;
  readonly entered: Entered | undefined;
  /** What stands in it, at this try. */
  readonly part: Part;
}

/**
 * Carries a scope on. What stands in it is interpreted on its own, at a place of its own for every try: a try that was undone is never taken for the next
 * one. A step in it that fails for good ends the try: the rest is not begun, what was written is undone, and the scope has failed.
 */
export async function carryScope(
  run: CarriedRun,
  node: PlanNode,
  step: PlanStep,
  scope: Scope,
  entered?: Entered,
): Promise<ScopeEnd> {
  const { lane, plan } = run.work;
  const name = stepName(node.id, scope.iteration);
  const known = lane.steps.get(name);
  const attempt = entered?.attempt ?? known?.attempt ?? 1;
  lane.tries.set(name, attempt);
  const iteration = inside(scope.iteration, attempt - 1);
  const part: Part = { nodes: regionsOf(plan.graph).within(node.id), iteration };
  const open: OpenScope = { run, node, step, scope, attempt, entered, part };
  // It had failed when the run was taken up, and is not through with undoing.
  if (!entered && known?.error) return await fail(open, known.error);
  const turns = [...scope.turns, { loopId: node.id, index: attempt - 1, isTry: true } as const];
  const end = await run.region(node, { iteration, turns });
  if (end.failure) {
    const failure = failureOf(open, end.failure, end.failed);
    // That it undoes is known from the first moment: whoever tries it again begins anew.
    const failing = (await isLeft(open)) ? failure : { ...failure, undone: [] };
    await beginFailing(open, failing);
    run.deps.crashPoint?.('mid-scope', node.id);
    return await fail(open, failing);
  }
  if (!end.left && end.paused) return { kind: 'paused' };
  const { left } = end;
  if (left && left.how !== 'failed') {
    const nodes = regionsOf(plan.graph)
      .inside(node.id)
      .nodes.map(({ id }) => id);
    close(open, left.how, { value: left.value }, end.paused || hasOpen(lane, nodes, iteration));
    return { kind: 'left', how: left.how, value: left.value };
  }
  close(open, 'out', {});
  return { kind: 'done', port: 'out' };
}

/** It came through, or ended a turn of the loop around it; with `givesUp`, before what waits in it was over. */
function close(open: OpenScope, port: string, output: unknown, givesUp = false): void {
  const { run, node, scope, attempt, entered, part } = open;
  const { companyId, lane } = run.work;
  const at = run.deps.now();
  const write = (tx: Transaction) => giveUpWithin(tx, { companyId, runId: lane.runId }, part, at);
  lane.note({
    end: {
      ...{ runId: lane.runId, nodeId: node.id, iteration: scope.iteration, attempt, startedAt: at, at },
      ...{ status: 'succeeded', port, output, ...(entered ? { input: entered.settings } : {}) },
    },
    ...(givesUp ? { also: { order: '', write } } : {}),
  });
  lane.outputs.set(stepName(node.id, scope.iteration), output);
}

/** Undoes what was written, unless that is to stay, and says what became of the scope. */
async function fail(open: OpenScope, failure: StepFailure): Promise<ScopeEnd> {
  const { run, node, step, scope, attempt, part } = open;
  const { lane } = run.work;
  const startedAt = run.deps.now();
  const how = failure.undone ? 'undo' : 'leave';
  const undone = await undoSteps(run, part, how);
  if (undone.kind === 'waits') return undone.outcome;
  run.deps.crashPoint?.('after-scope-undone', node.id);
  const { names, kept } = undone;
  const error = new StepError({ ...failure, ...(how === 'undo' ? { undone: names } : {}), kept });
  return run.runner.recordFailure({ input: run.attemptOf(node, scope, attempt), step, lane, startedAt, error });
}

/** Whether what its steps wrote stays when one of them fails. */
async function isLeft({ run, node, step, scope, entered }: OpenScope): Promise<boolean> {
  const { companyId, lane } = run.work;
  const given = entered?.settings ?? lane.steps.get(stepName(node.id, scope.iteration))?.override;
  if (given) return given['onFailure'] === 'leave';
  const key = stepKey({ companyId, runId: lane.runId, nodeId: node.id, iteration: scope.iteration });
  const settings = await run.runner.mapStep({ companyId }, step, lane, scope, key);
  return settings['onFailure'] === 'leave';
}

/** Nobody carries it on from now but what undoes it: what waits in it waits no more, and whoever takes the run up again sees that. */
async function beginFailing({ run, node, scope, attempt, part }: OpenScope, failure: StepFailure): Promise<void> {
  const { deps, work } = run;
  const { companyId, lane } = work;
  const now = deps.now();
  await lane.commit({});
  await deps.store.tenant(companyId, async (tx) => {
    await tx
      .updateTable('steps')
      .set({ error: json(failure) })
      .where('company_id', '=', companyId)
      .where('run_id', '=', lane.runId)
      .where('node_id', '=', node.id)
      .where('iteration', '=', scope.iteration)
      .where('attempt', '=', attempt)
      .where('status', '=', 'running')
      .execute();
    // Where nothing is undone it is gone on with, if at all, where it stands: with what it holds.
    const keepsLocks = failure.undone === undefined;
    await giveUpWithin(tx, { companyId, runId: lane.runId }, part, now, { keepsLocks });
  });
}

/** What went wrong inside, as what went wrong with the scope: no time heals it. */
function failureOf({ run, step }: OpenScope, failure: StepFailure, nodeId: string | undefined): StepFailure {
  const name = nodeId === undefined ? undefined : run.work.plan.steps[nodeId]?.name;
  const { undone: _, kept: __, ...rest } = failure;
  return {
    ...rest,
    // Of scopes in scopes, the step that it began with.
    ...(nodeId === undefined ? {} : { step: failure.step ?? nodeId }),
    kind: 'invalid',
    message: `"${name ?? 'A step'}" in "${step.name}" failed: ${failure.message}`,
  };
}
