import { fetchAtDepth, within, type NodeType, type RunContext } from '@plumbline/nodes';
import type { PlanStep } from '../flow/plan.ts';
import { depthOfRun, noVendor, STEP_MS } from './call-node.ts';
import { checkOutput } from './check-output.ts';
import type { Dependencies } from './dependencies.ts';
import { formerTry, stepName, type Lane, type LaneStep, type Scope } from './lane.ts';
import { platformFor } from './platform.ts';
import type { StepAttempt, StepOutcome } from './run-step.ts';
import { checkStorable } from './storable.ts';
import { THROTTLE } from '../flow/special-types.ts';
import { closeWait, expireWait, readAnswer, type Answer } from './waits.ts';

/** A step that waits, each time it is looked at. */
interface WaitingStep {
  readonly input: StepAttempt;
  readonly step: PlanStep;
  readonly lane: Lane;
  readonly type: NodeType;
  readonly mapped: Record<string, unknown>;
  readonly startedAt: Date;
  /** What the ledger says of it; undefined the first time. */
  readonly known: LaneStep | undefined;
}

export interface Waiting {
  /** Of a step that waits for a time: it first says until when, and goes on when that has come, or when somebody lets it. */
  forTime(work: WaitingStep): StepOutcome;
  /**
   * Of a step that hands something over: it opens it, and goes on when it is answered, or when its time has come.
   * @throws StepError
   */
  forAnswer(work: WaitingStep & { readonly key: string; readonly scope: Scope }): Promise<StepOutcome>;
}

export function createWaiting(deps: Dependencies): Waiting {
  return { forTime, forAnswer: (work) => within(STEP_MS, (signal) => forAnswer(work, signal)) };

  function forTime({ input, lane, type, mapped, startedAt, known }: WaitingStep): StepOutcome {
    const { runId, nodeId, iteration, attempt } = input;
    const end = { runId, nodeId, iteration, attempt, startedAt, at: deps.now(), input: mapped };
    const due = known?.suspended ? known.nextAttemptAt : type.wait?.until(mapped as never, startedAt, lane.company);
    if (!known?.suspended && due && due > startedAt) {
      lane.note({ end: { ...end, status: 'waiting', nextAttemptAt: due, suspended: true } });
      return { kind: 'retry', afterMs: due.getTime() - startedAt.getTime() };
    }
    const output = type.wait?.resume(mapped as never, due ?? startedAt);
    lane.note({ end: { ...end, status: 'succeeded', port: 'out', output } });
    lane.outputs.set(stepName(nodeId, iteration), output);
    return { kind: 'done', port: 'out' };
  }

  async function forAnswer(
    work: WaitingStep & { readonly key: string; readonly scope: Scope },
    signal: AbortSignal,
  ): Promise<StepOutcome> {
    const { input, step, lane, type, mapped, startedAt, key, known, scope } = work;
    const former = formerTry(scope);
    const { hold } = type;
    if (!hold) throw new Error(`${type.id} waits for nothing`);
    const { companyId, runId, nodeId, iteration, attempt } = input;
    const end = { runId, nodeId, iteration, attempt, startedAt, input: mapped };
    const context: RunContext<never> = {
      input: mapped as never,
      http: noVendor,
      fetchPublic: fetchAtDepth(deps.fetchPublic, depthOfRun(lane)),
      idempotencyKey: key,
      now: deps.now,
      signal,
      platform: platformFor(
        deps,
        { ...input, step, lane, ...(former === undefined ? {} : { formerTry: former }) },
        key,
      ),
    };
    let until = known?.suspended ? known.nextAttemptAt : null;
    let answered: Answer | undefined;
    if (!known?.suspended) {
      // What it opens may be answered at once, so everything before it must be on record.
      const { begun } = await lane.commit({ begin: { runId, nodeId, iteration, attempt, at: startedAt } });
      if (!begun) return { kind: 'gone' };
      const opened = await hold.open(context);
      until = opened.until ?? null;
      if (opened.answer !== undefined) answered = { answer: opened.answer, at: deps.now() };
      deps.crashPoint?.('after-wait-opened', nodeId);
    }
    const ref = { companyId, runId, nodeId, iteration };
    answered ??= await readAnswer(deps.store, ref);
    const now = deps.now();
    if (!answered && (!until || until > now)) {
      if (!known?.suspended)
        lane.note({
          end: { ...end, at: now, status: 'waiting', suspended: true, ...(until ? { nextAttemptAt: until } : {}) },
        });
      return until ? { kind: 'retry', afterMs: until.getTime() - now.getTime() } : { kind: 'held' };
    }
    // Nobody answers a turn that was taken. It is remembered until the step has ended: else it takes another when it is carried on once more.
    const isTurn = type.id === THROTTLE;
    if (!answered && !isTurn) {
      // Whoever waits for others says what came of it before the wait is gone: by the wait they tell that somebody still goes on with what they bring.
      const expired = hold.expire && { answer: await hold.expire(context), at: now };
      // Its time is up, unless an answer comes at this very moment: one of the two is first.
      answered = (await expireWait(deps.store, ref, now)) ?? expired;
    }
    const result = hold.close(
      mapped as never,
      answered ? { kind: 'answered', ...answered } : { kind: 'expired', at: until ?? now },
    );
    const output = checkOutput(type, step, result);
    const port = result.port ?? 'out';
    checkStorable(step.name, 'output', output);
    lane.note({
      end: { ...end, at: now, status: 'succeeded', port, output },
      ...(isTurn ? { also: { order: '', write: (tx) => closeWait(tx, ref, now) } } : {}),
    });
    lane.outputs.set(stepName(nodeId, iteration), output);
    return { kind: 'done', port };
  }
}
