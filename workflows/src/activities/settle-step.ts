import { json } from '@plumbline/db';
import type { NodeType } from '@plumbline/nodes';
import { stepKey } from '../step-key.ts';
import type { SettleStepInput } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import type { PlanCache } from './plans.ts';

/** Writes what a person decided about a parked step; the run is then carried on from there. */
export function createSettleStep(deps: Dependencies, plans: PlanCache) {
  return async function settleStep(input: SettleStepInput): Promise<void> {
    const { companyId, runId, nodeId, iteration, decision } = input;
    const plan = await plans.load(companyId, input.planHash);
    const now = deps.now();
    await deps.store.tenant(companyId, async (tx) => {
      const step = tx
        .updateTable('steps')
        .where('company_id', '=', companyId)
        .where('run_id', '=', runId)
        .where('node_id', '=', nodeId)
        .where('iteration', '=', iteration)
        .where('status', '=', 'parked');
      if (decision.action === 'abort') {
        await step.set({ status: 'failed', finished_at: now }).execute();
        return;
      }
      if (decision.action === 'skip') {
        const port = decision.port ?? firstPort(deps, plan.steps[nodeId]);
        const output = json(decision.output ?? {});
        await step.set({ status: 'succeeded', port, output, finished_at: now }).execute();
        return;
      }
      const parked = await tx
        .selectFrom('steps')
        .select('error')
        .where('company_id', '=', companyId)
        .where('run_id', '=', runId)
        .where('node_id', '=', nodeId)
        .where('iteration', '=', iteration)
        .executeTakeFirst();
      // A person looked at the vendor, where we could not, and says that it did not go through.
      if (parked?.error?.['kind'] === 'ambiguous')
        await tx
          .updateTable('effects')
          .set({ state: 'refused', updated_at: now })
          .where('company_id', '=', companyId)
          .where('key', '=', stepKey({ companyId, runId, nodeId, iteration }))
          .where('state', '<>', 'confirmed')
          .execute();
      // Due at once, with all of its attempts before it.
      await step.set({ status: 'waiting', attempt: 0, next_attempt_at: now }).execute();
    });
  };
}

/** The way out that a step without a result takes. */
function firstPort(
  deps: Dependencies,
  step: { readonly type: string; readonly version: number; readonly inputs: object } | undefined,
): string {
  const type: NodeType | undefined = step && deps.catalog.nodeTypes.get(`${step.type}@${step.version}`);
  if (!step || !type) return 'out';
  const literals = Object.fromEntries(
    Object.entries(step.inputs as Record<string, { kind: string; value?: unknown }>).flatMap(([field, mapping]) =>
      mapping.kind === 'literal' ? [[field, mapping.value]] : [],
    ),
  );
  const ports = typeof type.ports === 'function' ? type.ports(literals) : type.ports;
  return ports[0]?.id ?? 'out';
}
