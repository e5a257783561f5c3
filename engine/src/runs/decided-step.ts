import type { Transaction } from '@plumbline/db';
import type { Plan } from '@plumbline/workflows/flow';
import { ApiError } from '../problem.ts';
import type { DecidedStep } from './check-decision.ts';

/**
 * The step somebody decides about, with the plan of its run.
 * @throws ApiError `not_parked` when the run has not come to it.
 */
export async function decidedStep(
  tx: Transaction,
  companyId: string,
  step: { readonly runId: string; readonly nodeId: string; readonly iteration: string },
): Promise<DecidedStep> {
  const row = await tx
    .selectFrom('steps')
    .innerJoin('runs', (join) =>
      join.onRef('runs.company_id', '=', 'steps.company_id').onRef('runs.id', '=', 'steps.run_id'),
    )
    .innerJoin('plans', (join) =>
      join.onRef('plans.company_id', '=', 'runs.company_id').onRef('plans.hash', '=', 'runs.plan_hash'),
    )
    .select(['steps.input', 'plans.plan'])
    .where('steps.company_id', '=', companyId)
    .where('steps.run_id', '=', step.runId)
    .where('steps.node_id', '=', step.nodeId)
    .where('steps.iteration', '=', step.iteration)
    .executeTakeFirst();
  if (!row)
    throw new ApiError('not_parked', `Step "${step.nodeId}" is not waiting for a decision.`, {
      fix: 'Look at the run again: it may not have come to this step.',
    });
  return { nodeId: step.nodeId, input: row.input, plan: row.plan as unknown as Plan };
}
