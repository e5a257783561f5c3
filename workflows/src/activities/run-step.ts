import { json, type Transaction } from '@plumbline/db';
import {
  isConnectorFailure,
  type NodeResult,
  type NodeType,
  type Platform,
  type RunContext,
  type VendorHttp,
} from '@plumbline/nodes';
import type { Plan, PlanStep } from '../flow/plan.ts';
import { stepKey } from '../step-key.ts';
import { retryAfter, StepError, toStepFailure } from './classify.ts';
import { Connections, type OpenConnection } from './connections.ts';
import type { RunStepInput, StepOutcome } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import { performOnce } from './effects.ts';
import { mapInputs } from './inputs.ts';
import { beginStep, markRun, recordStep, type Begun } from './ledger.ts';
import type { PlanCache } from './plans.ts';

/** One attempt of one node: resolve → map → validate → token → call → classify → record. */
export function createRunStep(deps: Dependencies, plans: PlanCache) {
  const connections = new Connections(deps);

  return async function runStep(input: RunStepInput): Promise<StepOutcome> {
    const { companyId, nodeId } = input;
    const plan = await plans.load(companyId, input.planHash);
    const step = plan.steps[nodeId];
    if (!step) throw new Error(`Plan ${input.planHash} has no step ${nodeId}`);
    const begun = await deps.store.tenant(companyId, async (tx) => {
      await markRun(tx, input, 'running');
      return await beginStep(tx, input, { reads: readsOf(step), params: plan.params }, deps.now());
    });
    if (begun.already) return begun.already;
    const key = stepKey(input);
    let mapped: Record<string, unknown> | undefined;
    try {
      const type = typeOf(step);
      mapped = await mapInputs({ evaluator: deps.evaluator, companyId, step, type, context: begun.context, seed: key });
      const result = await call({ input, plan, step, type, mapped, key });
      const output = checkOutput(type, step, result);
      const port = result.port ?? 'out';
      await deps.store.tenant(companyId, async (tx) => {
        await recordStep(tx, input, { status: 'succeeded', at: deps.now(), port, input: mapped, output });
        await recordExchange(tx, { input, step, type, begun, output, now: deps.now() });
      });
      deps.crashPoint?.('after-step-recorded');
      return { kind: 'done', port };
    } catch (error) {
      return await recordFailure(input, step, mapped, error);
    }
  };

  function typeOf(step: PlanStep): NodeType {
    const type = deps.catalog.nodeTypes.get(`${step.type}@${step.version}`);
    if (type) return type;
    throw new StepError({
      kind: 'contract',
      code: 'node_type_unknown',
      message: `This installation has no step type "${step.type}" in version ${step.version}.`,
      fix: 'Publish the flow again with a step type that exists.',
    });
  }

  async function call(work: {
    input: RunStepInput;
    plan: Plan;
    step: PlanStep;
    type: NodeType;
    mapped: Record<string, unknown>;
    key: string;
  }): Promise<NodeResult> {
    const { input, step, type, mapped, key } = work;
    const signal = AbortSignal.timeout(60_000);
    const base = {
      input: mapped as never,
      fetchPublic: deps.fetchPublic,
      idempotencyKey: key,
      now: deps.now,
      signal,
      platform: platformFor(input, key),
    };
    if (!type.connector) return await performOnce(deps, input, key, type, { ...base, http: noVendor });
    if (!step.connectionId)
      throw new StepError({
        kind: 'invalid',
        code: 'connection_missing',
        message: `"${step.name}" has no connection.`,
        fix: 'Choose one in the flow and publish.',
      });
    const attempt = async (open: OpenConnection): Promise<NodeResult> => {
      const http = open.connector.http({ connection: open.context, fetch: deps.fetch, now: deps.now, signal });
      const context: RunContext<never> = { ...base, connection: open.context, http };
      return await performOnce(deps, input, key, type, context);
    };
    const open = await connections.open(input.companyId, step.connectionId);
    try {
      return await attempt(open);
    } catch (error) {
      if (!isConnectorFailure(error) || error.kind !== 'reauthorize') throw error;
      // Refused although not due: revoked, or refreshed elsewhere. One refresh, one more try, then a person.
      const renewed = await connections.open(input.companyId, step.connectionId, { refused: open.generation });
      try {
        return await attempt(renewed);
      } catch (again) {
        if (isConnectorFailure(again) && again.kind === 'reauthorize')
          await connections.markBroken(input.companyId, step.connectionId, again.message);
        throw again;
      }
    }
  }

  function platformFor(input: RunStepInput, key: string): Platform {
    return {
      notify: (notice) =>
        deps.store.tenant(input.companyId, async (tx) => {
          await tx
            .insertInto('notifications')
            .values({
              company_id: input.companyId,
              key,
              title: notice.title,
              body: notice.body,
              severity: notice.severity,
              run_id: input.runId,
              read_at: null,
            })
            .onConflict((conflict) => conflict.columns(['company_id', 'key']).doNothing())
            .execute();
          return await tx
            .selectFrom('notifications')
            .select('id')
            .where('company_id', '=', input.companyId)
            .where('key', '=', key)
            .executeTakeFirstOrThrow();
        }),
    };
  }

  async function recordFailure(
    input: RunStepInput,
    step: PlanStep,
    mapped: Record<string, unknown> | undefined,
    error: unknown,
  ): Promise<StepOutcome> {
    const failure = toStepFailure(error);
    const waitMs = retryAfter(error, input.attempt, input.initialSeconds);
    const retry = waitMs !== undefined && input.attempt < input.maxAttempts;
    const at = deps.now();
    const status = retry ? 'waiting' : input.onError === 'park' ? 'parked' : 'failed';
    deps.log.warn(
      {
        companyId: input.companyId,
        runId: input.runId,
        nodeId: input.nodeId,
        attempt: input.attempt,
        kind: failure.kind,
        code: failure.code,
        status,
      },
      'step did not succeed',
    );
    await deps.store.tenant(input.companyId, async (tx) => {
      await recordStep(tx, input, {
        status,
        at,
        error: failure,
        ...(mapped ? { input: mapped } : {}),
        ...(status === 'failed' && input.onError === 'port' ? { port: 'error', output: { error: failure } } : {}),
        ...(retry ? { nextAttemptAt: new Date(at.getTime() + waitMs) } : {}),
      });
      if (status !== 'failed') await markRun(tx, input, status);
      if (step.connectionId && (await holdConnection(tx, input.companyId, step.connectionId)))
        await tx
          .insertInto('integration_logs')
          .values({
            company_id: input.companyId,
            integration_id: step.connectionId,
            action: step.type,
            direction: 'export',
            entity_type: entityOf(step.type),
            entity_count: 0,
            status: 'failed',
            external_id: null,
            run_id: input.runId,
            error_details: json(failure),
          })
          .execute();
    });
    if (retry) return { kind: 'retry', afterMs: waitMs };
    return status === 'parked' ? { kind: 'parked', failure } : { kind: 'failed', failure };
  }
}

