import type { Transaction } from '@plumbline/db';
import { sql, type RawBuilder } from 'kysely';
import type { PlanStep } from '../flow/plan.ts';
import { again, closeNotices, tell } from '../notices.ts';
import type { StepFailure } from '../step-failure.ts';
import type { RunRef } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import type { Lane } from './lane.ts';

type StepOfRun = RunRef & { readonly nodeId: string };

/** What the keys of all notices about a step's trouble begin with. */
function troubleAt(flowId: string, nodeId: string): string {
  return `parked:${flowId}:${nodeId}:`;
}

/**
 * Whatever is stuck at a step for the reason that a notice `told` tells.
 * @param step In SQL: the columns of `told` itself, or values.
 */
export function stuckFor(
  companyId: string,
  step: { readonly flowId: RawBuilder<unknown>; readonly nodeId: RawBuilder<unknown> },
) {
  const { flowId, nodeId } = step;
  return sql`
    select from runs join steps on steps.company_id = runs.company_id and steps.run_id = runs.id
     where runs.company_id = ${companyId} and runs.flow_id = ${flowId} and runs.finished_at is null
       and steps.node_id = ${nodeId} and steps.status in ('parked', 'waiting', 'running')
       and left('parked:' || ${flowId} || ':' || ${nodeId} || ':' || (steps.error ->> 'kind') || ':' || (steps.error ->> 'code'), 400) = told.key`;
}

/** Says that a step works again, unless that was said after the trouble was `told`. */
export async function tellItWorks(
  tx: Transaction,
  works: StepOfRun & { readonly flowId: string; readonly name: string; readonly told: Date; readonly at: Date },
): Promise<void> {
  const { companyId, runId, flowId, nodeId, name, told, at } = works;
  const flow = await tx
    .selectFrom('flows')
    .select('name')
    .where('company_id', '=', companyId)
    .where('id', '=', flowId)
    .executeTakeFirst();
  const news = {
    ...({ companyId, key: `recovered:${flowId}:${nodeId}`, severity: 'info', runId, at } as const),
    title: `"${name}" works again`,
    body: `Nothing of "${flow?.name ?? 'the flow'}" waits for you there any more.`,
  };
  await tell(tx, news, sql<boolean>`notifications.created_at < ${told}`);
}

/** One notice per thing that goes wrong, however many runs it stops; it is told anew when it happens after it was over. */
export async function tellPeople(
  tx: Transaction,
  stuck: {
    readonly input: StepOfRun;
    readonly step: PlanStep;
    readonly flowId: string;
    readonly failure: StepFailure;
    readonly at: Date;
  },
): Promise<void> {
  const { input, step, flowId, failure, at } = stuck;
  const key = `${troubleAt(flowId, input.nodeId)}${failure.kind}:${failure.code}`.slice(0, 400);
  const news = {
    ...({ companyId: input.companyId, key, severity: 'error', runId: input.runId, at } as const),
    title: `"${step.name}" waits for you`,
    body: `${failure.message} ${failure.fix}`,
  };
  await tell(tx, news, again.afterItWasOver);
}

/**
 * A step that had trouble went through. When nothing else of its flow is stuck there for a reason people were told of, they are told that it works again:
 * once, however many runs had waited. What was told before is over from then on, so that new trouble is told anew.
 *
 * In a transaction of its own, after the step is on record: it must never hold up the ledger, nor may its failure fail a step that succeeded.
 */
export async function sayThatItWorksAgain(
  deps: Dependencies,
  done: {
    readonly input: StepOfRun;
    readonly step: PlanStep;
    readonly lane: Lane;
    readonly at: Date;
  },
): Promise<void> {
  const { input, step, lane, at } = done;
  const { companyId, runId, nodeId } = input;
  const { flowId } = lane;
  await lane.commit({});
  const about = troubleAt(flowId, nodeId);
  try {
    await deps.store.tenant(companyId, async (tx) => {
      // Of two runs that come through at the same moment the second sees the first.
      await sql`select pg_advisory_xact_lock(hashtextextended(${`${companyId}:${about}`}, 0))`.execute(tx);
      const { rows } = await sql<{ key: string; created_at: Date }>`
        select key, created_at from notifications told
         where told.company_id = ${companyId} and starts_with(told.key, ${about})
           and not exists (${stuckFor(companyId, { flowId: sql`${flowId}::uuid`, nodeId: sql`${nodeId}::text` })})`.execute(
        tx,
      );
      if (rows.length === 0) return;
      await closeNotices(tx, { companyId, keys: rows.map(({ key }) => key), at });
      const told = new Date(Math.max(...rows.map(({ created_at }) => created_at.getTime())));
      await tellItWorks(tx, { companyId, runId, flowId, nodeId, name: step.name, told, at });
    });
  } catch (error) {
    deps.log.warn({ err: error, companyId, runId, nodeId }, 'that a step works again could not be said');
  }
}
