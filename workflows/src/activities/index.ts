import { json } from '@plumbline/db';
import { stepKey } from '../step-key.ts';
import type { Activities } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import { markRun } from './ledger.ts';
import { PlanCache } from './plans.ts';
import { createRunStep } from './run-step.ts';

export type { Activities } from './contract.ts';
export type { Dependencies, OAuthClient } from './dependencies.ts';

/** The activities a worker registers: the only code that knows both the ledger and the vendors. */
export function createActivities(deps: Dependencies): Activities {
  const { store, now } = deps;
  return {
    runStep: createRunStep(deps, new PlanCache(store)),

    startRun: ({ companyId, runId }) =>
      store.tenant(companyId, async (tx) => {
        await tx
          .updateTable('runs')
          .set({ status: 'running', started_at: now() })
          .where('company_id', '=', companyId)
          .where('id', '=', runId)
          .where('started_at', 'is', null)
          .execute();
      }),

    settleStep: ({ companyId, runId, nodeId, iteration, decision }) =>
      store.tenant(companyId, async (tx) => {
        await markRun(tx, { companyId, runId }, 'running');
        const step = tx
          .updateTable('steps')
          .where('company_id', '=', companyId)
          .where('run_id', '=', runId)
          .where('node_id', '=', nodeId)
          .where('iteration', '=', iteration);
        // A person looked at the vendor, where we could not, and says that it did not go through.
        if (decision.action === 'retry') {
          const parked = await tx
            .selectFrom('steps')
            .select('error')
            .where('company_id', '=', companyId)
            .where('run_id', '=', runId)
            .where('node_id', '=', nodeId)
            .where('iteration', '=', iteration)
            .executeTakeFirst();
          if (parked?.error?.['kind'] === 'ambiguous')
            await tx
              .updateTable('effects')
              .set({ state: 'refused', updated_at: now() })
              .where('company_id', '=', companyId)
              .where('key', '=', stepKey({ companyId, runId, nodeId, iteration }))
              .where('state', '<>', 'confirmed')
              .execute();
        }
        if (decision.action === 'skip')
          await step
            .set({ status: 'succeeded', port: 'out', output: json(decision.output ?? {}), finished_at: now() })
            .execute();
        if (decision.action === 'abort') await step.set({ status: 'failed', finished_at: now() }).execute();
        return { port: decision.action === 'skip' ? 'out' : null };
      }),

    finishRun: ({ companyId, runId, status, skipped, failure }) =>
      store.tenant(companyId, async (tx) => {
        const at = now();
        if (skipped.length > 0)
          await tx
            .insertInto('steps')
            .values(
              skipped.map((nodeId) => ({
                company_id: companyId,
                run_id: runId,
                node_id: nodeId,
                iteration: '',
                status: 'skipped' as const,
                attempt: 0,
                port: null,
                input: null,
                output: null,
                error: null,
                next_attempt_at: null,
                started_at: at,
                finished_at: at,
              })),
            )
            .onConflict((conflict) => conflict.doNothing())
            .execute();
        if (status !== 'succeeded')
          await tx
            .updateTable('steps')
            .set({ status: 'failed', finished_at: at, next_attempt_at: null })
            .where('company_id', '=', companyId)
            .where('run_id', '=', runId)
            .where('status', 'in', ['running', 'waiting', 'parked'])
            .execute();
        await tx
          .updateTable('runs')
          .set({ status, finished_at: at, error: failure ? json(failure) : null })
          .where('company_id', '=', companyId)
          .where('id', '=', runId)
          .where('finished_at', 'is', null)
          .execute();
      }),
  };
}
