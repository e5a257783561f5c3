import type { NodeResult, NodeType } from '@plumbline/nodes';
import { PlainExpressions } from '../evaluate/plain.ts';
import type { PlanNode, PlanStep } from '../flow/plan.ts';
import type { StepFailure } from '../step-failure.ts';
import { stepKey } from '../step-key.ts';
import { createNodeCall } from './call-node.ts';
import { checkOutput } from './check-output.ts';
import { retryAfter, StepError, toStepFailure } from './classify.ts';
import type { Dependencies } from './dependencies.ts';
import { effectOf, isWrite } from './effects.ts';
import { logFailure, recordExchange } from './exchange-log.ts';
import { openLoop, type LoopSettings } from './loop-ledger.ts';
import { checkInputs, mapInputs } from './inputs.ts';
import { stepName, topLevel, type Lane, type Scope } from './lane.ts';
import { isLedgerError } from './ledger-error.ts';
import type { LedgerWrite, StepRef } from './ledger-writer.ts';
import { RATE_BUDGET } from './rate-gate.ts';
import { RunEnded } from './run-open.ts';
import { checkStorable, isStorable } from './storable.ts';
import { sayThatItWorksAgain, tellPeople } from './step-notices.ts';
import { Slices } from './slices.ts';
import { simulate, type Simulated } from './try-step.ts';
import { createWaiting } from './wait-step.ts';

/** Which attempt of which step. */
export interface StepAttempt {
  readonly companyId: string;
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly onError: PlanNode['onError'];
  /** First wait of the back-off. */
  readonly initialSeconds: number;
}

export type StepOutcome =
  | { readonly kind: 'done'; readonly port: string }
  /** Try again after that time. */
  | { readonly kind: 'retry'; readonly afterMs: number }
  /** Goes on when it is answered, and not before. */
  | { readonly kind: 'held' }
  | { readonly kind: 'failed'; readonly failure: StepFailure }
  /** A loop is open, with these settings; its turns are next. */
  | { readonly kind: 'opened'; readonly settings: LoopSettings }
  /** A scope is open; what stands in it is next. */
  | { readonly kind: 'entered'; readonly attempt: number; readonly settings: Readonly<Record<string, unknown>> }
  /** It ends its turn of a loop, or the loop. */
  | { readonly kind: 'left'; readonly how: 'next' | 'break'; readonly value: unknown }
  /** Recorded as waiting for a person. */
  | { readonly kind: 'parked'; readonly failure: StepFailure }
  /** The run ended while the step was on its way; it was not carried out. */
  | { readonly kind: 'gone' };

/** What is carried out in place of what the plan says. */
export interface GivenWork {
  readonly type: NodeType;
  readonly mapped: Readonly<Record<string, unknown>>;
}

export interface FailedAttempt {
  readonly input: StepAttempt;
  readonly step: PlanStep;
  readonly lane: Lane;
  readonly startedAt: Date;
  readonly error: unknown;
  readonly mapped?: Record<string, unknown>;
  /** What is known of its effect. */
  readonly settled?: Pick<LedgerWrite, 'settle'>;
}

export interface StepRunner {
  /** One attempt of one node; with `given`, of that in its place. */
  runStep(input: StepAttempt, step: PlanStep, lane: Lane, scope?: Scope, given?: GivenWork): Promise<StepOutcome>;
  /** Writes that an attempt did not succeed, and decides what follows: another try, a person, the way for errors, or the end. */
  recordFailure(work: FailedAttempt): StepOutcome;
  /**
   * What a step's mappings give at this place.
   * @throws StepError
   */
  mapStep(
    input: Pick<StepAttempt, 'companyId'>,
    step: PlanStep,
    lane: Lane,
    scope: Scope,
    key: string,
    /** What `$now()` says. @default now */
    now?: Date,
  ): Promise<Record<string, unknown>>;
}

/**
 * One attempt of one node: map → validate → write the intent → token → call → classify → record. A write is sent only once everything before it is
 * committed; what comes of it is committed with the next step's intent, or with the end of the run.
 */
