import type { Services } from '../services.ts';

/** Steps that were parked because a connection was broken go on by themselves once it is healthy. */
export async function resumeParked(services: Services, companyId: string, connectionId: string): Promise<void> {
  const { store, log } = services.deps;
  const rows = await store.tenant(companyId, async (tx) => {
    const steps = await tx
      .selectFrom('steps')
      .innerJoin('runs', (join) =>
        join.onRef('runs.company_id', '=', 'steps.company_id').onRef('runs.id', '=', 'steps.run_id'),
      )
      .innerJoin('plans', (join) =>
        join.onRef('plans.company_id', '=', 'runs.company_id').onRef('plans.hash', '=', 'runs.plan_hash'),
      )
      .select(['steps.run_id', 'steps.node_id', 'steps.iteration', 'steps.error', 'runs.carrier_id', 'plans.plan'])
      .where('steps.company_id', '=', companyId)
      .where('steps.status', '=', 'parked')
      .execute();
    return steps.filter((step) => {
      const planned = (step.plan as { steps?: Record<string, { connectionId?: string }> }).steps?.[step.node_id];
      return planned?.connectionId === connectionId && step.error?.['kind'] === 'reauthorize';
    });
  });
  for (const row of rows) {
    await services.carriers
      .decide(
        { companyId, carrierId: row.carrier_id },
        { runId: row.run_id, nodeId: row.node_id, iteration: row.iteration, decision: { action: 'retry' } },
      )
      .catch((error: unknown) => log.warn({ err: error, runId: row.run_id }, 'a parked step did not resume'));
  }
}
