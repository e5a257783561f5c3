import { DataError, json, type Transaction } from '@plumbline/db';
import type { NodeType } from '@plumbline/nodes';
import type { Plan, PlanStep } from '../flow/plan.ts';
import { regionsOf, type Regions } from '../flow/regions.ts';
import { stepKey } from '../step-key.ts';
import type { SettleStepInput, StepRef } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import { firstPort } from './first-port.ts';
import { giveUpTurns } from './give-up.ts';
import type { PlanCache } from './plans.ts';
import { inside } from './lane.ts';
import { AWAITED, closeWait } from './waits.ts';

/**
 * Writes what a person decided about a step that waits; the run is then carried on from there.
 * @returns whether it was settled; a decision that cannot be stored settles nothing, and the step stays open for another.
 */
export function createSettleStep(deps: Dependencies, plans: PlanCache) {
  return async function settleStep(input: SettleStepInput): Promise<boolean> {
    const { companyId, runId, nodeId, iteration, decision, decisionId } = input;
    const plan = await plans.load(companyId, input.planHash);
    const now = deps.now();
    const write = async (tx: Transaction): Promise<boolean> => {
      // In the order in which whoever ends the run takes them.
      if (decision.action === 'abort' && decision.compensate === true) await lockRun(tx, input);
      const found = await stepOf(tx, input).select(['status', 'error', 'decision']).forUpdate().executeTakeFirst();
      // It was recorded by a worker that died before it could say so, or whose task went to another.
      if (decisionId !== undefined && found?.decision === decisionId) return true;
      if (!found || !(await settle(tx, found))) return false;
      if (decisionId !== undefined) await changed(tx).set({ decision: decisionId }).execute();
      deps.crashPoint?.('mid-decision', nodeId);
      return true;
    };
    const changed = (tx: Transaction) =>
      tx
        .updateTable('steps')
        .where('company_id', '=', companyId)
        .where('run_id', '=', runId)
        .where('node_id', '=', nodeId)
        .where('iteration', '=', iteration);
    const settle = async (
      tx: Transaction,
      found: { readonly status: string; readonly error: Record<string, unknown> | null },
    ): Promise<boolean> => {
      // Giving up needs nobody to look first, so a step that would be tried again by itself can be given up too.
      const open =
        found.status === 'parked' || (decision.action === 'abort' && input.exclusive && found.status === 'waiting');
      if (!open) return false;
      const step = changed(tx);
      if (decision.action === 'abort' || decision.action === 'error_port') {
        const drawn = plan.graph.edges.some(({ from, port }) => from === nodeId && port === 'error');
        if (decision.action === 'error_port' && !drawn) return false;
        const compensate = decision.action === 'abort' && decision.compensate === true;
        const branch = decision.action === 'error_port';
        await closeWait(tx, input, now);
        await giveUpLoop(tx, plan, input, now);
        await step
          .set({
            ...{ status: 'failed', finished_at: now, next_attempt_at: null, suspended: false },
            ...(branch ? { port: 'error', output: json({ error: found.error }) } : {}),
          })
          .execute();
        if (compensate)
          await tx
            .updateTable('runs')
            .set({ compensate: true })
            .where('company_id', '=', companyId)
            .where('id', '=', runId)
            .execute();
        return true;
      }
      if (decision.action === 'skip') {
        const port = decision.port ?? firstPort(typeOf(deps, plan.steps[nodeId]), plan.steps[nodeId]);
        const output = json(decision.output ?? {});
        await giveUpLoop(tx, plan, input, now);
        await step.set({ status: 'succeeded', port, output, finished_at: now }).execute();
        return true;
      }
      await standDown(tx, input, found.error, now);
      const work = { regions: regionsOf(plan.graph), now };
      if (isContainer(work, nodeId) && (await hasBegun(tx, input))) {
        await reopen(tx, work, input);
        return true;
      }
      // Due at once, with all of its attempts before it.
      const override = decision.input ? { override: json(decision.input) } : {};
      await step.set({ status: 'waiting', attempt: 0, suspended: false, next_attempt_at: now, ...override }).execute();
      return true;
    };
    const settled = await deps.store.tenant(companyId, write).catch((error: unknown) => {
      // It would fail again however often it is tried, and whatever else is asked of the run waits behind it.
      if (!isUnstorable(error)) throw error;
      deps.log.warn({ err: error, companyId, runId, nodeId }, 'a decision holds what cannot be stored');
      return false;
    });
    deps.crashPoint?.('after-decision', nodeId);
    return settled;
  };
}

