import { json, literal, type Store, type Transaction } from '@plumbline/db';
import { GroupCommit } from '@plumbline/db/group-commit';
import { sql } from 'kysely';
import type { StepFailure } from '../step-failure.ts';
import { RATE_BUDGET } from './rate-gate.ts';

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
  /** Waiting, it is not tried again but goes on. */
  readonly suspended?: boolean;
  /** It was not carried out: what it hands on is pinned, or made up. */
  readonly simulated?: boolean;
}

/** What became of one turn of a loop. */
export interface TurnEnd {
  readonly runId: string;
  /** The loop. */
  readonly nodeId: string;
  /** Turn of the loops around it. */
  readonly parent: string;
  readonly index: number;
  readonly status: 'done' | 'failed';
  readonly value?: unknown;
  readonly error?: StepFailure;
  readonly at: Date;
  /** What stands in the loop. */
  readonly nodes: readonly string[];
}

/** One attempt of a step, as its history keeps it. Times are ISO strings. */
export interface AttemptRecord {
  readonly attempt: number;
  readonly startedAt: string;
  readonly endedAt: string;
  /** Why it did not succeed; absent for the one that did. */
  readonly kind?: string;
  readonly code?: string;
  readonly message?: string;
  /** When the next one was due; absent when a person had to decide. */
  readonly nextAt?: string;
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
  /** Closes a turn of a loop, and with it the steps of that turn: nobody reads them again to carry the run on. */
  readonly turn?: TurnEnd;
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
  return new GroupCommit<LedgerWrite, LedgerReceipt>({
    apply: async (companyId, writes) => {
      const statements = statementsOf(companyId, writes);
      const others = writes.flatMap(({ also }) => (also ? [also] : [])).sort((a, b) => (a.order < b.order ? -1 : 1));
      if (others.length === 0) {
        const rows = await store.script(
          companyId,
          statements.map(({ text }) => text),
        );
        return receiptsOf(
          writes,
          statements.map(({ kind }, index) => [kind, rows[index] ?? []] as const),
        );
      }
      return await store.tenant(companyId, async (tx) => {
        const answers: (readonly [Kind, readonly Row[]])[] = [];
        for (const { kind, text } of statements) answers.push([kind, (await sql.raw<Row>(text).execute(tx)).rows]);
        for (const { write } of others) await write(tx);
        return receiptsOf(writes, answers);
      });
    },
  });
}

type Row = Record<string, unknown>;
type Kind = 'turns' | 'closed' | 'ends' | 'settles' | 'begins' | 'claims' | 'skipped' | 'broken' | 'runs';

interface Statement {
  readonly kind: Kind;
  readonly text: string;
}

/** A statement for all writes of a kind. No statement may touch a row twice, so of several writes to one row the last counts. */
function statementsOf(companyId: string, writes: readonly LedgerWrite[]): Statement[] {
  const company = literal(companyId);
  const allEnds = writes.flatMap(({ end }) => (end ? [end] : []));
  const ends = lastOf(allEnds, nameOf);
  const settles = lastOf(
    writes.flatMap(({ settle }) => (settle ? [settle] : [])),
    ({ key }) => key,
  );
  // An attempt that begins and ends in one batch: its end says all that there is to say.
  const lastEnd = new Map(writes.flatMap(({ end }, index) => (end ? [[nameOf(end), index] as const] : [])));
  const begins = lastOf(
    writes.flatMap(({ begin }, index) => (begin && (lastEnd.get(nameOf(begin)) ?? -1) < index ? [begin] : [])),
    nameOf,
  );
  const claims = writes.flatMap(({ claim }) => (claim ? [claim] : []));
  const runs = lastOf(
    writes.flatMap(({ run }) => (run ? [run] : [])),
    ({ runId }) => runId,
  );
  const turns = lastOf(
    writes.flatMap(({ turn }) => (turn ? [turn] : [])),
    (turn) => nameOf({ ...turn, iteration: `${turn.parent}/${turn.index}` }),
  );
  return [
    ...(ends.length > 0 ? [endStatement(company, ends, failedAttempts(allEnds))] : []),
    ...(settles.length > 0 ? [settleStatement(company, settles)] : []),
    ...(turns.length > 0 ? turnStatements(company, turns) : []),
    ...(begins.length > 0 ? [beginStatement(company, begins)] : []),
    ...(claims.length > 0 ? [claimStatement(company, claims)] : []),
    ...runStatements(company, runs),
  ];
}

function lastOf<T>(items: readonly T[], name: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [name(item), item])).values()];
}

function nameOf({ runId, nodeId, iteration }: StepRef): string {
  return `${runId} ${nodeId} ${iteration}`;
}

