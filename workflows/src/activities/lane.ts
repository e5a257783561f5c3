import { literal, type Store } from '@plumbline/db';
import type { Plan } from '../flow/plan.ts';
import { regionsOf, type Regions } from '../flow/regions.ts';
import type { TestRun } from '../flow/test-run.ts';
import type { StepFailure } from '../step-failure.ts';
import type { ExpressionContext } from './inputs.ts';
import type { Urgency } from './rate-gate.ts';
import type { LedgerReceipt, LedgerWrite, LedgerWriter } from './ledger-writer.ts';

/** What the ledger knows of one step. */
export interface LaneStep {
  readonly status: 'running' | 'succeeded' | 'failed' | 'skipped' | 'waiting' | 'parked';
  readonly attempt: number;
  readonly port: string | null;
  readonly error: StepFailure | null;
  readonly nextAttemptAt: Date | null;
  /** It did its part and waits for its time or for an answer; it is not to be tried again. */
  readonly suspended: boolean;
  /** When its first attempt began. */
  readonly startedAt: Date;
  /** When it came to its outcome. */
  readonly finishedAt: Date | null;
  /** Given by a person, in place of what its mappings give. */
  readonly override: Readonly<Record<string, unknown>> | null;
}

/** Which turn of which loop, or which try of which scope, as the steps inside see it. */
export interface Turn {
  readonly loopId: string;
  readonly index: number;
  /** It is the try of a scope: expressions see nothing of it. */
  readonly isTry?: true;
  readonly count?: number;
  readonly item?: unknown;
  /** What the last turn handed on. */
  readonly value?: unknown;
}

/** Where in the run a step stands: the turns of the loops, and the tries of the scopes, around it, outermost first. */
export interface Scope {
  /** `''` at top level, `3` in the fourth turn of a loop, `3.0` in the first turn of a loop, or at the first try of a scope, in there. */
  readonly iteration: string;
  readonly turns: readonly Turn[];
}

export const topLevel: Scope = { iteration: '', turns: [] };

/** The name of a step within its run. */
export function stepName(nodeId: string, iteration: string): string {
  return iteration === '' ? nodeId : `${nodeId} ${iteration}`;
}

/** One run as it stands, while a worker carries it on. */
export interface Lane {
  readonly runId: string;
  readonly triggerNodeId: string;
  readonly flowId: string;
  /** Whether it has ended, by itself or by someone's hand. */
  readonly ended: boolean;
  /** The record it is about. */
  readonly subject: { readonly entity: string; readonly id: string } | undefined;
  readonly company: { readonly timeZone: string };
  /** How many calls it is away from what happened. */
  readonly depth: number;
  /** Whose turn it is where there is not enough for all. */
  readonly urgency: Urgency;
  /** What it wrote is to be undone before it ends. */
  readonly compensate: boolean;
  /** How a drawing is tried out; absent when it counts. */
  readonly test: TestRun | undefined;
  /** Steps as they were when the run was taken up, by `stepName`; of loops, only turns that were under way. */
  readonly steps: ReadonlyMap<string, LaneStep>;
  /** Outputs of steps that came through, by `stepName`; grows as the run goes on. */
  readonly outputs: Map<string, unknown>;
  /** How many tries scopes have had, by `stepName`: what follows one sees the steps of its last. */
  readonly tries: Map<string, number>;
  /** What expressions see now; of the steps only those named, all with `*`. */
  context(reads: ReadonlySet<string>, scope?: Scope): ExpressionContext;
  /** Writes without waiting. What is written later is committed later, so waiting for that is enough. */
  note(write: LedgerWrite): void;
  /** Writes, and waits until this and everything noted before is committed. */
  commit(write: LedgerWrite): Promise<LedgerReceipt>;
}

/**
 * Takes runs up: those that wait or have not begun are under way from now on, and everything that is known of them is read, all in one exchange. Those that
 * somebody else carries on come back as `held`.
 */
