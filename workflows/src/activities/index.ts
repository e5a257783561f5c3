import { createCarrying, type Carrying } from './advance.ts';
import { cancelCalled } from './call-flow.ts';
import type { Activities } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import { createLedgerWriter } from './ledger-writer.ts';
import { PlanCache } from './plans.ts';
import { letGo } from './turns/lock.ts';
import { createSettleStep, createWakeStep } from './settle-step.ts';

export type { Activities } from './contract.ts';
export type { Dependencies, OAuthClient } from './dependencies.ts';

/** The activities a worker registers, the only code that knows both the ledger and the vendors; and the way ahead of them. */
export function createActivities(deps: Dependencies): Activities & Pick<Carrying, 'advanceQueued' | 'roomFor'> {
  const plans = new PlanCache(deps.store);
  const ledger = createLedgerWriter(deps.store);
  return {
    ...createCarrying(deps, plans, ledger),
    settleStep: createSettleStep(deps, plans),
    wakeStep: createWakeStep(deps),
    cancelRun: async ({ companyId, runId }) => {
      await ledger.submit(companyId, { run: { runId, status: 'cancelled', at: deps.now() } });
      deps.crashPoint?.('after-cancel', runId);
      await cancelCalled(deps, { companyId, runId });
      await letGo(deps.store, { companyId, runId, now: deps.now() });
    },
  };
}