/** Steps that any mapping of this step reads. */
function readsOf(step: PlanStep): ReadonlySet<string> {
  return new Set(Object.values(step.inputs).flatMap((mapping) => (mapping.kind === 'expression' ? mapping.reads : [])));
}

function checkOutput(type: NodeType, step: PlanStep, result: NodeResult): unknown {
  const parsed = type.output.safeParse(result.output);
  if (parsed.success) return parsed.data;
  throw new StepError({
    kind: 'contract',
    code: 'output_invalid',
    message: `"${step.name}" gave an answer of a shape it should not have: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}.`,
    fix: 'The step may have gone through: look at the vendor, then skip it or retry.',
  });
}

/** What the hub and the record's page show: one line per exchange, and the link between the record and the vendor's object. */
async function recordExchange(
  tx: Transaction,
  done: { input: RunStepInput; step: PlanStep; type: NodeType; begun: Begun; output: unknown; now: Date },
): Promise<void> {
  const { input, step, type, begun, output, now } = done;
  const { companyId } = input;
  if (!step.connectionId || !(await holdConnection(tx, companyId, step.connectionId))) return;
  const remote = type.remote?.read(output);
  await tx
    .insertInto('integration_logs')
    .values({
      company_id: companyId,
      integration_id: step.connectionId,
      action: type.id,
      direction: type.effect === 'read' ? 'import' : 'export',
      entity_type: type.remote?.type ?? entityOf(type.id),
      entity_count: 1,
      status: 'succeeded',
      external_id: remote?.id ?? null,
      run_id: input.runId,
      error_details: null,
    })
    .execute();
  await tx
    .updateTable('integrations')
    .set({ last_sync_at: now, error_message: null, updated_at: now })
    .where('company_id', '=', companyId)
    .where('id', '=', step.connectionId)
    .execute();
  if (!remote || !type.remote || begun.subject?.entity !== type.remote.entity) return;
  await tx
    .insertInto('links')
    .values({
      company_id: companyId,
      entity: begun.subject.entity,
      record_id: begun.subject.id,
      integration_id: step.connectionId,
      remote_type: type.remote.type,
      remote_id: remote.id,
      remote_version: remote.version ?? null,
      base: null,
      state: 'linked',
    })
    .onConflict((conflict) =>
      conflict
        .columns(['company_id', 'integration_id', 'remote_type', 'remote_id'])
        .doUpdateSet({ remote_version: remote.version ?? null, updated_at: now }),
    )
    .execute();
}

/** Whether the connection is still there; it then stays until the transaction ends. It may be removed while a step works with it. */
async function holdConnection(tx: Transaction, companyId: string, id: string): Promise<boolean> {
  const row = await tx
    .selectFrom('integrations')
    .select('id')
    .where('company_id', '=', companyId)
    .where('id', '=', id)
    .forKeyShare()
    .executeTakeFirst();
  return row !== undefined;
}

/** `quickbooks.create-bill` → `bill`. */
function entityOf(typeId: string): string {
  return typeId.split('.')[1]?.replace(/^(create|update|find|ensure|list|send)-/, '') ?? typeId;
}

/** For nodes without a connector: they have nothing to call. */
const noVendor: VendorHttp = {
  send: () => Promise.reject(new Error('This step has no connection, so it has no vendor to call.')),
};
