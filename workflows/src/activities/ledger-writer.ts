import { json, type Store, type Transaction } from '@plumbline/db';
import { GroupCommit } from '@plumbline/db/group-commit';
import { sql } from 'kysely';
import type { StepFailure } from '../step-failure.ts';

/** One step of one run. */
export interface StepRef {
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
}

export interface StepEnd {
  readonly status: 'succeeded' | 'failed' | 'waiting' | 'parked';
  readonly attempt: number;
  readonly startedAt: Date;
  readonly at: Date;
  readonly port?: string;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly error?: StepFailure;
  readonly nextAttemptAt?: Date;
}

/** Where a run stands, when it ended or cannot go on by itself. */
export interface RunStanding {
  readonly runId: string;
  readonly status: 'waiting' | 'parked' | 'succeeded' | 'failed' | 'cancelled';
  readonly at: Date;
  /** Nodes that no taken edge led to. */
  readonly skipped?: readonly string[];
  readonly error?: StepFailure;
}

/** What one step writes at one moment; all of it is committed together. */
export interface LedgerWrite {
  /** Opens an attempt, unless the run has ended; the receipt says which. */
  readonly begin?: StepRef & { readonly attempt: number; readonly at: Date };
  /** Writes the intent to carry out an effect, unless there is one; the receipt says which. */
  readonly claim?: StepRef & { readonly key: string };
  /** Says what became of an effect. */
  readonly settle?: {
    readonly key: string;
    readonly state: 'confirmed' | 'refused' | 'uncertain';
    readonly result?: unknown;
  };
  /** Closes an attempt. */
  readonly end?: StepRef & StepEnd;
  /** Says where the run stands; one that has ended stays as it is. */
  readonly run?: RunStanding;
  /** Whatever else belongs into the same transaction; sorted by `order`, so that two transactions never wait for each other in a circle. */
  readonly also?: { readonly order: string; readonly write: (tx: Transaction) => Promise<void> };
}

export interface LedgerReceipt {
  /** Whether the attempt was opened; false when the run has ended meanwhile. */
  readonly begun: boolean;
  /** Whether the effect is ours to carry out, for the first time. */
  readonly claimed: boolean;
}

/** Writes steps and effects of many runs, a transaction for all that are ready at the same time. */
export type LedgerWriter = GroupCommit<LedgerWrite, LedgerReceipt>;

export function createLedgerWriter(store: Store): LedgerWriter {
  return new GroupCommit<LedgerWrite, LedgerReceipt>({ store, apply: writeAll });
}

async function writeAll(
  tx: Transaction,
  companyId: string,
  writes: readonly LedgerWrite[],
): Promise<readonly LedgerReceipt[]> {
  const ends = writes.flatMap(({ end }) => (end ? [end] : []));
  if (ends.length > 0) await writeEnds(tx, companyId, ends);
  const settles = writes.flatMap(({ settle }) => (settle ? [settle] : []));
  if (settles.length > 0) await writeSettles(tx, companyId, settles);
  const begins = writes.flatMap(({ begin }) => (begin ? [begin] : []));
  const begun = begins.length > 0 ? await writeBegins(tx, companyId, begins) : new Set<string>();
  const claims = writes.flatMap(({ begin, claim }) => (claim && (!begin || begun.has(nameOf(begin))) ? [claim] : []));
  const claimed = claims.length > 0 ? await writeClaims(tx, companyId, claims) : new Set<string>();
  const runs = writes.flatMap(({ run }) => (run ? [run] : []));
  if (runs.length > 0) await writeRuns(tx, companyId, runs);
  const others = writes.flatMap(({ also }) => (also ? [also] : [])).sort((a, b) => (a.order < b.order ? -1 : 1));
  for (const { write } of others) await write(tx);
  return writes.map(({ begin, claim }) => ({
    begun: begin !== undefined && begun.has(nameOf(begin)),
    claimed: claim !== undefined && claimed.has(claim.key),
  }));
}

function nameOf({ runId, nodeId, iteration }: StepRef): string {
  return `${runId} ${nodeId} ${iteration}`;
}

type EndWrite = NonNullable<LedgerWrite['end']>;

/** One statement for all; served by the primary key. The last write of a step counts: no statement may touch a row twice. */
async function writeEnds(tx: Transaction, companyId: string, ends: readonly EndWrite[]): Promise<void> {
  const last = new Map(ends.map((end) => [nameOf(end), end]));
  const rows = [...last.values()].map((end) => ({
    run_id: end.runId,
    node_id: end.nodeId,
    iteration: end.iteration,
    status: end.status,
    attempt: end.attempt,
    port: end.port ?? null,
    ...(end.input === undefined ? {} : { input: end.input }),
    ...(end.output === undefined ? {} : { output: end.output }),
    ...(end.error === undefined ? {} : { error: end.error }),
    next_attempt_at: end.nextAttemptAt ?? null,
    started_at: end.startedAt,
    finished_at: end.status === 'succeeded' || end.status === 'failed' ? end.at : null,
  }));
  await sql`
    insert into steps (company_id, run_id, node_id, iteration, status, attempt, port, input, output, error, next_attempt_at, started_at, finished_at)
    select ${companyId}::uuid, run_id, node_id, iteration, status, attempt, port, input, output, error, next_attempt_at, started_at, finished_at
      from jsonb_to_recordset(${json(rows)}::jsonb) as given (
        run_id uuid, node_id text, iteration text, status text, attempt integer, port text, input jsonb, output jsonb, error jsonb,
        next_attempt_at timestamptz, started_at timestamptz, finished_at timestamptz)
    on conflict (company_id, run_id, node_id, iteration) do update set
      status = excluded.status, port = excluded.port, attempt = excluded.attempt,
      input = coalesce(excluded.input, steps.input), output = coalesce(excluded.output, steps.output), error = excluded.error,
      next_attempt_at = excluded.next_attempt_at, finished_at = excluded.finished_at`.execute(tx);
}

