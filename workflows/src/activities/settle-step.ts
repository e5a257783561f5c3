import { json, type Transaction } from '@plumbline/db';
import type { NodeType } from '@plumbline/nodes';
import type { PlanStep } from '../flow/plan.ts';
import { stepKey } from '../step-key.ts';
import type { SettleStepInput, StepRef } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import { firstPort } from './first-port.ts';
import type { PlanCache } from './plans.ts';
import { closeWait } from './waits.ts';

/** Writes what a person decided about a step that waits; the run is then carried on from there. */
export function createSettleStep(deps: Dependencies, plans: PlanCache) {
  return async function settleStep(input: SettleStepInput): Promise<boolean> {
    const { companyId, runId, nodeId, iteration, decision } = input;
    const plan = await plans.load(companyId, input.planHash);
    const now = deps.now();
    const settled = await deps.store.tenant(companyId, async (tx) => {
      const found = await stepOf(tx, input).select(['status', 'error']).forUpdate().executeTakeFirst();
      // Giving up needs nobody to look first, so a step that would be tried again by itself can be given up too.
      const open =
        found?.status === 'parked' || (decision.action === 'abort' && input.exclusive && found?.status === 'waiting');
      if (!found || !open) return false;
      const node = plan.graph.nodes.find(({ id }) => id === nodeId);
      const step = tx
        .updateTable('steps')
        .where('company_id', '=', companyId)
        .where('run_id', '=', runId)
        .where('node_id', '=', nodeId)
        .where('iteration', '=', iteration);
      if (decision.action === 'abort' || decision.action === 'error_port') {
        const drawn = plan.graph.edges.some(({ from, port }) => from === nodeId && port === 'error');
        if (decision.action === 'error_port' && !drawn) return false;
        // A flow that takes care of this step's failure takes care of this one too, unless all of it is to be undone.
        const compensate = decision.action === 'abort' && decision.compensate === true;
        const branch = drawn && !compensate;
        await closeWait(tx, input, now);
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
        await step.set({ status: 'succeeded', port, output, finished_at: now }).execute();
        return true;
      }
      // A person looked at the vendor, where we could not, and says that it did not go through.
      if (found.error?.['kind'] === 'ambiguous')
        await tx
          .updateTable('effects')
          .set({ state: 'refused', updated_at: now })
          .where('company_id', '=', companyId)
          .where('key', '=', stepKey({ companyId, runId, nodeId, iteration }))
          .where('state', '<>', 'confirmed')
          .execute();
      // What it waited for was not what it needed: it hands over anew.
      await closeWait(tx, input, now);
      if (node?.control === 'each' || node?.control === 'while') {
        await reopenTurns(tx, input, now);
        await step.set({ status: 'running', error: null, next_attempt_at: null }).execute();
        return true;
      }
      // Due at once, with all of its attempts before it.
      const override = decision.input ? { override: json(decision.input) } : {};
      await step.set({ status: 'waiting', attempt: 0, suspended: false, next_attempt_at: now, ...override }).execute();
      deps.crashPoint?.('mid-decision', nodeId);
      return true;
    });
    deps.crashPoint?.('after-decision', nodeId);
    return settled;
  };
}

/** A loop that waits for a person does its failed turns again; what they have done stays done. */
async function reopenTurns(tx: Transaction, loop: StepRef, now: Date): Promise<void> {
  const { companyId, runId, nodeId, iteration } = loop;
  const reopened = await tx
    .updateTable('iterations')
    .set({ status: 'pending', error: null, finished_at: null })
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('node_id', '=', nodeId)
    .where('parent', '=', iteration)
    .where('status', '=', 'failed')
    .returning('index')
    .execute();
  if (reopened.length === 0) return;
  const turns = reopened.map(({ index }) => (iteration === '' ? String(index) : `${iteration}.${index}`));
  const steps = tx
    .updateTable('steps')
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .where('iteration', 'in', turns);
  await steps.set({ closed: false }).execute();
  await steps
    .where('status', '=', 'failed')
    .where((eb) => eb.or([eb('port', 'is', null), eb('port', '<>', 'error')]))
    .set({ status: 'waiting', attempt: 0, next_attempt_at: now, finished_at: null })
    .execute();
}

/** Makes a step that waits for its next attempt due now. Its attempts stay counted. */
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