export function createRunStep(deps: Dependencies): StepRunner {
  const plain = new PlainExpressions();
  const callNode = createNodeCall(deps);
  const waiting = createWaiting(deps);
  const slices = new Slices();

  return { runStep, mapStep, recordFailure };

  function mapStep(
    input: Pick<StepAttempt, 'companyId'>,
    step: PlanStep,
    lane: Lane,
    scope: Scope,
    key: string,
    now = deps.now(),
  ) {
    return mapInputs({
      evaluator: deps.evaluator,
      plain,
      companyId: input.companyId,
      step,
      type: typeOf(step),
      context: lane.context(readsOf(step), scope),
      now,
      seed: key,
    });
  }

  async function runStep(
    input: StepAttempt,
    step: PlanStep,
    lane: Lane,
    scope: Scope = topLevel,
    given?: GivenWork,
  ): Promise<StepOutcome> {
    const { companyId, runId, nodeId, iteration, attempt } = input;
    if (slices.isOver()) await slices.turn(companyId);
    const ref = { runId, nodeId, iteration };
    const name = stepName(nodeId, iteration);
    const known = lane.steps.get(name);
    const key = stepKey(input);
    const startedAt = deps.now();
    let mapped: Record<string, unknown> | undefined;
    let confirmed: NodeResult | undefined;
    try {
      const type = given?.type ?? typeOf(step);
      mapped = given
        ? { ...given.mapped }
        : known?.override
          ? checkInputs(type, step, known.override)
          : await mapStep(
              input,
              step,
              lane,
              type.control === 'while' ? firstRound(nodeId, scope) : scope,
              key,
              known?.startedAt ?? startedAt,
            );
      checkStorable(step.name, 'input', mapped);
      const stand =
        lane.test && (await simulate(deps, lane, { companyId, nodeId, step, type, mapped, undoes: !!given }));
      if (stand) return standIn(input, step, lane, { mapped, startedAt, stand });
      if (type.wait) return waiting.forTime({ input, step, lane, type, mapped, startedAt, known });
      if (type.control === 'next' || type.control === 'break')
        return leave(input, lane, type.control, mapped, startedAt);
      if (type.control === 'scope') {
        lane.note({ begin: { ...ref, attempt, at: startedAt } });
        return { kind: 'entered', attempt, settings: mapped };
      }
      if (type.control) {
        const settings = await openLoop(lane, scope.turns, { ...ref, attempt, at: startedAt }, type.control, mapped);
        return settings ? { kind: 'opened', settings } : { kind: 'gone' };
      }
      if (type.hold) return await waiting.forAnswer({ input, step, lane, type, mapped, startedAt, known, key, scope });
      const begin = { ...ref, attempt, at: startedAt };
      let claimed = false;
      if (type.run && isWrite(effectOf(type, mapped))) {
        const receipt = await lane.commit({ begin, claim: { ...ref, key } });
        if (!receipt.begun) return { kind: 'gone' };
        claimed = receipt.claimed;
        if (slices.isOver()) await slices.turn(companyId);
        deps.crashPoint?.('after-claim', nodeId);
      } else if (type.effect !== 'none') lane.note({ begin });
      const confirm = (given: NodeResult): unknown => (confirmed = given);
      const result = await callNode({ input, step, lane, type, mapped, key, claimed, confirm });
      if (slices.isOver()) await slices.turn(companyId);
      const output = checkOutput(type, step, result);
      const port = result.port ?? 'out';
      checkStorable(step.name, 'output', output);
      const at = deps.now();
      deps.crashPoint?.('before-step-recorded', nodeId);
      lane.note({
        end: { ...ref, status: 'succeeded', attempt, startedAt, at, port, input: mapped, output },
        ...settlement(ref, key, confirmed),
        ...(step.connectionId
          ? {
              also: {
                order: step.connectionId,
                write: (tx) => recordExchange(tx, { input, step, type, subject: lane.subject, output, now: at }),
              },
            }
          : {}),
      });
      lane.outputs.set(name, output);
      // Only a step that had trouble before asks whether that was the last of it.
      if (known?.error) await sayThatItWorksAgain(deps, { input, step, lane, at });
      if (deps.crashPoint) {
        await lane.commit({});
        deps.crashPoint('after-step-recorded', nodeId);
      }
      return { kind: 'done', port };
    } catch (error) {
      if (isLedgerError(error)) throw error;
      if (error instanceof RunEnded) return { kind: 'gone' };
      return recordFailure({
        input,
        step,
        lane,
        startedAt,
        error,
        ...(mapped ? { mapped } : {}),
        settled: settlement(ref, key, confirmed),
      });
    }
  }

  /** A step that is not carried out while its drawing is tried out. */
  function standIn(
    input: StepAttempt,
    step: PlanStep,
    lane: Lane,
    given: { readonly mapped: Record<string, unknown>; readonly startedAt: Date; readonly stand: Simulated },
  ): StepOutcome {
    const { runId, nodeId, iteration, attempt } = input;
    const { mapped, startedAt, stand } = given;
    const { output, port } = stand;
    checkStorable(step.name, 'output', output);
    lane.note({
      end: {
        ...{ runId, nodeId, iteration, attempt, startedAt, at: deps.now() },
        ...{ status: 'succeeded', port, input: mapped, output, simulated: true },
      },
    });
    lane.outputs.set(stepName(nodeId, iteration), output);
    return { kind: 'done', port };
  }

  /** A step that ends its turn of a loop. */
  function leave(
    input: StepAttempt,
    lane: Lane,
    how: 'next' | 'break',
    mapped: Record<string, unknown>,
    startedAt: Date,
  ): StepOutcome {
    const { runId, nodeId, iteration, attempt } = input;
    const output = { value: mapped['value'] ?? null };
    lane.note({
      end: {
        ...{ runId, nodeId, iteration, attempt, startedAt, at: deps.now() },
        ...{ status: 'succeeded', port: how, input: mapped, output },
      },
    });
    lane.outputs.set(stepName(nodeId, iteration), output);
    return { kind: 'left', how, value: output.value };
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

  function recordFailure(work: FailedAttempt): StepOutcome {
    const { input, step, lane, startedAt, error, mapped, settled } = work;
    const { companyId, runId, nodeId, iteration, attempt } = input;
    const failure = toStepFailure(error);
    const waitMs = retryAfter(error, attempt, input.initialSeconds);
    // To wait one's turn is no failure, and costs no attempt.
    const inTurn = failure.code === RATE_BUDGET && waitMs !== undefined;
    // Whoever tries something out wants to see at once what is wrong, and nobody else is to be asked.
    const retry = waitMs !== undefined && !lane.test && (inTurn || attempt < input.maxAttempts);
    const at = deps.now();
    const status = retry ? 'waiting' : input.onError === 'park' && !lane.test ? 'parked' : 'failed';
    const { kind, code } = failure;
    deps.log.warn({ companyId, runId, nodeId, attempt, kind, code, status }, 'step did not succeed');
    const branch = status === 'failed' && input.onError === 'port';
    if (branch) lane.outputs.set(stepName(nodeId, iteration), { error: failure });
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

/** What a loop that repeats asks of every round is there when it opens, too, and is asked of the first one. */
function firstRound(loopId: string, { iteration, turns }: Scope): Scope {
  return { iteration, turns: [...turns, { loopId, index: 0 }] };
}

/** An effect that went through is never forgotten, whatever is wrong with its answer. */
function settlement(step: StepRef, key: string, confirmed: NodeResult | undefined): Pick<LedgerWrite, 'settle'> {
  if (!confirmed) return {};
  return { settle: { ...step, key, state: 'confirmed', result: isStorable(confirmed) ? confirmed : { output: null } } };
}

/** Steps that any mapping of this step reads. */
function readsOf(step: PlanStep): ReadonlySet<string> {
  return new Set(Object.values(step.inputs).flatMap((mapping) => (mapping.kind === 'expression' ? mapping.reads : [])));
}