export async function takeUp(given: {
  readonly store: Store;
  readonly companyId: string;
  readonly runIds: readonly string[];
  readonly plan: Pick<Plan, 'params' | 'graph'>;
  readonly ledger: LedgerWriter;
  readonly now: Date;
  /** Leaves alone what somebody has begun. */
  readonly onlyQueued?: boolean;
  /** The name under which they are held, for so long unless it is prolonged. */
  readonly lease: string;
  readonly leaseMs: number;
}): Promise<{ readonly lanes: ReadonlyMap<string, Lane>; readonly held: readonly string[] }> {
  const { store, companyId, runIds, plan, ledger, now, onlyQueued = false, lease, leaseMs } = given;
  const company = literal(companyId);
  const ids = `${literal(`{${runIds.join(',')}}`)}::uuid[]`;
  const regions = regionsOf(plan.graph);
  const hasLoops = regions.top !== plan.graph;
  const columns =
    'run_id, node_id, iteration, status, attempt, port, output, error, next_attempt_at, suspended, started_at, finished_at, override';
  const [, ...answers] = await store.script(companyId, [
    // A crash may lose that it was taken up, and then it is taken up again.
    `select set_config('synchronous_commit', 'off', true)`,
    `select * from take_up(${ids}, ${literal(now.toISOString())}, ${onlyQueued}, ${literal(lease)}, ${Math.trunc(leaseMs)})`,
    ...(hasLoops
      ? [
          // What loops have done is not read again: at top level by name, inside them what is under way. Served by `steps_open_turns`.
          `select ${columns} from steps
            where company_id = ${company} and run_id = any(${ids}) and iteration = ''
              and node_id = any(${literal(`{${regions.top.nodes.map(({ id }) => id).join(',')}}`)}::text[])`,
          `select ${columns} from steps where company_id = ${company} and run_id = any(${ids}) and iteration <> '' and not closed`,
        ]
      : [`select ${columns} from steps where company_id = ${company} and run_id = any(${ids})`]),
  ]);
  const [runs, ...stepRows] = answers as unknown as readonly [RunRow[], ...StepRow[][]];
  const stepsOf = Map.groupBy(stepRows.flat(), (row) => row.run_id);
  const lanes = new Map(
    runs.flatMap((run): [string, Lane][] => {
      if (run.held) return [];
      const own = stepsOf.get(run.id) ?? [];
      const outputs = new Map<string, unknown>(
        // A step whose error is taken care of on a branch of its own gives that branch the error to read.
        own
          .filter(({ status, port }) => status === 'succeeded' || (status === 'failed' && port === 'error'))
          .map((row) => [stepName(row.node_id, row.iteration), row.output]),
      );
      const tries = new Map(
        own
          .filter(({ node_id }) => regions.isScope(node_id))
          .map((row) => [stepName(row.node_id, row.iteration), row.attempt]),
      );
      const contextOf: Lane['context'] = (reads, scope = topLevel) => {
        const turns = scope.turns.filter(({ isTry }) => !isTry);
        const steps: Record<string, unknown> = {};
        for (const nodeId of reads.has('*') ? plan.graph.nodes.map(({ id }) => id) : reads) {
          const iteration = iterationOf(regions, tries, nodeId, scope);
          const name = iteration === undefined ? '' : stepName(nodeId, iteration);
          if (outputs.has(name)) steps[nodeId] = outputs.get(name);
        }
        return {
          trigger: outputs.get(run.trigger_node_id) ?? null,
          steps,
          params: plan.params,
          run: { id: run.id, startedAt: run.queued_at.toISOString() },
          company: { id: companyId, name: run.company_name, timeZone: run.time_zone, currency: run.currency },
          ...(turns.length > 0
            ? {
                loop: turnOf(turns.at(-1)),
                loops: Object.fromEntries(turns.map((turn) => [turn.loopId, turnOf(turn)])),
              }
            : {}),
        };
      };
      const subject =
        run.subject_entity && run.subject_id ? { entity: run.subject_entity, id: run.subject_id } : undefined;
      const lane: Lane = {
        runId: run.id,
        triggerNodeId: run.trigger_node_id,
        flowId: run.flow_id,
        ended: run.finished_at !== null,
        subject,
        company: { timeZone: run.time_zone },
        depth: run.depth,
        urgency: run.urgency,
        compensate: run.compensate,
        test: run.test ?? undefined,
        steps: new Map(own.map((row) => [stepName(row.node_id, row.iteration), toLaneStep(row)])),
        outputs,
        tries,
        ...writing(ledger, companyId, run.id, lease),
        context: contextOf,
      };
      return [[run.id, lane]];
    }),
  );
  return { lanes, held: runs.flatMap(({ id, held }) => (held ? [id] : [])) };
}

