import type { Transaction } from '@plumbline/db';
import { findNodeType, type CatalogInfo, type FlowDocument } from '@plumbline/workflows/flow';
import type { RunDetail, RunSummary, StepAttempt, StepDetail, StepError } from '../contract/index.ts';
import { waitingFor } from '../approvals/waiting-for.ts';
import { notFound } from '../problem.ts';
import { cursorAfter, findRuns, pageSize, type RunFilter } from '../runs/find-runs.ts';
import { mask } from '../runs/mask.ts';
import { similarFailures } from '../runs/similar.ts';
import { stepsOf, type AskedRound } from './run-steps.ts';
import { describeSubject, describeTrigger } from './subject.ts';
import { DRAFT } from './try-flow.ts';

function runRows(tx: Transaction, companyId: string) {
  return tx
    .selectFrom('runs')
    .innerJoin('flows', (join) =>
      join.onRef('flows.company_id', '=', 'runs.company_id').onRef('flows.id', '=', 'runs.flow_id'),
    )
    .leftJoin('events', (join) =>
      join.onRef('events.company_id', '=', 'runs.company_id').onRef('events.id', '=', 'runs.event_id'),
    )
    .select([
      'runs.id',
      'runs.flow_id',
      'flows.name as flow_name',
      'runs.flow_version',
      'runs.status',
      'runs.error',
      'runs.queued_at',
      'runs.started_at',
      'runs.finished_at',
      'runs.carrier_id',
      'runs.lane',
      'runs.event_id',
      'runs.rerun_of',
      'runs.rerun_from',
      'runs.parent_run_id',
      'runs.parent_node_id',
      'events.kind as event_kind',
      'events.key as event_key',
      'events.data as event_data',
      'events.received_at as event_received_at',
    ])
    .where('runs.company_id', '=', companyId);
}

type RunRow = Awaited<ReturnType<ReturnType<typeof runRows>['execute']>>[number];

/** Runs, newest first. */
export async function listRuns(
  tx: Transaction,
  filter: RunFilter,
): Promise<{ readonly items: RunSummary[]; readonly next?: string }> {
  const size = pageSize(filter);
  const found = await findRuns(tx, filter);
  const page = found.slice(0, size);
  const last = page.at(-1);
  const rows =
    page.length === 0
      ? []
      : await runRows(tx, filter.companyId)
          .where(
            'runs.id',
            'in',
            page.map(({ id }) => id),
          )
          .execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return {
    items: page.flatMap(({ id }) => {
      const row = byId.get(id);
      return row ? [toSummary(row)] : [];
    }),
    ...(found.length > size && last ? { next: cursorAfter(last) } : {}),
  };
}

