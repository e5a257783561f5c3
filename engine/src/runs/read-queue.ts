import type { Transaction } from '@plumbline/db';
import type { CatalogInfo, Plan } from '@plumbline/workflows/flow';
import { sql } from 'kysely';
import type { Queue, StepError, WaitingStep } from '../contract/index.ts';
import { describeSubject } from '../flows/subject.ts';
import { awaitedEnd } from './awaited-end.ts';
import { listGroups } from './groups.ts';
import { mask } from './mask.ts';
import { listPending } from './pending-events.ts';

/** Which of what goes on by itself is listed. */
export interface Shown {
  /** So many at most. */
  readonly shown: number;
  /** Of one flow only. @default of all */
  readonly flowId?: string;
}

/** Everything that waits: for a person, for the next try, or for its time. Served by `runs_open`. */
export async function readQueue(
  tx: Transaction,
  companyId: string,
  info: CatalogInfo,
  { shown, flowId }: Shown,
): Promise<Queue> {
  const waiting = tx
    .selectFrom('runs')
    .innerJoin('steps', (join) =>
      join.onRef('steps.company_id', '=', 'runs.company_id').onRef('steps.run_id', '=', 'runs.id'),
    )
    .where('runs.company_id', '=', companyId)
    .where('runs.finished_at', 'is', null)
    .where('steps.status', '=', 'waiting');
  const byFlow = await waiting
    .innerJoin('flows', (join) =>
      join.onRef('flows.company_id', '=', 'runs.company_id').onRef('flows.id', '=', 'runs.flow_id'),
    )
    .select((eb) => ['flows.id', 'flows.name', eb.fn.countAll<string>().as('count')])
    .groupBy(['flows.id', 'flows.name'])
    .orderBy('flows.name')
    .execute();
  const flows = byFlow.map(({ id, name, count }) => ({ id, name, count: Number(count) }));
  const rows = await waiting
    .$if(flowId !== undefined, (query) => query.where('runs.flow_id', '=', flowId ?? ''))
    .innerJoin('flows', (join) =>
      join.onRef('flows.company_id', '=', 'runs.company_id').onRef('flows.id', '=', 'runs.flow_id'),
    )
    .innerJoin('plans', (join) =>
      join.onRef('plans.company_id', '=', 'runs.company_id').onRef('plans.hash', '=', 'runs.plan_hash'),
    )
    .leftJoin('events', (join) =>
      join.onRef('events.company_id', '=', 'runs.company_id').onRef('events.id', '=', 'runs.event_id'),
    )
    .leftJoin('waits', (join) =>
      join
        .onRef('waits.company_id', '=', 'steps.company_id')
        .onRef('waits.run_id', '=', 'steps.run_id')
        .onRef('waits.node_id', '=', 'steps.node_id')
        .onRef('waits.iteration', '=', 'steps.iteration')
        .on('waits.answered_at', 'is', null),
    )
    .select([
      'waits.kind as awaited',
      'waits.key as awaited_id',
      'steps.run_id',
      'steps.node_id',
      'steps.iteration',
      'steps.attempt',
      'steps.suspended',
      'steps.next_attempt_at',
      'steps.started_at',
      'steps.error',
      'runs.flow_id',
      'flows.name',
      'events.key',
      'events.data',
      sql<string | null>`plans.plan -> 'steps' -> steps.node_id ->> 'name'`.as('node_name'),
      sql<Plan['graph']['nodes'][number] | null>`
        (select node from jsonb_array_elements(plans.plan -> 'graph' -> 'nodes') node where node ->> 'id' = steps.node_id limit 1)`.as(
        'node',
      ),
    ])
    .orderBy('steps.next_attempt_at')
    .orderBy('steps.run_id')
    .orderBy('steps.node_id')
    .orderBy('steps.iteration')
    .limit(shown)
    .execute();
  return {
    pending: await listPending(tx, companyId),
    groups: await listGroups(tx, companyId, info),
    waiting: rows.map((row): WaitingStep => ({
      runId: row.run_id,
      flowId: row.flow_id,
      flowName: row.name,
      subject: row.key && row.data ? describeSubject(row.key, row.data) : null,
      nodeId: row.node_id,
      nodeName: row.node_name ?? row.node_id,
      iteration: row.iteration,
      attempt: row.suspended ? 0 : row.attempt,
      maxAttempts: row.suspended ? 0 : (row.node?.retry.attempts ?? 0),
      nextAttemptAt: row.next_attempt_at?.toISOString() ?? null,
      since: row.started_at.toISOString(),
      error: mask(row.error as StepError | null),
      awaits: awaitedEnd(row.awaited, row.awaited_id),
    })),
    waitingTotal: flows.reduce((sum, { id, count }) => sum + (flowId === undefined || id === flowId ? count : 0), 0),
    waitingFlows: flows,
  };
}