async function lockRun(tx: Transaction, { companyId, runId }: StepRef): Promise<void> {
  await tx
    .selectFrom('runs')
    .select('id')
    .where('company_id', '=', companyId)
    .where('id', '=', runId)
    .forUpdate()
    .execute();
}

/** Whether it is the decision itself that the ledger will not take: a text of it that no column can hold. */
function isUnstorable(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return error instanceof DataError || (typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code));
}

/** A loop that waits for a person keeps what waits in its turns; when it is not tried again, nobody needs that any more. */
async function giveUpLoop(tx: Transaction, { graph }: Plan, loop: StepRef, now: Date): Promise<void> {
  const regions = regionsOf(graph);
  const control = regions.node(loop.nodeId)?.control;
  if (control === 'each' || control === 'while') await giveUpTurns(tx, loop, regions.within(loop.nodeId), now);
}

/** What a failed step left behind is cleared, so that it does all of it anew. */
async function standDown(
  tx: Transaction,
  step: StepRef,
  error: Readonly<Record<string, unknown>> | null,
  now: Date,
): Promise<void> {
  const { companyId, runId, nodeId, iteration } = step;
  // A person looked at the vendor, where we could not, and says that it did not go through.
  if (error?.['kind'] === 'ambiguous')
    await tx
      .updateTable('effects')
      .set({ state: 'refused', updated_at: now })
      .where('company_id', '=', companyId)
      .where('key', '=', stepKey({ companyId, runId, nodeId, iteration }))
      .where('state', '<>', 'confirmed')
      .execute();
  // What it waited for was not what it needed: it hands over anew.
  await closeWait(tx, step, now);
}

interface Reopening {
  readonly regions: Regions;
  readonly now: Date;
}

/** Whether a loop or a scope that failed came to what stands in it: else it failed of its own input, and is tried like any other step. */
async function hasBegun(tx: Transaction, container: StepRef): Promise<boolean> {
  const { input, error } = await stepOf(tx, container).select(['input', 'error']).executeTakeFirstOrThrow();
  const isOpenLoop = (input as { readonly count?: unknown } | null)?.count !== undefined;
  return isOpenLoop || (error as { readonly step?: unknown } | null)?.step !== undefined;
}

/** Carries a loop or a scope that failed on: what it has done stays done, but where a scope undid it, the scope begins anew. */
async function reopen(tx: Transaction, work: Reopening, container: StepRef): Promise<void> {
  const { companyId, runId, nodeId, iteration } = container;
  const { attempt, error } = await stepOf(tx, container).select(['attempt', 'error']).executeTakeFirstOrThrow();
  const anew = work.regions.isScope(nodeId) && isUndone(error);
  const places = work.regions.isScope(nodeId)
    ? [inside(iteration, attempt - 1)]
    : await reopenTurns(tx, work, container);
  await tx
    .updateTable('steps')
    .set({
      ...{ status: 'running', error: null, next_attempt_at: null, finished_at: null },
      ...(anew ? { attempt: attempt + 1 } : {}),
    })
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('node_id', '=', nodeId)
    .where('iteration', '=', iteration)
    .execute();
  if (!anew) await reopenSteps(tx, work, container, places);
}

/** Whether a scope that failed has undone what it wrote, or begun to. */
function isUndone(error: unknown): boolean {
  return (error as { readonly undone?: unknown } | null)?.undone !== undefined;
}

