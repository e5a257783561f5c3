import type { Transaction } from '@plumbline/db';
import { interpret, type Interpretation, type NodeEnd } from '../flow/interpret.ts';
import type { Plan, PlanGraph, PlanNode } from '../flow/plan.ts';
import { LOOP_PORT, regionsOf } from '../flow/regions.ts';
import type { StepFailure } from '../step-failure.ts';
import type { LaneReport } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import { firstPort } from './first-port.ts';
import { stepName, topLevel, type Lane, type Scope } from './lane.ts';
import type { LedgerWrite } from './ledger-writer.ts';
import { cancelCalledIn } from './call-flow.ts';
import { carryLoop, type LoopEnd } from './loop.ts';
import type { StepAttempt, StepOutcome, StepRunner } from './run-step.ts';
import { carryScope, type ScopeEnd } from './scope.ts';
import { CALL, LOCK, uses } from '../flow/special-types.ts';
import { letGoIn } from './turns/lock.ts';
import { beginUndoing, undoSteps } from './undo-run.ts';

/** A run that was taken up, and how long it may be carried on. */
export interface RunWork {
  readonly companyId: string;
  readonly planHash: string;
  readonly plan: Plan;
  readonly lane: Lane;
  /** On the clock of `performance.now()`: nothing new is begun after it. */
  readonly deadline: number;
}

/** What became of a region: of the whole run, of one turn of a loop, or of a scope. */
export interface RegionEnd extends Interpretation {
  readonly failure: StepFailure | undefined;
  /** The step that failed. */
  readonly failed?: string | undefined;
}

/** The first failure in a region. */
interface Failed {
  failure: StepFailure | undefined;
  nodeId?: string;
}

/** Carries one run on as far as it goes without waiting, and says what it waits for. */
export async function carryRun(deps: Dependencies, runner: StepRunner, work: RunWork): Promise<LaneReport> {
  return await new CarriedRun(deps, runner, work).carry();
}

/** One run, while it is carried on. */
export class CarriedRun {
  readonly deps: Dependencies;
  readonly runner: StepRunner;
  readonly work: RunWork;
  /** When it can go on by itself, in milliseconds. */
  #wakeAt: number | undefined;
  /** Why a person is waited for. */
  #stuck: StepFailure | undefined;
  #parked = false;
  /** It ended elsewhere while it was carried on here. */
  #gone = false;
  /** The failure for which all that it wrote is undone; from then on nothing else goes on. */
  #undoes: StepFailure | undefined;

  constructor(deps: Dependencies, runner: StepRunner, work: RunWork) {
    this.deps = deps;
    this.runner = runner;
    this.work = work;
    this.#undoes = this.#undoesAlready();
  }

  /** Whether it is to be undone as a whole: whatever loops and people would make of a failure, nothing is begun or closed any more. */
  get isUndone(): boolean {
    return this.#undoes !== undefined;
  }

  /** Whether nothing new may be begun in this call. */
  get isOver(): boolean {
    return performance.now() > this.work.deadline;
  }

  async carry(): Promise<LaneReport> {
    const { lane } = this.work;
    const scope: Scope = lane.test?.turns ? { iteration: '', turns: lane.test.turns } : topLevel;
    const end = this.#undoes ? nothingDone : await this.region(undefined, scope);
    if (this.#gone) return endedReport(lane.runId);
    if (this.#undoes) return await this.#undo({ ...end, failure: this.#undoes });
    if (end.failure || !end.paused) return await this.#end(end);
    return await this.#wait();
  }

  /** Interprets a region: the whole run, one turn of a loop, or a scope. */
  async region(around: PlanNode | undefined, scope: Scope): Promise<RegionEnd> {
    const { plan, lane } = this.work;
    const regions = regionsOf(plan.graph);
    const own: Failed = { failure: undefined };
    const graph = around ? regions.inside(around.id) : regions.top;
    const at = this.#enteredAt(graph, scope);
    const end = await interpret({
      graph,
      entry: around ? { nodeId: around.id, port: LOOP_PORT, at } : { nodeId: lane.triggerNodeId, port: 'out', at },
      execute: (node) => this.#step(node, scope, own),
      hasBegun: (nodeId) => lane.steps.has(stepName(nodeId, scope.iteration)),
      passedBy: ({ id }) => this.#passedBy(id),
      now: this.deps.now().getTime(),
    });
    if (end.wakeAt !== undefined) this.waitUntil(end.wakeAt);
    const failure = end.left?.how === 'failed' ? (own.failure ?? unknownFailure) : undefined;
    return { ...end, failure, failed: own.nodeId };
  }

  /**
   * When a region was entered: when the first of its steps began, as the ledger has it, or now. So a join in there counts from the same moment whoever
   * carries the run on, and no time is taken from it that the run, the turn or the try had to wait for its own beginning.
   */
  #enteredAt({ nodes }: PlanGraph, { iteration }: Scope): number {
    const begun = nodes.flatMap(({ id, kind }) => {
      const startedAt = kind === 'trigger' ? undefined : this.work.lane.steps.get(stepName(id, iteration))?.startedAt;
      return startedAt ? [startedAt.getTime()] : [];
    });
    return begun.length > 0 ? Math.min(...begun) : this.deps.now().getTime();
  }

  /** The same as `passedPort` says of its type. */
  #passedBy(nodeId: string): string {
    const step = this.work.plan.steps[nodeId];
    return firstPort(step && this.deps.catalog.nodeTypes.get(`${step.type}@${step.version}`), { inputs: {} });
  }

