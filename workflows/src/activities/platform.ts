import { json } from '@plumbline/db';
import type { Platform } from '@plumbline/nodes';
import { openApproval } from '../approvals/open.ts';
import type { PlanStep } from '../flow/plan.ts';
import { again, tell } from '../notices.ts';
import { lookUp } from '../value-maps/look-up.ts';
import { callFlow } from './call-flow.ts';
import type { Dependencies } from './dependencies.ts';
import type { Lane } from './lane.ts';
import { respond } from './respond.ts';
import { closeCollected, collect } from './turns/collect.ts';
import { firstOf } from './turns/first-of.ts';
import { keepValue, readKept } from './turns/kept-values.ts';
import { getInLine, letGo } from './turns/lock.ts';
import { takeTurn } from './turns/pace.ts';
import { waitForQuiet } from './turns/quiet.ts';
import { awaitWebhook } from './await-webhook.ts';
import { awaitEvent } from './waits.ts';

/** A step, as far as the platform's services need to know it. */
export interface PlatformStep {
  readonly companyId: string;
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
  readonly step: PlanStep;
  readonly lane: Lane;
  /** Where it stood in the try before, when it stands in a scope that is tried again. */
  readonly formerTry?: string;
}

/** What only the platform can do for a core node. Every service is idempotent for a step: carried out again, it changes nothing. */
export function platformFor(deps: Dependencies, step: PlatformStep, key: string): Platform {
  const { companyId, runId, nodeId, iteration, lane } = step;
  const place = { companyId, flowId: lane.flowId, runId, nodeId, iteration };
  return {
    notify: (notice) =>
      deps.store.tenant(companyId, async (tx) => {
        await tell(tx, { companyId, key, runId, ...notice }, again.never);
        return await tx
          .selectFrom('notifications')
          .select('id')
          .where('company_id', '=', companyId)
          .where('key', '=', key)
          .executeTakeFirstOrThrow();
      }),
    ask: (question) => openApproval(deps, step, question),
    respond: (answer) => respond(deps.store, step, answer),
    call: (flow) => callFlow(deps, step, flow),
    handBack: async (values) => {
      await deps.store.tenant(companyId, (tx) =>
        tx
          .updateTable('runs')
          .set({ result: json(values) })
          .where('company_id', '=', companyId)
          .where('id', '=', runId)
          .execute(),
      );
    },
    firstOf: (name, seconds) => firstOf(deps.store, place, { key: name, seconds, now: deps.now() }),
    takeTurn: (pace) => takeTurn(deps.store, place, { ...pace, now: deps.now() }),
    waitForQuiet: (name) => waitForQuiet(deps.store, place, { key: name, now: deps.now() }),
    collect: (given) => collect(deps.store, place, { ...given, now: deps.now() }),
    closeCollected: () => closeCollected(deps.store, place, deps.now()),
    getInLine: (name, permits) => getInLine(deps.store, place, { name, permits, now: deps.now() }),
    letGo: (name) => letGo(deps.store, { companyId, runId, name, place: iteration, now: deps.now() }),
    readKept: (collection, name) => readKept(deps.store, companyId, { collection, key: name, now: deps.now() }),
    keep: (given) => keepValue(deps.store, companyId, { ...given, by: key, now: deps.now() }),
    lookUp: (given) => lookUp(deps.store, companyId, given),
    expect: (event) => awaitEvent(deps.store, step, event, deps.now()),
    expectWebhook: (event) => awaitWebhook(deps.store, step, event, deps.now()),
  };
}