/** @throws ApiError `not_found`, also for a loop that is none */
export async function readRun(
  tx: Transaction,
  companyId: string,
  asked: { readonly runId: string; readonly round?: AskedRound },
  info: CatalogInfo,
  temporalUrl: (carrierId: string) => string | null,
): Promise<RunDetail> {
  const { runId, round } = asked;
  const row = await runRows(tx, companyId).where('runs.id', '=', runId).executeTakeFirst();
  if (!row) throw notFound('run');
  const document = await drawingOf(tx, companyId, row);
  const called = await tx
    .selectFrom('runs')
    .innerJoin('flows', (join) =>
      join.onRef('flows.company_id', '=', 'runs.company_id').onRef('flows.id', '=', 'runs.flow_id'),
    )
    .select(['runs.id', 'flows.name', 'runs.parent_node_id', 'runs.parent_iteration', 'runs.status'])
    .where('runs.company_id', '=', companyId)
    .where('runs.parent_run_id', '=', runId)
    .orderBy('runs.queued_at')
    .limit(200)
    .execute();
  const again = await tx
    .selectFrom('runs')
    .select(['id', 'status', 'queued_at'])
    .where('company_id', '=', companyId)
    .where('rerun_of', '=', runId)
    .orderBy('queued_at', 'desc')
    .limit(20)
    .execute();
  const { steps, leftOut } = await stepsOf(tx, { companyId, id: runId, document }, round);
  const approvals = await tx
    .selectFrom('approvals')
    .select(['id', 'node_id', 'iteration', 'status', 'outcome', 'expires_at'])
    .where('company_id', '=', companyId)
    .where('run_id', '=', runId)
    .orderBy('opened_at')
    .execute();
  const waiting = await waitingFor(
    tx,
    companyId,
    approvals.filter(({ status }) => status === 'open').map(({ id }) => id),
  );
  const similar = await similarFailures(tx, companyId, { id: runId, flowId: row.flow_id, steps });
  return {
    ...toSummary(row),
    steps: steps.map((step): StepDetail => {
      const node = document.nodes[step.node_id];
      return {
        nodeId: step.node_id,
        iteration: step.iteration,
        name: node?.name ?? step.node_id,
        type: node ? (findNodeType(info, node.type, node.version)?.title ?? node.type) : '',
        status: step.status,
        attempt: step.attempt,
        maxAttempts: node?.retry?.attempts ?? 5,
        port: step.port,
        input: mask(step.input),
        output: mask(step.output),
        ...(step.withheld ? { withheld: true } : {}),
        error: mask(step.error as StepError | null),
        attempts: (step.attempts ?? []).map(toAttempt),
        ...(similar.has(step.node_id) && step.error ? { similar: similar.get(step.node_id) } : {}),
        nextAttemptAt: step.next_attempt_at?.toISOString() ?? null,
        startedAt: step.started_at.toISOString(),
        finishedAt: step.finished_at?.toISOString() ?? null,
        durationMs: step.finished_at ? step.finished_at.getTime() - step.started_at.getTime() : null,
        ...(step.carried ? { carried: true } : {}),
        ...(step.simulated ? { simulated: true } : {}),
      };
    }),
    stepsLeftOut: leftOut,
    test: row.flow_version === DRAFT,
    approvals: approvals.map((approval) => ({
      id: approval.id,
      nodeId: approval.node_id,
      iteration: approval.iteration,
      status: approval.status,
      outcome: approval.outcome,
      waitingFor: waiting.get(approval.id) ?? null,
      expiresAt: approval.expires_at?.toISOString() ?? null,
    })),
    caller: row.parent_run_id ? { runId: row.parent_run_id, nodeId: row.parent_node_id ?? '' } : null,
    called: called.map((call) => ({
      runId: call.id,
      flowName: call.name,
      nodeId: call.parent_node_id ?? '',
      iteration: call.parent_iteration ?? '',
      status: call.status,
    })),
    againFrom: row.rerun_from,
    again: again.map(({ id, status, queued_at }) => ({ id, status, queuedAt: queued_at.toISOString() })),
    document,
    event: row.event_id
      ? {
          id: row.event_id,
          kind: row.event_kind ?? '',
          key: row.event_key ?? '',
          receivedAt: row.event_received_at?.toISOString() ?? '',
          data: mask(row.event_data),
        }
      : null,
    carrierId: row.carrier_id,
    lane: row.lane,
    temporalUrl: temporalUrl(row.carrier_id),
  };
}

/** The version a run runs; of one that tries a draft out, that draft. */
async function drawingOf(tx: Transaction, companyId: string, row: RunRow): Promise<FlowDocument> {
  if (row.flow_version === DRAFT) {
    const { test } = await tx
      .selectFrom('runs')
      .select('test')
      .where('company_id', '=', companyId)
      .where('id', '=', row.id)
      .executeTakeFirstOrThrow();
    return test?.['document'] as FlowDocument;
  }
  const version = await tx
    .selectFrom('flow_versions')
    .select('document')
    .where('company_id', '=', companyId)
    .where('flow_id', '=', row.flow_id)
    .where('number', '=', row.flow_version)
    .executeTakeFirstOrThrow();
  return version.document as FlowDocument;
}

/** Times as the database wrote them, in the one form all times have here. */
function toAttempt(row: Readonly<Record<string, unknown>>): StepAttempt {
  const record = mask(row) as unknown as StepAttempt;
  return {
    ...record,
    startedAt: new Date(record.startedAt).toISOString(),
    endedAt: new Date(record.endedAt).toISOString(),
  };
}

function toSummary(row: RunRow): RunSummary {
  return {
    id: row.id,
    flowId: row.flow_id,
    flowName: row.flow_name,
    flowVersion: row.flow_version,
    status: row.status,
    trigger: describeTrigger(row.event_kind, row.event_key),
    subject: row.event_data && row.event_key ? describeSubject(row.event_key, row.event_data) : null,
    queuedAt: row.queued_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    durationMs: row.finished_at ? row.finished_at.getTime() - row.queued_at.getTime() : null,
    error: mask(row.error as StepError | null),
    againOf: row.rerun_of,
  };
}
