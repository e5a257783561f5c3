import { literal, type Store } from '@plumbline/db';
import type { Plan } from '../flow/plan.ts';
import type { StepFailure } from '../step-failure.ts';
import type { ExpressionContext } from './inputs.ts';
import type { LedgerReceipt, LedgerWrite, LedgerWriter } from './ledger-writer.ts';

/** What the ledger knows of one step. */
export interface LaneStep {
  readonly status: 'running' | 'succeeded' | 'failed' | 'skipped' | 'waiting' | 'parked';
  readonly attempt: number;
  readonly port: string | null;
  readonly error: StepFailure | null;
  readonly nextAttemptAt: Date | null;
  /** It did its part and waits for its time; it is not to be tried again. */
  readonly suspended: boolean;
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
  /** Steps by node. */
  readonly steps: ReadonlyMap<string, LaneStep>;
  /** Outputs of steps that came through; grows as the run goes on. */
  readonly outputs: Map<string, unknown>;
  /** What expressions see now; of the steps only those named, all with `*`. */
  context(reads: ReadonlySet<string>): ExpressionContext;
  /** Writes without waiting. What is written later is committed later, so waiting for that is enough. */
  note(write: LedgerWrite): void;
  /** Writes, and waits until this and everything noted before is committed. */
  commit(write: LedgerWrite): Promise<LedgerReceipt>;
}

/**
 * Takes runs up: those that wait or have not begun are under way from now on, and everything that is known of them is read, all in one exchange.
 */
export async function takeUp(given: {
  readonly store: Store;
  readonly companyId: string;
  readonly runIds: readonly string[];
  readonly plan: Pick<Plan, 'params'>;
  readonly ledger: LedgerWriter;
  readonly now: Date;
  /** Leaves alone what somebody has begun. */
  readonly onlyQueued?: boolean;
}): Promise<Map<string, Lane>> {
  const { store, companyId, runIds, plan, ledger, now, onlyQueued = false } = given;
  const company = literal(companyId);
  const ids = `${literal(`{${runIds.join(',')}}`)}::uuid[]`;
  const answers = await store.script(companyId, [
    `update runs set status = 'running', started_at = coalesce(started_at, ${literal(now.toISOString())})
      where company_id = ${company} and id = any(${ids}) and finished_at is null${onlyQueued ? ` and status = 'queued'` : ''}
     returning id`,
    `select name, time_zone, currency from companies where id = ${company}`,
    `select runs.id, runs.flow_id, runs.trigger_node_id, runs.queued_at, runs.finished_at, events.subject_entity, events.subject_id
       from runs left join events on events.company_id = runs.company_id and events.id = runs.event_id
      where runs.company_id = ${company} and runs.id = any(${ids})`,
    `select run_id, node_id, status, attempt, port, output, error, next_attempt_at, suspended from steps
      where company_id = ${company} and run_id = any(${ids})`,
  ]);
  const [taken, companies, all, rows] = answers as unknown as readonly [
    { readonly id: string }[],
    CompanyRow[],
    RunRow[],
    StepRow[],
  ];
  const ours = new Set(taken.map(({ id }) => id));
  const runs = onlyQueued ? all.filter(({ id }) => ours.has(id)) : all;
  const [owner] = companies;
  if (!owner) throw new Error(`There is no company ${companyId}`);
  const stepsOf = Map.groupBy(rows, (row) => row.run_id);
  return new Map(
    runs.map((run): [string, Lane] => {
      const own = stepsOf.get(run.id) ?? [];
      const outputs = new Map<string, unknown>(
        // A step whose error is taken care of on a branch of its own gives that branch the error to read.
        own
          .filter(({ status, port }) => status === 'succeeded' || (status === 'failed' && port === 'error'))
          .map((row) => [row.node_id, row.output]),
      );
      const subject =
        run.subject_entity && run.subject_id ? { entity: run.subject_entity, id: run.subject_id } : undefined;
      return [
        run.id,
        {
          runId: run.id,
          triggerNodeId: run.trigger_node_id,
          flowId: run.flow_id,
          ended: run.finished_at !== null,
          subject,
          steps: new Map(own.map((row) => [row.node_id, toLaneStep(row)])),
          outputs,
          ...writing(ledger, companyId, run.id),
          context: (reads) => ({
            trigger: outputs.get(run.trigger_node_id) ?? null,
            steps: Object.fromEntries([...outputs].filter(([nodeId]) => reads.has('*') || reads.has(nodeId))),
            params: plan.params,
            run: { id: run.id, startedAt: run.queued_at.toISOString() },
            company: { id: companyId, name: owner.name, timeZone: owner.time_zone, currency: owner.currency },
          }),
        },
      ];
    }),
  );
}

function writing(ledger: LedgerWriter, companyId: string, runId: string): Pick<Lane, 'note' | 'commit'> {
  // Two lanes: while one commit waits for the disk, the other is being made.
  const half = (runId.codePointAt(runId.length - 1) ?? 0) % 2 === 0 ? 'even' : 'odd';
  let noted: Promise<unknown> = Promise.resolve();
  return {
    note: (write) => {
      const written = ledger.submit(companyId, write, half);
      noted = Promise.all([noted, written]);
      // Whoever commits next learns of it; until then it is nobody's unhandled rejection.
      noted.catch(() => undefined);
    },
    commit: async (write) => {
      const [, receipt] = await Promise.all([noted, ledger.submit(companyId, write, half)]);
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
  };
}

interface CompanyRow {
  readonly name: string;
  readonly time_zone: string;
  readonly currency: string;
}

interface RunRow {
  readonly id: string;
  readonly flow_id: string;
  readonly trigger_node_id: string;
  readonly queued_at: Date;
  readonly finished_at: Date | null;
  readonly subject_entity: string | null;
  readonly subject_id: string | null;
}

interface StepRow {
  readonly run_id: string;
  readonly node_id: string;
  readonly status: LaneStep['status'];
  readonly attempt: number;
  readonly port: string | null;
  readonly output: unknown;
  readonly error: unknown;
  readonly next_attempt_at: Date | null;
  readonly suspended: boolean;
}