function receiptsOf(
  writes: readonly LedgerWrite[],
  answers: readonly (readonly [Kind, readonly Row[]])[],
): LedgerReceipt[] {
  const rowsOf = (kind: Kind): readonly Row[] => answers.find(([found]) => found === kind)?.[1] ?? [];
  const begun = new Set(
    rowsOf('begins').map((row) =>
      nameOf({ runId: String(row['run_id']), nodeId: String(row['node_id']), iteration: String(row['iteration']) }),
    ),
  );
  const claimed = new Set(rowsOf('claims').map((row) => String(row['key'])));
  return writes.map(({ begin, claim }) => ({
    begun: begin !== undefined && begun.has(nameOf(begin)),
    // Two in one batch may ask for the same effect; it is the first one's.
    claimed: claim !== undefined && claimed.delete(claim.key),
  }));
}

/** Rows given as JSON, so that one text carries them all. */
function given(rows: readonly object[], columns: string): string {
  return `jsonb_to_recordset(${literal(json(rows))}::jsonb) as given (${columns})`;
}

/** Attempts that did not succeed, by step: of a batch that closes several of one step, all are kept. */
function failedAttempts(ends: readonly NonNullable<LedgerWrite['end']>[]): ReadonlyMap<string, AttemptRecord[]> {
  const failed = new Map<string, AttemptRecord[]>();
  for (const end of ends) {
    // To wait one's turn is no attempt, and may come up hundreds of times.
    if (!end.error || end.error.code === RATE_BUDGET) continue;
    const { kind, code, message } = end.error;
    const record: AttemptRecord = {
      ...{ attempt: end.attempt, startedAt: end.startedAt.toISOString(), endedAt: end.at.toISOString() },
      ...{ kind, code, message },
      ...(end.nextAttemptAt ? { nextAt: end.nextAttemptAt.toISOString() } : {}),
    };
    failed.set(nameOf(end), [...(failed.get(nameOf(end)) ?? []), record]);
  }
  return failed;
}

function endStatement(
  company: string,
  ends: readonly NonNullable<LedgerWrite['end']>[],
  failed: ReadonlyMap<string, readonly AttemptRecord[]>,
): Statement {
  const rows = ends.map((end) => ({
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
    suspended: end.suspended ?? false,
    simulated: end.simulated ?? false,
    started_at: end.startedAt,
    finished_at: end.status === 'succeeded' || end.status === 'failed' ? end.at : null,
    ...(failed.has(nameOf(end)) ? { attempts: failed.get(nameOf(end)) } : {}),
  }));
  const columns =
    'run_id, node_id, iteration, status, attempt, port, input, output, error, next_attempt_at, suspended, simulated, started_at, finished_at, attempts';
  return {
    kind: 'ends',
    text: `
      insert into steps (company_id, ${columns})
      select ${company}, ${columns} from ${given(
        rows,
        `run_id uuid, node_id text, iteration text, status text, attempt integer, port text, input jsonb, output jsonb, error jsonb,
         next_attempt_at timestamptz, suspended boolean, simulated boolean, started_at timestamptz, finished_at timestamptz, attempts jsonb`,
      )}
      on conflict (company_id, run_id, node_id, iteration) do update set
        status = excluded.status, port = excluded.port, attempt = excluded.attempt,
        input = coalesce(excluded.input, steps.input), output = coalesce(excluded.output, steps.output), error = excluded.error,
        next_attempt_at = excluded.next_attempt_at, suspended = excluded.suspended, simulated = excluded.simulated, finished_at = excluded.finished_at,
        -- The row begins with its first attempt; what is given here is when this one began.
        attempts = case
          when excluded.attempts is not null then coalesce(steps.attempts, '[]') || excluded.attempts
          when steps.attempts is not null and excluded.status = 'succeeded' then steps.attempts || jsonb_build_object(
            'attempt', excluded.attempt, 'startedAt', excluded.started_at, 'endedAt', excluded.finished_at)
          else steps.attempts end`,
  };
}

/** Opens attempts, but only of runs that have not ended. What came to its end while two carried the run on stays ended, or nobody would end it again. */
function beginStatement(company: string, begins: readonly NonNullable<LedgerWrite['begin']>[]): Statement {
  const rows = begins.map(({ runId, nodeId, iteration, attempt, at }) => ({
    run_id: runId,
    node_id: nodeId,
    iteration,
    attempt,
    started_at: at,
  }));
  return {
    kind: 'begins',
    text: `
      insert into steps (company_id, run_id, node_id, iteration, status, attempt, started_at)
      select ${company}, given.run_id, given.node_id, given.iteration, 'running', given.attempt, given.started_at
        from ${given(rows, 'run_id uuid, node_id text, iteration text, attempt integer, started_at timestamptz')}
        join runs on runs.company_id = ${company} and runs.id = given.run_id and runs.finished_at is null
      on conflict (company_id, run_id, node_id, iteration) do update set
        status = case when steps.finished_at is null then 'running' else steps.status end,
        attempt = case when steps.finished_at is null then excluded.attempt else steps.attempt end, next_attempt_at = null
      returning run_id, node_id, iteration`,
  };
}

