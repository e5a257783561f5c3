import { Admission } from './admission.ts';
import { carryRun, endedReport } from './carry-run.ts';
import { Breath } from './breath.ts';
import type { AdvanceInput, LaneReport } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import { takeUp, type Lane } from './lane.ts';
import { Leases } from './leases.ts';
import type { LedgerWriter } from './ledger-writer.ts';
import { Neighbours } from './neighbours.ts';
import type { PlanCache } from './plans.ts';
import { createRunStep } from './run-step.ts';

/** After this nothing new is begun: what is left comes with the next call, so that one slow vendor does not hold a whole carrier for long. */
const BUDGET_MS = 4_000;

/** With so many runs of one company a process takes up no more of them: a carrier's worth comes on top. */
const TAKEN_UP = { alone: 30, shared: 30 };
/** So many of them are carried on at once. */
const CARRIED_ON = { alone: 100, shared: 56 };

/** So often it is looked whether a run is free that somebody else carries on. */
const LOOK_MS = 50;

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
  /** Waits while there are more runs of a company here than are taken up; there is nothing to wait for when it is undefined. */
  roomFor(companyId: string): Promise<void> | undefined;
}

export function createCarrying(deps: Dependencies, plans: PlanCache, ledger: LedgerWriter): Carrying {
  const runner = createRunStep(deps);
  const leases = new Leases(deps);
  const breath = new Breath();
  const neighbours = new Neighbours();
  const admission = new Admission(TAKEN_UP, neighbours, breath);
  const places = new Admission(CARRIED_ON, neighbours, breath);
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
    roomFor: (companyId) =>
      admission.isOpen(companyId) ? undefined : admission.enter(companyId, 0).then(() => undefined),
  };

  /** Takes runs up and sets them going; those that somebody else carries on, once they are free. */
  async function start(given: {
    readonly companyId: string;
    readonly planHash: string;
    readonly runIds: readonly string[];
    readonly onlyQueued: boolean;
    readonly deadline?: number;
  }): Promise<Map<string, Promise<LaneReport>>> {
    const { companyId, planHash, runIds, onlyQueued } = given;
    if (runIds.length === 0) return new Map();
    neighbours.came(companyId);
    const plan = await plans.load(companyId, planHash);
    const carry = async (lane: Lane): Promise<LaneReport> => {
      const makeRoom = await places.enter(companyId, 1);
      // What was waited for, at the door or for a place, is not taken from what a run may take.
      const work = { companyId, planHash, plan, lane, deadline: performance.now() + BUDGET_MS };
      return await carryRun(deps, runner, work).finally(makeRoom);
    };
    const leave = await admission.enter(companyId, runIds.length);
    const lease = leases.open(companyId);
    const { lanes, held } = await takeUp({
      ...{ store: deps.store, companyId, runIds, plan, ledger, now: deps.now(), onlyQueued },
      ...{ lease: lease.id, leaseMs: leases.ms },
    }).catch((error: unknown) => {
      runIds.forEach(leave);
      throw error;
    });
    const deadline = given.deadline ?? performance.now() + BUDGET_MS;
    deps.crashPoint?.('after-run-taken-up', planHash);
    for (const runId of runIds) if (!lanes.has(runId) || lanes.get(runId)?.ended) leave();
    const carried = new Map(
      [...lanes].map(([runId, lane]) => [
        runId,
        lane.ended ? Promise.resolve(endedReport(runId)) : lease.during(runId, carry(lane).finally(leave)),
      ]),
    );
    const later = held.length > 0 && !onlyQueued ? startLater({ ...given, runIds: held, deadline }) : undefined;
    if (later)
      for (const runId of held)
        carried.set(
          runId,
          later.then((reports) => reports.get(runId) ?? busy(runId)),
        );
    return carried;
  }

  async function startLater(given: Parameters<typeof start>[0] & { readonly deadline: number }) {
    if (performance.now() > given.deadline) return new Map<string, Promise<LaneReport>>();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    return await start(given);
  }
}

/** Somebody else carries it on, and is not done yet. */
function busy(runId: string): LaneReport {
  return { runId, ended: false, wakeInMs: 0 };
}
