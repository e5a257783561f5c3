import { json } from '@plumbline/db';
import {
  isConnectorFailure,
  type NodeResult,
  type NodeType,
  type Platform,
  type RunContext,
  type VendorHttp,
} from '@plumbline/nodes';
import { PlainExpressions } from '../evaluate/plain.ts';
import type { PlanStep } from '../flow/plan.ts';
import type { StepFailure } from '../step-failure.ts';
import { stepKey } from '../step-key.ts';
import { retryAfter, StepError, toStepFailure } from './classify.ts';
import { Connections, type OpenConnection } from './connections.ts';
import type { Dependencies } from './dependencies.ts';
import { effectOf, isWrite, performOnce } from './effects.ts';
import { logFailure, recordExchange } from './exchange-log.ts';
import { mapInputs } from './inputs.ts';
import type { Lane } from './lane.ts';
import { isLedgerError } from './ledger-error.ts';
import type { LedgerWrite } from './ledger-writer.ts';
import { RATE_BUDGET, RateGate } from './rate-gate.ts';
import { sayThatItWorksAgain, tellPeople } from './step-notices.ts';

/** Which attempt of which step. */
export interface StepAttempt {
  readonly companyId: string;
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly onError: 'park' | 'port' | 'stop';
  /** First wait of the back-off. */
  readonly initialSeconds: number;
}

export type StepOutcome =
  | { readonly kind: 'done'; readonly port: string }
  /** Try again after that time. */
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'failed'; readonly failure: StepFailure }
  /** Recorded as waiting for a person. */
  | { readonly kind: 'parked'; readonly failure: StepFailure }
  /** The run ended while the step was on its way; it was not carried out. */
  | { readonly kind: 'gone' };

/**
 * One attempt of one node: map → validate → write the intent → token → call → classify → record. A write is sent only once everything before it is
 * committed; what comes of it is committed with the next step's intent, or with the end of the run.
 */