/** Failed turns of a loop are to be done again, and those that were not done for it: where the failed ones stand, and those that had begun. */
async function reopenTurns(
  tx: Transaction,
  { regions }: Reopening,
  { companyId, runId, nodeId, iteration }: StepRef,
): Promise<string[]> {
  const turns = tx
    .updateTable('iterations')
    .set({ status: 'pending', error: null, finished_at: null })
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('node_id', '=', nodeId)
    .where('parent', '=', iteration);
  const failed = await turns.where('status', '=', 'failed').returning('index').execute();
  const skipped = await turns.where('status', '=', 'skipped').returning('index').execute();
  const nodes = regions.inside(nodeId).nodes.map(({ id }) => id);
  // What waited in them was given up with the loop.
  const givenUp =
    skipped.length === 0 || nodes.length === 0
      ? []
      : await tx
          .selectFrom('steps')
          .select('iteration')
          .distinct()
          .where('company_id', '=', companyId)
          .where('run_id', '=', runId)
          .where('node_id', 'in', nodes)
          .where('status', '=', 'failed')
          .$if(iteration !== '', (query) => query.where('iteration', 'like', `${iteration}.%`))
          .execute();
  const begun = new Set(givenUp.map((row) => row.iteration));
  const places = (rows: readonly { readonly index: number }[]) => rows.map(({ index }) => inside(iteration, index));
  return [...places(failed), ...places(skipped).filter((place) => begun.has(place))];
}

/** What failed at these places is due again. */
async function reopenSteps(
  tx: Transaction,
  work: Reopening,
  { companyId, runId, nodeId }: StepRef,
  places: readonly string[],
): Promise<void> {
  const nodes = work.regions.inside(nodeId).nodes.map(({ id }) => id);
  if (places.length === 0 || nodes.length === 0) return;
  const steps = tx
    .updateTable('steps')
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('node_id', 'in', nodes)
    .where('iteration', 'in', places);
  const rows = await steps
    .set({ closed: false })
    .returning(['node_id', 'iteration', 'status', 'port', 'error'])
    .execute();
  const failed = rows.filter(({ status, port }) => status === 'failed' && port !== 'error');
  for (const row of failed) {
    const ref = { companyId, runId, nodeId: row.node_id, iteration: row.iteration };
    // What was given up with the scope around it says nothing of why it failed.
    if (isContainer(work, row.node_id) && (row.error === null || (await hasBegun(tx, ref)))) {
      await reopen(tx, work, ref);
      continue;
    }
    await standDown(tx, ref, row.error, work.now);
    await steps
      .where('node_id', '=', row.node_id)
      .where('iteration', '=', row.iteration)
      .set({ status: 'waiting', attempt: 0, next_attempt_at: work.now, finished_at: null })
      .execute();
  }
}

function isContainer({ regions }: Reopening, nodeId: string): boolean {
  const control = regions.node(nodeId)?.control;
  return control === 'each' || control === 'while' || control === 'scope';
}

/** Makes a step that waits for its time, or for its next attempt, due now. Its attempts stay counted. One that waits for somebody's answer is left alone. */
export function createWakeStep(deps: Dependencies) {
  return async function wakeStep({ companyId, runId, nodeId, iteration }: StepRef): Promise<boolean> {
    return await deps.store.tenant(companyId, async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('steps')
        .set({ next_attempt_at: deps.now() })
        .where('company_id', '=', companyId)
        .where('run_id', '=', runId)
        .where('node_id', '=', nodeId)
        .where('iteration', '=', iteration)
        .where('status', '=', 'waiting')
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('waits')
                .select('waits.run_id')
                .whereRef('waits.company_id', '=', 'steps.company_id')
                .whereRef('waits.run_id', '=', 'steps.run_id')
                .whereRef('waits.node_id', '=', 'steps.node_id')
                .whereRef('waits.iteration', '=', 'steps.iteration')
                .where('waits.kind', 'in', AWAITED)
                .where('waits.answered_at', 'is', null),
            ),
          ),
        )
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    });
  };
}

function stepOf(tx: Transaction, { companyId, runId, nodeId, iteration }: StepRef) {
  return tx
    .selectFrom('steps')
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('node_id', '=', nodeId)
    .where('iteration', '=', iteration);
}

function typeOf(deps: Dependencies, step: PlanStep | undefined): NodeType | undefined {
  return step && deps.catalog.nodeTypes.get(`${step.type}@${step.version}`);
}
