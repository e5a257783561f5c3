import { interpret, type NodeEnd } from '../flow/interpret.ts';
import type { Plan, PlanNode } from '../flow/plan.ts';
import type { StepFailure } from '../step-failure.ts';
import type { AdvanceInput, LaneReport } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import { takeUp, type Lane } from './lane.ts';
import type { LedgerWriter } from './ledger-writer.ts';
import type { PlanCache } from './plans.ts';
import { createRunStep } from './run-step.ts';

/** After this nothing new is begun: what is left comes with the next call, so that one slow vendor does not hold a whole carrier for long. */
const BUDGET_MS = 4_000;

export interface Carrying {
  /**
   * Carries runs of one plan on, side by side, as far as they go without waiting: through every step whose turn it is, until they end, wait for a
   * time, or wait for a person. Where each stands is in the ledger and nowhere else, so it may be called again at any time, by any worker, after
   * any crash.
   */
  advance(input: AdvanceInput): Promise<readonly LaneReport[]>;
  /**
   * Carries runs on that nobody has begun, ahead of their carrier: Temporal takes some twenty milliseconds to hand over a new workflow, and an idle
   * system need not wait for it. The carrier comes all the same, finds what is done, and takes over whatever is left.
   */
  advanceQueued(input: AdvanceInput): Promise<void>;
}

export function createCarrying(deps: Dependencies, plans: PlanCache, ledger: LedgerWriter): Carrying {
  const runStep = createRunStep(deps);
  /** Runs this process carries on ahead of their carriers. */
  const ahead = new Map<string, Promise<LaneReport>>();

  return {
    advance: async ({ companyId, planHash, runIds, first }) => {
      // Only the carrier's first call may join: a later one follows a decision that whoever went ahead has not seen.
      const joined = new Map(
        first ? runIds.flatMap((id) => (ahead.has(id) ? [[id, ahead.get(id)] as const] : [])) : [],
      );
      const others = runIds.filter((id) => !joined.has(id));
      const carried = await start({ companyId, planHash, runIds: others, onlyQueued: false });
      return await Promise.all(
        runIds.map(async (runId) => {
          // Whoever went ahead and failed leaves the run to us.
          const report = await joined.get(runId)?.catch(() => undefined);
          const own = report ?? (await carried.get(runId));
          if (own) return own;
          const again = await start({ companyId, planHash, runIds: [runId], onlyQueued: false });
          const last = await again.get(runId);
          if (!last) throw new Error(`Company ${companyId} has no run ${runId}`);
          return last;
        }),
      );
    },
    advanceQueued: async ({ companyId, planHash, runIds }) => {
      const carried = await start({ companyId, planHash, runIds, onlyQueued: true });
      for (const [runId, report] of carried) {
        ahead.set(runId, report);
        report.catch(() => undefined).finally(() => ahead.delete(runId));
      }
      await Promise.allSettled(carried.values());
    },
  };

  /** Takes runs up and sets them going. */
  async function start(given: {
    readonly companyId: string;
    readonly planHash: string;
    readonly runIds: readonly string[];
    readonly onlyQueued: boolean;
  }): Promise<Map<string, Promise<LaneReport>>> {
    const { companyId, planHash, runIds, onlyQueued } = given;
    if (runIds.length === 0) return new Map();
    const plan = await plans.load(companyId, planHash);
    const lanes = await takeUp({ store: deps.store, companyId, runIds, plan, ledger, now: deps.now(), onlyQueued });
    deps.crashPoint?.('after-run-taken-up', planHash);
    const deadline = performance.now() + BUDGET_MS;
    return new Map(
      [...lanes].map(([runId, lane]) => [
        runId,
        lane.ended ? Promise.resolve(ended(runId)) : carry({ companyId, planHash, plan, lane, deadline }),
      ]),
    );
  }

  async function carry(work: {
    readonly companyId: string;
    readonly planHash: string;
    readonly plan: Plan;
    readonly lane: Lane;
    readonly deadline: number;
  }): Promise<LaneReport> {
    const { companyId, plan, lane, deadline } = work;
    const { runId } = lane;
    const parked: string[] = [];
    let wakeAt: number | undefined;
    let gone = false;
    let failure: StepFailure | undefined;
    /** Why a person is waited for. */
    let stuck: StepFailure | undefined;

    const waitUntil = (time: number): NodeEnd => {
      wakeAt = Math.min(wakeAt ?? Infinity, time);
      return { kind: 'pause' };
    };
    const fail = (node: PlanNode, reason: StepFailure | null): NodeEnd => {
      if (node.onError === 'port') return { kind: 'port', port: 'error' };
      failure ??= reason ?? { kind: 'bug', code: 'unexpected', message: 'A step failed.', fix: 'Look at its run.' };
      return { kind: 'stop' };
    };
    const park = (node: PlanNode, reason: StepFailure | null): NodeEnd => {
      parked.push(node.id);
      stuck ??= reason ?? undefined;
      return { kind: 'pause' };
    };

    const execute = async (node: PlanNode): Promise<NodeEnd> => {
      const known = lane.steps.get(node.id);
      if (known?.status === 'succeeded') return { kind: 'port', port: known.port ?? 'out' };
      if (known?.status === 'failed') return fail(node, known.error);
      if (known?.status === 'parked') return park(node, known.error);
      const due = known?.nextAttemptAt?.getTime() ?? 0;
      const now = deps.now().getTime();
      if (due > now) return waitUntil(due);
      if (performance.now() > deadline) return waitUntil(now);
      // An attempt that a dead worker began is the same attempt, not another.
      const attempt =
        known?.status === 'waiting' && !known.suspended ? known.attempt + 1 : Math.max(known?.attempt ?? 1, 1);
      const step = plan.steps[node.id];
      if (!step) throw new Error(`Plan ${work.planHash} has no step ${node.id}`);
      const outcome = await runStep(
        {
          companyId,
          runId,
          nodeId: node.id,
          iteration: '',
          attempt,
          maxAttempts: node.retry.attempts,
          onError: node.onError,
          initialSeconds: node.retry.initialSeconds,
        },
        step,
        lane,
      );
      if (outcome.kind === 'done') return { kind: 'port', port: outcome.port };
      if (outcome.kind === 'retry') return waitUntil(deps.now().getTime() + outcome.afterMs);
      if (outcome.kind === 'parked') return park(node, outcome.failure);
      if (outcome.kind === 'failed') return fail(node, outcome.failure);
      gone = true;
      return { kind: 'pause' };
    };

    const { skipped, paused } = await interpret(plan.graph, lane.triggerNodeId, execute);
    if (gone) return ended(runId);
    const now = deps.now();
    if (failure || !paused) {
      deps.crashPoint?.('before-run-ended', work.planHash);
      await lane.commit({
        run: {
          runId,
          status: failure ? 'failed' : 'succeeded',
          at: now,
          skipped,
          ...(failure ? { error: failure } : {}),
        },
      });
      deps.crashPoint?.('after-run-ended', work.planHash);
      return ended(runId);
    }
    const status = wakeAt === undefined ? 'parked' : 'waiting';
    await lane.commit({ run: { runId, status, at: now, ...(stuck ? { error: stuck } : {}) } });
    return {
      runId,
      ended: false,
      wakeInMs: wakeAt === undefined ? null : Math.max(0, wakeAt - now.getTime()),
      parked,
    };
  }
}

function ended(runId: string): LaneReport {
  return { runId, ended: true, wakeInMs: null, parked: [] };
}
