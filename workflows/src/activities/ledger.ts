import { json, type Transaction } from '@plumbline/db';
import type { StepFailure } from '../step-failure.ts';
import type { ExpressionContext } from './inputs.ts';
import type { RunStepInput, StepOutcome } from './contract.ts';

/** What the ledger knew when an attempt began. */
export interface Begun {
  /** The attempt was carried out before: its record stands, nothing is repeated. */
  readonly already?: StepOutcome;
  readonly context: ExpressionContext;
  readonly subject: { readonly entity: string; readonly id: string } | undefined;
  readonly flowId: string;
}

/** Opens an attempt and reads what its mappings need, in one transaction. */
export async function beginStep(
  tx: Transaction,
  input: RunStepInput,
  plan: { readonly reads: ReadonlySet<string>; readonly params: Readonly<Record<string, unknown>> },
  now: Date,
): Promise<Begun> {
  const { companyId, runId, nodeId, iteration } = input;
  const run = await tx
    .selectFrom('runs')
    .innerJoin('companies', 'companies.id', 'runs.company_id')
    .leftJoin('events', (join) =>
      join.onRef('events.id', '=', 'runs.event_id').onRef('events.company_id', '=', 'runs.company_id'),
    )
    .select([
      'runs.flow_id',
      'runs.trigger_node_id',
      'runs.queued_at',
      'companies.name',
      'companies.time_zone',
      'companies.currency',
      'events.subject_entity',
      'events.subject_id',
    ])
    .where('runs.company_id', '=', companyId)
    .where('runs.id', '=', runId)
    .executeTakeFirstOrThrow();
  const wanted = [...plan.reads, run.trigger_node_id, nodeId];
  let query = tx
    .selectFrom('steps')
    .select(['node_id', 'iteration', 'status', 'attempt', 'port', 'output'])
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId);
  if (!plan.reads.has('*')) query = query.where('node_id', 'in', wanted);
  const rows = await query.execute();
  const own = rows.find((row) => row.node_id === nodeId && row.iteration === iteration);
  const steps = Object.fromEntries(
    rows.filter((row) => row.status === 'succeeded' && row.node_id !== nodeId).map((row) => [row.node_id, row.output]),
  );
  const context: ExpressionContext = {
    trigger: steps[run.trigger_node_id] ?? null,
    steps,
    params: plan.params,
    run: { id: runId, startedAt: run.queued_at.toISOString() },
    company: { id: companyId, name: run.name, timeZone: run.time_zone, currency: run.currency },
  };
  const begun = {
    context,
    flowId: run.flow_id,
    subject: run.subject_entity && run.subject_id ? { entity: run.subject_entity, id: run.subject_id } : undefined,
  };
  if (own?.status === 'succeeded') return { ...begun, already: { kind: 'done', port: own.port ?? 'out' } };
  await tx
    .insertInto('steps')
    .values({
      company_id: companyId,
      run_id: runId,
      node_id: nodeId,
      iteration,
      status: 'running',
      attempt: input.attempt,
      started_at: now,
      port: null,
      input: null,
      output: null,
      error: null,
      next_attempt_at: null,
      finished_at: null,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['company_id', 'run_id', 'node_id', 'iteration'])
        .doUpdateSet({ status: 'running', attempt: input.attempt, next_attempt_at: null, finished_at: null }),
    )
    .execute();
  return begun;
}

/** Closes an attempt. `error` stays visible while a retry waits. */
export async function recordStep(
  tx: Transaction,
  input: Pick<RunStepInput, 'companyId' | 'runId' | 'nodeId' | 'iteration'>,
  end: {
    readonly status: 'succeeded' | 'failed' | 'waiting' | 'parked';
    readonly at: Date;
    readonly port?: string;
    readonly input?: unknown;
    readonly output?: unknown;
    readonly error?: StepFailure;
    readonly nextAttemptAt?: Date;
  },
): Promise<void> {
  await tx
    .updateTable('steps')
    .set({
      status: end.status,
      port: end.port ?? null,
      ...(end.input === undefined ? {} : { input: json(end.input) }),
      ...(end.output === undefined ? {} : { output: json(end.output) }),
      error: end.error ? json(end.error) : null,
      next_attempt_at: end.nextAttemptAt ?? null,
      finished_at: end.status === 'succeeded' || end.status === 'failed' ? end.at : null,
    })
    .where('company_id', '=', input.companyId)
    .where('run_id', '=', input.runId)
    .where('node_id', '=', input.nodeId)
    .where('iteration', '=', input.iteration)
    .execute();
}

/** A run that waits or is stuck says so; it runs again as soon as a step does. */
export async function markRun(
  tx: Transaction,
  input: { readonly companyId: string; readonly runId: string },
  status: 'running' | 'waiting' | 'parked',
): Promise<void> {
  await tx
    .updateTable('runs')
    .set({ status })
    .where('company_id', '=', input.companyId)
    .where('id', '=', input.runId)
    .where('status', 'in', ['queued', 'running', 'waiting', 'parked'])
    .where('status', '<>', status)
    .execute();
}