  /** Has the run carried on at that time, if nothing does so before. */
  waitUntil(time: number): NodeEnd {
    this.#wakeAt = Math.min(this.#wakeAt ?? Infinity, time);
    return { kind: 'pause' };
  }

  attemptOf(node: PlanNode, scope: Scope, attempt: number): StepAttempt {
    return {
      companyId: this.work.companyId,
      runId: this.work.lane.runId,
      nodeId: node.id,
      iteration: scope.iteration,
      attempt,
      maxAttempts: node.retry.attempts,
      onError: node.onError,
      initialSeconds: node.retry.initialSeconds,
    };
  }

  async #step(node: PlanNode, scope: Scope, region: Failed): Promise<NodeEnd> {
    const { lane, plan, planHash } = this.work;
    const name = stepName(node.id, scope.iteration);
    const step = plan.steps[node.id];
    if (!step) throw new Error(`Plan ${planHash} has no step ${node.id}`);
    if (this.isUndone) return { kind: 'pause' };
    const settle = (outcome: StepOutcome | LoopEnd | ScopeEnd): NodeEnd => this.#settled(node, outcome, region);
    const known = lane.steps.get(name);
    if (known?.status === 'succeeded') {
      const how = leaving(node, known.port);
      if (how) return settle({ kind: 'left', how, value: valueOf(lane.outputs.get(name)) });
      return { kind: 'port', port: known.port ?? 'out', at: known.finishedAt?.getTime() ?? 0 };
    }
    if (known?.status === 'failed') {
      if (known.port === 'error') return { kind: 'port', port: 'error', at: known.finishedAt?.getTime() ?? 0 };
      // It went no way: nothing is drawn for it, or somebody gave it up.
      return this.#failed(node, known.error ?? unknownFailure, region);
    }
    if (known?.status === 'parked') return settle({ kind: 'parked', failure: known.error ?? unknownFailure });
    const isLoop = node.control === 'each' || node.control === 'while';
    if (isLoop && known?.status === 'running') return settle(await carryLoop(this, node, step, scope));
    if (node.control === 'scope' && known?.status === 'running')
      return settle(await carryScope(this, node, step, scope));
    const now = this.deps.now().getTime();
    const due = known?.nextAttemptAt?.getTime();
    // What may be answered looks for it whenever it is carried on; everything else has its time.
    const mayBeAnswered = known?.suspended && this.deps.catalog.nodeTypes.get(`${step.type}@${step.version}`)?.hold;
    if (due !== undefined && due > now && !mayBeAnswered) return this.waitUntil(due);
    if (this.isOver) return this.waitUntil(now);
    // An attempt that a dead worker began is the same attempt, not another.
    const attempt =
      known?.status === 'waiting' && !known.suspended ? known.attempt + 1 : Math.max(known?.attempt ?? 1, 1);
    const outcome = await this.runner.runStep(this.attemptOf(node, scope, attempt), step, lane, scope);
    if (outcome.kind === 'opened') return settle(await carryLoop(this, node, step, scope, outcome.settings));
    if (outcome.kind === 'entered') return settle(await carryScope(this, node, step, scope, outcome));
    return settle(outcome);
  }

  #settled(node: PlanNode, outcome: StepOutcome | LoopEnd | ScopeEnd, region: Failed): NodeEnd {
    const now = this.deps.now().getTime();
    switch (outcome.kind) {
      case 'done':
        return { kind: 'port', port: outcome.port, at: now };
      case 'retry':
        return this.waitUntil(now + outcome.afterMs);
      case 'left':
        return { kind: 'leave', how: outcome.how, value: outcome.value };
      case 'parked':
        this.#parked = true;
        this.#stuck ??= outcome.failure;
        return { kind: 'pause' };
      case 'failed':
        if (node.onError === 'port') return { kind: 'port', port: 'error', at: now };
        return this.#failed(node, outcome.failure, region);
      case 'gone':
        this.#gone = true;
        return { kind: 'pause' };
      case 'held':
      case 'paused':
      case 'opened':
      case 'entered':
        return { kind: 'pause' };
    }
  }

  /** It fails what it stands in. */
  #failed(node: PlanNode, failure: StepFailure, region: Failed): NodeEnd {
    if (this.#undoesRun(node)) this.#undoes ??= failure;
    if (!region.failure) Object.assign(region, { failure, nodeId: node.id } satisfies Failed);
    return { kind: 'leave', how: 'failed' };
  }

  /** Whether the failure of a step undoes the run, in loops, too. In a scope it is the scope that says what is undone. */
  #undoesRun({ id, onError }: PlanNode): boolean {
    const regions = regionsOf(this.work.plan.graph);
    return onError === 'compensate' && !regions.around(id).some((around) => regions.isScope(around));
  }

  /**
   * Why the run does nothing but undo when it is taken up: somebody gave it up so, or it had failed so and whoever carried it on did not come to say so. A turn
   * in which that happened is never closed, so the step is among those that are known.
   */
  #undoesAlready(): StepFailure | undefined {
    const { lane, plan } = this.work;
    const { node } = regionsOf(plan.graph);
    const failed = [...lane.steps].flatMap(([name, { status, port, error }]) => {
      if (status !== 'failed' || port === 'error' || !error) return [];
      const at = node(name.split(' ')[0] ?? '');
      return at ? [{ at, error }] : [];
    });
    const first = failed.find(({ at }) => this.#undoesRun(at));
    if (first || !lane.compensate) return first?.error;
    return failed[0]?.error ?? unknownFailure;
  }

  async #undo(end: RegionEnd): Promise<LaneReport> {
    if (this.deps.crashPoint) {
      await this.work.lane.commit({});
      this.deps.crashPoint('before-undo', this.work.planHash);
    }
    await beginUndoing(this);
    // What was waited for besides is given up.
    this.#wakeAt = this.#stuck = undefined;
    this.#parked = false;
    const undone = await undoSteps(this);
    if (undone.kind === 'done') {
      const { names, kept } = undone;
      const failure = end.failure ?? unknownFailure;
      return await this.#end({ ...end, failure: { ...failure, undone: names, kept } });
    }
    this.#settled(undone.node, undone.outcome, { failure: undefined });
    return this.#gone ? endedReport(this.work.lane.runId) : await this.#wait();
  }

  async #end({ failure, skipped }: RegionEnd): Promise<LaneReport> {
    const { lane, planHash } = this.work;
    this.deps.crashPoint?.('before-run-ended', planHash);
    const { undoes } = await lane.commit({
      run: {
        runId: lane.runId,
        status: failure ? 'failed' : 'succeeded',
        at: this.deps.now(),
        skipped,
        ...(failure ? { error: failure } : {}),
        ...(this.#undoes ? { undone: true } : {}),
      },
      ...this.#lettingGo(failure !== undefined),
    });
    // Somebody gave it up while its last steps were on their way: whoever takes it up again undoes it.
    if (undoes) return { runId: lane.runId, ended: false, wakeInMs: 0 };
    this.deps.crashPoint?.('after-run-ended', planHash);
    return endedReport(lane.runId);
  }

  /** What it holds, others may have when it ends: in the same transaction, or one of them would wait for ever. What it called ends with it when it failed. */
  #lettingGo(failed: boolean): Pick<LedgerWrite, 'also'> {
    const { lane, plan, companyId } = this.work;
    const [locks, calls] = [uses(plan, LOCK), failed && uses(plan, CALL)];
    if (!locks && !calls) return {};
    const run = { companyId, runId: lane.runId };
    const write = async (tx: Transaction): Promise<void> => {
      if (calls) await cancelCalledIn(tx, run, this.deps.now());
      if (locks) await letGoIn(tx, { ...run, now: this.deps.now() });
    };
    return { also: { order: '', write } };
  }

  async #wait(): Promise<LaneReport> {
    const { lane } = this.work;
    const now = this.deps.now();
    const wakeAt = this.#wakeAt;
    // What only a person can move on is parked; what an answer, or its time, moves on by itself waits.
    const status = this.#parked && wakeAt === undefined ? 'parked' : 'waiting';
    await lane.commit({
      run: { runId: lane.runId, status, at: now, ...(this.#stuck ? { error: this.#stuck } : {}) },
    });
    return {
      runId: lane.runId,
      ended: false,
      wakeInMs: wakeAt === undefined ? null : Math.max(0, wakeAt - now.getTime()),
    };
  }
}

export function endedReport(runId: string): LaneReport {
  return { runId, ended: true, wakeInMs: null };
}

const unknownFailure: StepFailure = {
  kind: 'bug',
  code: 'unexpected',
  message: 'A step failed.',
  fix: 'Look at its run.',
};

/** Of a run that does nothing but undo. */
const nothingDone: RegionEnd = {
  skipped: [],
  left: undefined,
  paused: false,
  wakeAt: undefined,
  failure: undefined,
};

/** Whether a step that came through ended a turn, or is a scope in which one did. */
function leaving({ control }: PlanNode, port: string | null): 'next' | 'break' | undefined {
  if (control === 'next' || control === 'break') return control;
  return control === 'scope' && (port === 'next' || port === 'break') ? port : undefined;
}

function valueOf(output: unknown): unknown {
  return (output as { readonly value?: unknown } | undefined)?.value ?? null;
}
