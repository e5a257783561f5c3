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
  /** Where its steps stand. */
  readonly iteration: string;
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
  /** What the run was held by; it is free now. */
  readonly lease?: string;
  /** All that it wrote is undone: one that somebody gave up so does not end before. */
  readonly undone?: boolean;
}

/** What one step writes at one moment; all of it is committed together. */
export interface LedgerWrite {
  /** Opens an attempt, unless the run has ended; the receipt says which. */
  readonly begin?: StepRef & { readonly attempt: number; readonly at: Date };
  /** Writes the intent to carry out an effect, unless there is one; the receipt says which. */
  readonly claim?: StepRef & { readonly key: string };
  /** Says what became of an effect. */
  readonly settle?: StepRef & {
    readonly key: string;
    readonly state: 'confirmed' | 'refused' | 'uncertain';
    readonly result?: unknown;
  };
  /** Closes an attempt. */
  readonly end?: StepRef & StepEnd;
  /** Closes a turn of a loop, and with it the steps of that turn: nobody reads them again to carry the run on. */
  readonly turn?: TurnEnd;
  /** Says where the run stands; one that has ended stays as it is, and one that is to be undone is open until it is; the receipt says so. */
  readonly run?: RunStanding;
  /** Whatever else belongs into the same transaction; sorted by `order`, so that two transactions never wait for each other in a circle. */
  readonly also?: { readonly order: string; readonly write: (tx: Transaction) => Promise<void> };
}

export interface LedgerReceipt {
  /** Whether the attempt was opened; false when the run has ended meanwhile. */
  readonly begun: boolean;
  /** Whether the effect is ours to carry out, for the first time. */
  readonly claimed: boolean;
  /** The run did not end: somebody gave it up meanwhile, and what it wrote is to be undone first. */
  readonly undoes: boolean;
}

/** Writes steps and effects of many runs, a transaction for all that are ready at the same time. */
export type LedgerWriter = GroupCommit<LedgerWrite, LedgerReceipt>;

export function createLedgerWriter(store: Store): LedgerWriter {
  return new GroupCommit<LedgerWrite, LedgerReceipt>({
    apply: async (companyId, writes) => {
      const text = `select write_ledger(${literal(json(batchOf(writes)))}::jsonb) as written`;
      const others = writes.flatMap(({ also }) => (also ? [also] : [])).sort((a, b) => (a.order < b.order ? -1 : 1));
      if (others.length === 0) {
        const [[row] = []] = await store.script(companyId, [text]);
        return receiptsOf(writes, row?.['written'] as Written);
      }
      return await store.tenant(companyId, async (tx) => {
        const { rows } = await sql.raw<{ readonly written: Written }>(text).execute(tx);
        for (const { write } of others) await write(tx);
        return receiptsOf(writes, rows[0]?.written);
      });
    },
  });
}

/** What `write_ledger` gives. */
interface Written {
  /** Of the runs that were to begin something, those that have not ended. */
  readonly open: readonly string[] | null;
  /** Effects that are new. */
  readonly claimed: readonly string[] | null;
  /** Runs that did not end because they are to be undone. */
  readonly undoes?: readonly string[] | null;
}

/** A list for each kind of write, as `write_ledger` takes them. No list may name a row twice, so of several writes to one row the last counts. */
function batchOf(writes: readonly LedgerWrite[]): object {
  const allEnds = writes.flatMap(({ end }) => (end ? [end] : []));
  // An attempt that begins and ends in one batch: its end says all that there is to say.
  const lastEnd = new Map(writes.flatMap(({ end }, index) => (end ? [[nameOf(end), index] as const] : [])));
  const begins = lastOf(
    writes.flatMap(({ begin }, index) => (begin && (lastEnd.get(nameOf(begin)) ?? -1) < index ? [begin] : [])),
    nameOf,
  );
  const settles = lastOf(
    writes.flatMap(({ settle }) => (settle ? [settle] : [])),
    ({ key }) => key,
  );
  const turns = lastOf(
    writes.flatMap(({ turn }) => (turn ? [turn] : [])),
    nameOf,
  );
  const runs = lastOf(
    writes.flatMap(({ run }) => (run ? [run] : [])),
    ({ runId }) => runId,
  );
  const lists = {
    ends: endsOf(lastOf(allEnds, nameOf), failedAttempts(allEnds)),
    settles: settles.map(({ key, state, result, ...step }) => ({
      ...rowOf(step),
      key,
      state,
      ...(result === undefined ? {} : { result }),
    })),
    turns: turns.map(turnOf),
    begun: [...new Set(writes.flatMap(({ begin }) => (begin ? [begin.runId] : [])))],
    begins: begins.map(({ attempt, at, ...step }) => ({ ...rowOf(step), attempt, started_at: at })),
    claims: writes.flatMap(({ claim }) => (claim ? [{ ...rowOf(claim), key: claim.key }] : [])),
    skipped: runs.flatMap(({ runId, skipped = [], at }) =>
      skipped.map((nodeId) => ({ run_id: runId, node_id: nodeId, at })),
    ),
    runs: Object.fromEntries(
      runs.map(({ runId, status, at, error, lease, undone }) => [
        runId,
        {
          status,
          ...(error ? { error } : {}),
          ...(lease ? { lease } : {}),
          ...(undone ? { undone } : {}),
          finished_at: status === 'waiting' || status === 'parked' ? null : at,
        },
      ]),
    ),
  };
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => Object.keys(list).length > 0));
}

function lastOf<T>(items: readonly T[], name: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [name(item), item])).values()];
}

function nameOf({ runId, nodeId, iteration }: StepRef): string {
  return `${runId} ${nodeId} ${iteration}`;
}

function rowOf({ runId, nodeId, iteration }: StepRef): object {
  return { run_id: runId, node_id: nodeId, iteration };
}

function receiptsOf(writes: readonly LedgerWrite[], written: Written | undefined): LedgerReceipt[] {
  const open = new Set(written?.open);
  const claimed = new Set(written?.claimed);
  const undoes = new Set(written?.undoes);
  return writes.map(({ begin, claim, run }) => ({
    begun: begin !== undefined && open.has(begin.runId),
    // Two in one batch may ask for the same effect; it is the first one's.
    claimed: claim !== undefined && claimed.delete(claim.key),
    undoes: run !== undefined && undoes.has(run.runId),
  }));
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

function endsOf(
  ends: readonly NonNullable<LedgerWrite['end']>[],
  failed: ReadonlyMap<string, readonly AttemptRecord[]>,
): object[] {
  return ends.map((end) => ({
    ...rowOf(end),
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
}

function turnOf({ runId, nodeId, parent, index, iteration, status, value, error, at, nodes }: TurnEnd): object {
  return {
    run_id: runId,
    node_id: nodeId,
    parent,
    index,
    iteration,
    status,
    ...(value === undefined ? {} : { value }),
    ...(error ? { error } : {}),
    finished_at: at,
    nodes,
  };
}