export function createRunStep(deps: Dependencies) {
  const connections = new Connections(deps);
  const plain = new PlainExpressions();
  const gate = new RateGate(deps);

  return async function runStep(input: StepAttempt, step: PlanStep, lane: Lane): Promise<StepOutcome> {
    const { runId, nodeId, iteration, attempt } = input;
    const ref = { runId, nodeId, iteration };
    const key = stepKey(input);
    const startedAt = deps.now();
    let mapped: Record<string, unknown> | undefined;
    let confirmed: NodeResult | undefined;
    try {
      const type = typeOf(step);
      const context = lane.context(readsOf(step));
      mapped = await mapInputs({
        evaluator: deps.evaluator,
        plain,
        companyId: input.companyId,
        step,
        type,
        context,
        seed: key,
      });
      if (type.wait) return waitOrGoOn(input, lane, { type, mapped, startedAt });
      const begin = { ...ref, attempt, at: startedAt };
      let claimed = false;
      if (type.run && isWrite(effectOf(type, mapped))) {
        const receipt = await lane.commit({ begin, claim: { ...ref, key } });
        if (!receipt.begun) return { kind: 'gone' };
        claimed = receipt.claimed;
        deps.crashPoint?.('after-claim', nodeId);
      } else if (type.effect !== 'none') lane.note({ begin });
      const result = await call({ input, step, type, mapped, key, claimed, confirm: (given) => (confirmed = given) });
      const output = checkOutput(type, step, result);
      const port = result.port ?? 'out';
      json([mapped, output]); // what cannot be stored is this step's failure, not its batch's
      const at = deps.now();
      deps.crashPoint?.('before-step-recorded', nodeId);
      lane.note({
        end: { ...ref, status: 'succeeded', attempt, startedAt, at, port, input: mapped, output },
        ...settlement(key, confirmed),
        ...(step.connectionId
          ? {
              also: {
                order: step.connectionId,
                write: (tx) => recordExchange(tx, { input, step, type, subject: lane.subject, output, now: at }),
              },
            }
          : {}),
      });
      lane.outputs.set(nodeId, output);
      // Only a step that had trouble before asks whether that was the last of it.
      if (lane.steps.get(nodeId)?.error) await sayThatItWorksAgain(deps, { input, step, lane, at });
      if (deps.crashPoint) {
        await lane.commit({});
        deps.crashPoint('after-step-recorded', nodeId);
      }
      return { kind: 'done', port };
    } catch (error) {
      if (isLedgerError(error)) throw error;
      return recordFailure({
        input,
        step,
        lane,
        startedAt,
        error,
        ...(mapped ? { mapped } : {}),
        settled: settlement(key, confirmed),
      });
    }
  };

  /** A step that waits: it first says until when, and goes on when that has come, or when somebody lets it. */
  function waitOrGoOn(
    input: StepAttempt,
    lane: Lane,
    given: { readonly type: NodeType; readonly mapped: Record<string, unknown>; readonly startedAt: Date },
  ): StepOutcome {
    const { runId, nodeId, iteration, attempt } = input;
    const { type, mapped, startedAt } = given;
    const end = { runId, nodeId, iteration, attempt, startedAt, at: deps.now(), input: mapped };
    const known = lane.steps.get(nodeId);
    const due = known?.suspended ? known.nextAttemptAt : type.wait?.until(mapped as never, startedAt);
    if (!known?.suspended && due && due > startedAt) {
      lane.note({ end: { ...end, status: 'waiting', nextAttemptAt: due, suspended: true } });
      return { kind: 'retry', afterMs: due.getTime() - startedAt.getTime() };
    }
    const output = type.wait?.resume(mapped as never, due ?? startedAt);
    lane.note({ end: { ...end, status: 'succeeded', port: 'out', output } });
    lane.outputs.set(nodeId, output);
    return { kind: 'done', port: 'out' };
  }

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
    readonly input: StepAttempt;
    readonly step: PlanStep;
    readonly type: NodeType;
    readonly mapped: Record<string, unknown>;
    readonly key: string;
    readonly claimed: boolean;
    readonly confirm: (result: NodeResult) => void;
  }): Promise<NodeResult> {
    const { input, step, type, mapped, key, confirm } = work;
    // The first call has the claim; one that follows a refresh of the token finds what became of it.
    let { claimed } = work;
    const once = (context: RunContext<never>): Promise<NodeResult> => {
      const given = { claimed, confirm };
      claimed = false;
      return performOnce(deps, { ...input, key }, type, context, given);
    };
    const signal = AbortSignal.timeout(60_000);
    const base = {
      input: mapped as never,
      fetchPublic: deps.fetchPublic,
      idempotencyKey: key,
      now: deps.now,
      signal,
      platform: platformFor(input, key),
    };
    if (!type.connector) return await once({ ...base, http: noVendor });
    if (!step.connectionId)
      throw new StepError({
        kind: 'invalid',
        code: 'connection_missing',
        message: `"${step.name}" has no connection.`,
        fix: 'Choose one in the flow and publish.',
      });
    const attempt = async (open: OpenConnection): Promise<NodeResult> => {
      const fetch = gate.guard(input.companyId, open.context.id, open.connector, deps.fetch);
      const http = open.connector.http({ connection: open.context, fetch, now: deps.now, signal });
      return await once({ ...base, connection: open.context, http });
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

  function platformFor(input: StepAttempt, key: string): Platform {
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

  function recordFailure(work: {
    readonly input: StepAttempt;
    readonly step: PlanStep;
    readonly lane: Lane;
    readonly startedAt: Date;
    readonly error: unknown;
    readonly mapped?: Record<string, unknown>;
    readonly settled: Pick<LedgerWrite, 'settle'>;
  }): StepOutcome {
    const { input, step, lane, startedAt, error, mapped, settled } = work;
    const { companyId, runId, nodeId, iteration, attempt } = input;
    const failure = toStepFailure(error);
    const waitMs = retryAfter(error, attempt, input.initialSeconds);
    // To wait one's turn is no failure, and costs no attempt.
    const inTurn = failure.code === RATE_BUDGET && waitMs !== undefined;
    const retry = waitMs !== undefined && (inTurn || attempt < input.maxAttempts);
    const at = deps.now();
    const status = retry ? 'waiting' : input.onError === 'park' ? 'parked' : 'failed';
    const { kind, code } = failure;
    deps.log.warn({ companyId, runId, nodeId, attempt, kind, code, status }, 'step did not succeed');
    const branch = status === 'failed' && input.onError === 'port';
    if (branch) lane.outputs.set(nodeId, { error: failure });
    lane.note({
      end: {
        ...{ runId, nodeId, iteration, status, startedAt, at, error: failure },
        attempt: inTurn ? attempt - 1 : attempt,
        ...(mapped && isStorable(mapped) ? { input: mapped } : {}),
        ...(branch ? { port: 'error', output: { error: failure } } : {}),
        ...(retry ? { nextAttemptAt: new Date(at.getTime() + waitMs) } : {}),
      },
      ...settled,
      // Most retries have nothing more to write, and need not take their whole batch the long way.
      ...(step.connectionId || status === 'parked'
        ? {
            also: {
              order: step.connectionId ?? '',
              write: async (tx) => {
                if (step.connectionId) await logFailure(tx, input, step, failure);
                if (status === 'parked') await tellPeople(tx, { input, step, flowId: lane.flowId, failure, at });
              },
            },
          }
        : {}),
    });
    if (retry) return { kind: 'retry', afterMs: waitMs };
    return status === 'parked' ? { kind: 'parked', failure } : { kind: 'failed', failure };
  }
}

/** An effect that went through is never forgotten, whatever is wrong with its answer. */
function settlement(key: string, confirmed: NodeResult | undefined): Pick<LedgerWrite, 'settle'> {
  if (!confirmed) return {};
  return { settle: { key, state: 'confirmed', result: isStorable(confirmed) ? confirmed : { output: null } } };
}

function isStorable(value: unknown): boolean {
  try {
    json(value);
    return true;
  } catch {
    return false;
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

/** For nodes without a connector: they have nothing to call. */
const noVendor: VendorHttp = {
  send: () => Promise.reject(new Error('This step has no connection, so it has no vendor to call.')),
};