/** Where the step stands that another one reads: in the turns around both, and in the last try of scopes that only it stands in. */
function iterationOf(
  regions: Regions,
  tries: ReadonlyMap<string, number>,
  nodeId: string,
  { iteration, turns }: Scope,
): string | undefined {
  const parts = iteration === '' ? [] : iteration.split('.');
  let place = '';
  for (const [depth, containerId] of regions.around(nodeId).entries()) {
    if (turns[depth]?.loopId === containerId) {
      place = parts.slice(0, depth + 1).join('.');
      continue;
    }
    const had = regions.isScope(containerId) ? tries.get(stepName(containerId, place)) : undefined;
    if (had === undefined) return undefined;
    place = inside(place, had - 1);
  }
  return place;
}

/** A turn, or a try, within a place. */
export function inside(iteration: string, index: number): string {
  return iteration === '' ? String(index) : `${iteration}.${index}`;
}

/** The same place in the try before of the innermost scope that is tried again; undefined when none is. */
export function formerTry({ iteration, turns }: Scope): string | undefined {
  const again = turns.findLastIndex(({ isTry, index }) => isTry === true && index > 0);
  if (again < 0) return undefined;
  const parts = iteration.split('.');
  parts[again] = String(Number(parts[again]) - 1);
  return parts.join('.');
}

/** A turn as expressions see it. */
function turnOf(turn: Turn | undefined): Omit<Turn, 'loopId'> {
  const { loopId: _, ...seen } = turn ?? { loopId: '', index: 0 };
  return seen;
}

function writing(ledger: LedgerWriter, companyId: string, runId: string, lease: string): Pick<Lane, 'note' | 'commit'> {
  // Two lanes: while one commit waits for the disk, the other is being made.
  const half = (runId.codePointAt(runId.length - 1) ?? 0) % 2 === 0 ? 'even' : 'odd';
  // That a turn is over says nothing without what its steps came to: what follows a write that was lost is not written.
  const order = { lane: half, chain: {} };
  let noted: Promise<unknown> = Promise.resolve();
  return {
    note: (write) => {
      const written = ledger.submit(companyId, write, order);
      noted = Promise.all([noted, written]).then(() => undefined);
      // Whoever commits next learns of it; until then it is nobody's unhandled rejection.
      noted.catch(() => undefined);
    },
    commit: async ({ run, ...write }) => {
      // Whoever says where the run stands lets it go.
      const written = ledger.submit(companyId, run ? { ...write, run: { ...run, lease } } : write, order);
      const [, receipt] = await Promise.all([noted, written]);
      return receipt;
    },
  };
}

function toLaneStep(row: StepRow): LaneStep {
  return {
    status: row.status,
    attempt: row.attempt,
    port: row.port,
    error: row.error as StepFailure | null,
    nextAttemptAt: row.next_attempt_at,
    suspended: row.suspended,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    override: row.override,
  };
}

interface RunRow {
  readonly id: string;
  readonly flow_id: string;
  readonly trigger_node_id: string;
  readonly queued_at: Date;
  readonly finished_at: Date | null;
  readonly depth: number;
  readonly urgency: Urgency;
  readonly compensate: boolean;
  readonly test: TestRun | null;
  readonly subject_entity: string | null;
  readonly subject_id: string | null;
  /** Somebody else carries it on. */
  readonly held: boolean;
  readonly company_name: string;
  readonly time_zone: string;
  readonly currency: string;
}

interface StepRow {
  readonly run_id: string;
  readonly node_id: string;
  readonly iteration: string;
  readonly status: LaneStep['status'];
  readonly attempt: number;
  readonly port: string | null;
  readonly output: unknown;
  readonly error: unknown;
  readonly next_attempt_at: Date | null;
  readonly suspended: boolean;
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly override: Readonly<Record<string, unknown>> | null;
}
