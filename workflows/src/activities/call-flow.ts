import { randomUUID } from 'node:crypto';
import { json, literal, type Transaction } from '@plumbline/db';
import { checkForm, ConnectorFailure, type FormField } from '@plumbline/nodes';
import { sql } from 'kysely';
import { CALLED_TRIGGER } from '../flow/flow-call.ts';
import type { Plan } from '../flow/plan.ts';
import { QUEUED_CHANNEL, type QueuedNotice } from '../go-ahead.ts';
import type { RunRef } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import type { PlatformStep } from './platform.ts';
import { whileOpen } from './run-open.ts';
import { letGoIn } from './turns/lock.ts';
import { insertWait } from './waits.ts';

/** Calls may be so deep: a flow that calls itself ends there. */
const DEPTH = 8;

/**
 * Starts a run of another flow for a step, once, and has the step wait for its end. The run, its beginning and the wait are written together.
 * @throws ConnectorFailure `invalid` when there is no such flow, it is not published, takes no calls, or calls go too deep.
 */
export async function callFlow(
  deps: Dependencies,
  caller: PlatformStep,
  call: { readonly flowId: string; readonly version?: number; readonly values: Readonly<Record<string, unknown>> },
): Promise<void> {
  const { companyId, runId, nodeId, iteration, lane } = caller;
  if (lane.depth + 1 > DEPTH)
    throw new ConnectorFailure({
      kind: 'invalid',
      code: 'call_too_deep',
      message: `Flows call each other ${DEPTH} deep here, and no deeper is possible. Does one of them call itself without end?`,
    });
  await whileOpen(deps.store, caller, async (tx) => {
    const childId = randomUUID();
    if (!(await insertWait(tx, caller, { kind: 'run', key: childId }))) return;
    const target = await targetOf(tx, companyId, call);
    const values = checkValues(target, call.values);
    const now = deps.now();
    await tx
      .insertInto('runs')
      .values({
        id: childId,
        company_id: companyId,
        flow_id: call.flowId,
        flow_version: target.version,
        plan_hash: target.hash,
        event_id: null,
        trigger_node_id: target.triggerNodeId,
        carrier_id: randomUUID(),
        lane: 0,
        status: 'queued',
        error: null,
        queued_at: now,
        confirmed_at: null,
        started_at: null,
        finished_at: null,
        parent_run_id: runId,
        parent_node_id: nodeId,
        parent_iteration: iteration,
        depth: lane.depth + 1,
        urgency: lane.urgency,
      })
      .execute();
    await tx
      .insertInto('steps')
      .values({
        company_id: companyId,
        run_id: childId,
        node_id: target.triggerNodeId,
        iteration: '',
        status: 'succeeded',
        attempt: 1,
        port: 'out',
        input: null,
        output: json({ values, caller: { runId, flowId: lane.flowId } }),
        error: null,
        next_attempt_at: null,
        started_at: now,
        finished_at: now,
      })
      .execute();
    const notice: QueuedNotice = { companyId, planHash: target.hash, runIds: [childId] };
    await sql.raw(`select pg_notify('${QUEUED_CHANNEL}', ${literal(json(notice))})`).execute(tx);
  });
}

/** Ends what a cancelled run had called, and what that had called in turn; their carriers are told. */
export async function cancelCalled(deps: Dependencies, run: RunRef): Promise<void> {
  await deps.store.tenant(run.companyId, (tx) => cancelCalledIn(tx, run, deps.now()));
}

/**
 * The same, in a transaction with what else is written then.
 * @param by Only what these steps called. @default all
 */