/** Writes intents where there are none; of runs that have ended none is written. */
function claimStatement(company: string, claims: readonly NonNullable<LedgerWrite['claim']>[]): Statement {
  const rows = claims.map(({ key, runId, nodeId, iteration }) => ({ key, run_id: runId, node_id: nodeId, iteration }));
  return {
    kind: 'claims',
    text: `
      insert into effects (company_id, key, run_id, node_id, iteration, state)
      select ${company}, given.key, given.run_id, given.node_id, given.iteration, 'intent'
        from ${given(rows, 'key text, run_id uuid, node_id text, iteration text')}
        join runs on runs.company_id = ${company} and runs.id = given.run_id and runs.finished_at is null
      on conflict (company_id, key) do nothing
      returning key`,
  };
}

function settleStatement(company: string, settles: readonly NonNullable<LedgerWrite['settle']>[]): Statement {
  return {
    kind: 'settles',
    text: `
      update effects set state = given.state, result = coalesce(given.result, effects.result), updated_at = now()
        from ${given(settles, 'key text, state text, result jsonb')}
       where effects.company_id = ${company} and effects.key = given.key`,
  };
}

function turnStatements(company: string, turns: readonly TurnEnd[]): Statement[] {
  const rows = turns.map(({ runId, nodeId, parent, index, status, value, error, at, nodes }) => ({
    run_id: runId,
    node_id: nodeId,
    parent,
    index,
    iteration: parent === '' ? String(index) : `${parent}.${index}`,
    status,
    ...(value === undefined ? {} : { value }),
    ...(error ? { error } : {}),
    finished_at: at,
    nodes,
  }));
  return [
    {
      kind: 'turns',
      text: `
        update iterations set status = given.status, value = given.value, error = given.error, finished_at = given.finished_at
          from ${given(
            rows,
            'run_id uuid, node_id text, parent text, index integer, status text, value jsonb, error jsonb, finished_at timestamptz',
          )}
         where iterations.company_id = ${company} and iterations.run_id = given.run_id and iterations.node_id = given.node_id
           and iterations.parent = given.parent and iterations.index = given.index`,
    },
    {
      // Served by `steps_open_turns`.
      kind: 'closed',
      text: `
        update steps set closed = true
          from ${given(rows, 'run_id uuid, iteration text, nodes text[]')}
         where steps.company_id = ${company} and steps.run_id = given.run_id and steps.iteration = given.iteration
           and steps.iteration <> '' and not steps.closed and steps.node_id = any(given.nodes)`,
    },
  ];
}

function runStatements(company: string, runs: readonly RunStanding[]): Statement[] {
  if (runs.length === 0) return [];
  const rows = runs.map(({ runId, status, at, error }) => ({
    id: runId,
    status,
    ...(error ? { error } : {}),
    finished_at: status === 'waiting' || status === 'parked' ? null : at,
  }));
  const skipped = runs.flatMap(({ runId, skipped: nodes = [], at }) =>
    nodes.map((nodeId) => ({ run_id: runId, node_id: nodeId, at })),
  );
  const broken = runs.filter(({ status }) => status === 'failed' || status === 'cancelled');
  const statements: Statement[] = [
    {
      kind: 'runs',
      text: `
        update runs set status = given.status, error = given.error, finished_at = given.finished_at
          from ${given(rows, 'id uuid, status text, error jsonb, finished_at timestamptz')}
         where runs.company_id = ${company} and runs.id = given.id and runs.finished_at is null`,
    },
  ];
  if (broken.length > 0)
    statements.unshift({
      kind: 'broken',
      text: `
        update steps set status = 'failed', finished_at = given.at, next_attempt_at = null
          from ${given(
            broken.map(({ runId, at }) => ({ run_id: runId, at })),
            'run_id uuid, at timestamptz',
          )}
         where steps.company_id = ${company} and steps.run_id = given.run_id and steps.status in ('running', 'waiting', 'parked')`,
    });
  if (skipped.length > 0)
    statements.unshift({
      kind: 'skipped',
      text: `
        insert into steps (company_id, run_id, node_id, iteration, status, attempt, started_at, finished_at)
        select ${company}, given.run_id, given.node_id, '', 'skipped', 0, given.at, given.at
          from ${given(skipped, 'run_id uuid, node_id text, at timestamptz')}
        on conflict do nothing`,
    });
  return statements;
}