/** Opens attempts of runs that have not ended. */
async function writeBegins(
  tx: Transaction,
  companyId: string,
  begins: readonly NonNullable<LedgerWrite['begin']>[],
): Promise<ReadonlySet<string>> {
  const last = new Map(begins.map((begin) => [nameOf(begin), begin]));
  const rows = [...last.values()].map(({ runId, nodeId, iteration, attempt, at }) => ({
    run_id: runId,
    node_id: nodeId,
    iteration,
    attempt,
    started_at: at,
  }));
  const { rows: opened } = await sql<{ run_id: string; node_id: string; iteration: string }>`
    insert into steps (company_id, run_id, node_id, iteration, status, attempt, started_at)
    select ${companyId}::uuid, given.run_id, given.node_id, given.iteration, 'running', given.attempt, given.started_at
      from jsonb_to_recordset(${json(rows)}::jsonb) as given (run_id uuid, node_id text, iteration text, attempt integer, started_at timestamptz)
      join runs on runs.company_id = ${companyId}::uuid and runs.id = given.run_id and runs.finished_at is null
    on conflict (company_id, run_id, node_id, iteration) do update set
      status = 'running', attempt = excluded.attempt, next_attempt_at = null, finished_at = null
    returning run_id, node_id, iteration`.execute(tx);
  return new Set(opened.map((row) => nameOf({ runId: row.run_id, nodeId: row.node_id, iteration: row.iteration })));
}

async function writeClaims(
  tx: Transaction,
  companyId: string,
  claims: readonly NonNullable<LedgerWrite['claim']>[],
): Promise<ReadonlySet<string>> {
  const rows = await tx
    .insertInto('effects')
    .values(
      claims.map(({ key, runId, nodeId, iteration }) => ({
        company_id: companyId,
        key,
        run_id: runId,
        node_id: nodeId,
        iteration,
        state: 'intent' as const,
        result: null,
      })),
    )
    .onConflict((conflict) => conflict.columns(['company_id', 'key']).doNothing())
    .returning('key')
    .execute();
  return new Set(rows.map(({ key }) => key));
}

async function writeSettles(
  tx: Transaction,
  companyId: string,
  settles: readonly NonNullable<LedgerWrite['settle']>[],
): Promise<void> {
  const last = new Map(settles.map((settle) => [settle.key, settle]));
  await sql`
    update effects set state = given.state, result = coalesce(given.result, effects.result), updated_at = now()
      from jsonb_to_recordset(${json([...last.values()])}::jsonb) as given (key text, state text, result jsonb)
     where effects.company_id = ${companyId}::uuid and effects.key = given.key`.execute(tx);
}

async function writeRuns(tx: Transaction, companyId: string, standings: readonly RunStanding[]): Promise<void> {
  const runs = [...new Map(standings.map((run) => [run.runId, run])).values()];
  const skipped = runs.flatMap(({ runId, skipped: nodes = [], at }) =>
    nodes.map((nodeId) => ({
      company_id: companyId,
      run_id: runId,
      node_id: nodeId,
      iteration: '',
      status: 'skipped' as const,
      attempt: 0,
      port: null,
      input: null,
      output: null,
      error: null,
      next_attempt_at: null,
      started_at: at,
      finished_at: at,
    })),
  );
  if (skipped.length > 0)
    await tx
      .insertInto('steps')
      .values(skipped)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  const broken = runs.filter(({ status }) => status === 'failed' || status === 'cancelled');
  if (broken.length > 0)
    await tx
      .updateTable('steps')
      .set({ status: 'failed', finished_at: broken[0]?.at ?? null, next_attempt_at: null })
      .where('company_id', '=', companyId)
      .where(
        'run_id',
        'in',
        broken.map(({ runId }) => runId),
      )
      .where('status', 'in', ['running', 'waiting', 'parked'])
      .execute();
  const rows = runs.map(({ runId, status, at, error }) => ({
    id: runId,
    status,
    ...(error ? { error } : {}),
    finished_at: status === 'waiting' || status === 'parked' ? null : at,
  }));
  await sql`
    update runs set status = given.status, error = given.error, finished_at = given.finished_at
      from jsonb_to_recordset(${json(rows)}::jsonb) as given (id uuid, status text, error jsonb, finished_at timestamptz)
     where runs.company_id = ${companyId}::uuid and runs.id = given.id and runs.finished_at is null`.execute(tx);
}