export async function cancelCalledIn(
  tx: Transaction,
  { companyId, runId }: RunRef,
  now: Date,
  by?: readonly { readonly nodeId: string; readonly iteration: string }[],
): Promise<void> {
  const nodes = by?.map(({ nodeId }) => nodeId);
  const places = by?.map(({ iteration }) => iteration);
  const byThem = by
    ? sql`and (parent_node_id, parent_iteration) in (select * from unnest(${nodes}::text[], ${places}::text[]))`
    : sql``;
  const { rows } = await sql<{ id: string; carrier_id: string }>`
      with recursive called as (
        select id from runs where company_id = ${companyId} and parent_run_id = ${runId} and finished_at is null ${byThem}
        union all
        select runs.id from runs join called on runs.parent_run_id = called.id
         where runs.company_id = ${companyId} and runs.finished_at is null)
      update runs set status = 'cancelled', finished_at = ${now}
       where company_id = ${companyId} and id in (select id from called) and finished_at is null
      returning id, carrier_id`.execute(tx);
  if (rows.length === 0) return;
  const runIds = rows.map(({ id }) => id);
  for (const id of runIds) await letGoIn(tx, { companyId, runId: id, now });
  await tx
    .updateTable('steps')
    .set({ status: 'failed', finished_at: now, next_attempt_at: null })
    .where('company_id', '=', companyId)
    .where('run_id', 'in', runIds)
    .where('status', 'in', ['running', 'waiting', 'parked'])
    .execute();
  await tx
    .insertInto('run_wakes')
    .values(rows.map(({ id, carrier_id }) => ({ company_id: companyId, run_id: id, carrier_id })))
    .execute();
}

interface Target {
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  readonly triggerNodeId: string;
  readonly fields: readonly (Omit<FormField, 'type'> & { readonly type?: FormField['type'] | 'any' })[];
}

async function targetOf(
  tx: Transaction,
  companyId: string,
  { flowId, version }: { readonly flowId: string; readonly version?: number },
): Promise<Target> {
  const refuse = (code: string, message: string): never => {
    throw new ConnectorFailure({ kind: 'invalid', code, message });
  };
  const flow = /^[0-9a-f-]{36}$/.test(flowId)
    ? await tx
        .selectFrom('flows')
        .select(['name', 'published_version'])
        .where('company_id', '=', companyId)
        .where('id', '=', flowId)
        .executeTakeFirst()
    : undefined;
  if (!flow) return refuse('flow_missing', 'The flow that is called does not exist any more. Choose another one.');
  const number = version ?? flow.published_version;
  const row =
    number === null
      ? undefined
      : await tx
          .selectFrom('flow_versions')
          .innerJoin('plans', (join) =>
            join
              .onRef('plans.company_id', '=', 'flow_versions.company_id')
              .onRef('plans.hash', '=', 'flow_versions.plan_hash'),
          )
          .select(['flow_versions.number', 'plans.hash', 'plans.plan'])
          .where('flow_versions.company_id', '=', companyId)
          .where('flow_versions.flow_id', '=', flowId)
          .where('flow_versions.number', '=', number)
          .executeTakeFirst();
  if (!row)
    return refuse(
      'flow_not_published',
      version === undefined
        ? `"${flow.name}" has not been published. Publish it, then retry.`
        : `"${flow.name}" has no version ${version}. Choose one that exists.`,
    );
  const plan = row.plan as unknown as Plan;
  const [triggerNodeId] = Object.keys(plan.steps).filter((id) => plan.steps[id]?.type === CALLED_TRIGGER);
  if (triggerNodeId === undefined)
    return refuse(
      'flow_takes_no_calls',
      `"${flow.name}" does not begin with "Another flow calls it". Add that trigger there and publish.`,
    );
  const fields = plan.steps[triggerNodeId]?.inputs['fields'];
  return {
    name: flow.name,
    version: row.number,
    hash: row.hash,
    triggerNodeId,
    fields: fields?.kind === 'literal' ? (fields.value as Target['fields']) : [],
  };
}

/** What is handed over must be what the called flow asks for, and is handed over as it asks for it: digits as a number. */
function checkValues(
  { name, fields }: Target,
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (fields.length === 0) return values;
  const anything = new Set(fields.flatMap(({ id, type = 'any' }) => (type === 'any' ? [id] : [])));
  const missing = fields.find(({ id, required }) => required && anything.has(id) && (values[id] ?? null) === null);
  const typed = Object.fromEntries(Object.entries(values).filter(([id]) => !anything.has(id)));
  const checked = checkForm(fields.filter(({ id }) => !anything.has(id)) as FormField[], typed);
  const problem =
    'problem' in checked
      ? checked.problem
      : missing && { code: 'invalid_input', message: `${missing.title} is missing.`, fix: 'Hand it over.' };
  if (problem)
    throw new ConnectorFailure({
      kind: 'invalid',
      code: problem.code === 'unknown_field' ? 'field_unknown' : 'values_invalid',
      message: `"${name}" cannot be called with that: ${problem.message} It takes ${fields.map(({ id }) => id).join(', ')}.`,
    });
  return { ...values, ...('values' in checked ? checked.values : {}) };
}
