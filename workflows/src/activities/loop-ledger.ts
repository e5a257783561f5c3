import { json, type Store, type Transaction } from '@plumbline/db';
import { sql } from 'kysely';
import type { StepFailure } from '../step-failure.ts';
import { StepError } from './classify.ts';
import { giveUpTurns } from './give-up.ts';
import type { Lane, Scope } from './lane.ts';
import type { StepRef } from './ledger-writer.ts';
import { STORED_MAX } from './storable.ts';

/** How a loop goes about its turns. */
export interface LoopSettings {
  /** Turns there are; of a loop that repeats, none is known before. */
  readonly count: number;
  readonly concurrency: number;
  readonly onItemError: 'stop' | 'collect' | 'skip';
  /** Most rounds of a loop that repeats. */
  readonly limit: number;
}

/** A loop in its run: `iteration` is the turn of the loops around it. */
export interface LoopRef extends StepRef {
  readonly companyId: string;
}

/** A turn that is not over. */
export interface PendingTurn {
  readonly index: number;
  readonly item: unknown;
}

/** Most rounds of loops that stand in each other. */
const ROUNDS_TOGETHER = 1_000_000;

/** Errors that are listed; the rest is counted. */
const ERRORS = 1_000;

/**
 * Opens a loop: its attempt, its settings and a row for every turn are written together.
 * @param around turns of the loops around it
 * @returns undefined when the run has ended meanwhile.
 * @throws StepError `loop_limit` when the list is longer than allowed, or loops in each other come to more rounds than a run takes.
 */
export async function openLoop(
  lane: Lane,
  around: Scope['turns'],
  begin: StepRef & { readonly attempt: number; readonly at: Date },
  control: 'each' | 'while',
  input: Readonly<Record<string, unknown>>,
): Promise<LoopSettings | undefined> {
  const turns = control === 'each' ? intoTurns(input) : [];
  const together = around.reduce((product, { count = 1 }) => product * count, turns.length);
  if (together > ROUNDS_TOGETHER)
    throw new StepError({
      kind: 'invalid',
      code: 'loop_limit',
      field: 'items',
      message: `With the loops around it this comes to ${together} rounds, and a run takes at most ${ROUNDS_TOGETHER}.`,
      fix: 'Filter the lists before the loops, or call another flow for each item of the outer one; then retry.',
    });
  const limit = Number(input['limit']);
  const settings: LoopSettings = {
    count: turns.length,
    concurrency: Number(input['concurrency'] ?? 1),
    onItemError: (input['onItemError'] ?? 'stop') as LoopSettings['onItemError'],
    limit,
  };
  const { items: _, ...shown } = input;
  const receipt = await lane.commit({
    begin,
    also: {
      order: '',
      write: async (tx) => {
        await sql`
          update steps set input = ${json({ ...shown, ...settings })}::jsonb
           where company_id = current_company() and run_id = ${begin.runId} and node_id = ${begin.nodeId} and iteration = ${begin.iteration}`.execute(
          tx,
        );
        if (turns.length > 0)
          await sql`
            insert into iterations (company_id, run_id, node_id, parent, index, item)
            select current_company(), ${begin.runId}, ${begin.nodeId}, ${begin.iteration}, number - 1, item
              from jsonb_array_elements(${json(turns)}::jsonb) with ordinality as given (item, number)
             where exists (select from runs where company_id = current_company() and id = ${begin.runId} and finished_at is null)
            on conflict do nothing`.execute(tx);
      },
    },
  });
  return receipt.begun ? settings : undefined;
}

/** The items of a list, one a turn or so many. */
function intoTurns(input: Readonly<Record<string, unknown>>): readonly unknown[] {
  const items = (input['items'] ?? []) as readonly unknown[];
  const size = Number(input['batchSize'] ?? 1);
  const limit = Number(input['limit']);
  if (items.length > limit)
    throw new StepError({
      kind: 'invalid',
      code: 'loop_limit',
      field: 'items',
      message: `The list has ${items.length} items, and this loop takes at most ${limit}.`,
      fix: 'Filter the list before the loop, or raise "Most items" in its settings, up to 100000; then retry.',
    });
  if (size === 1) return items;
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/** What became of the turns of a loop. */
export interface LoopSummary {
  readonly count: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  readonly values: readonly unknown[];
  /** The first of them. */
  readonly errors: readonly { readonly index: number; readonly code: string; readonly message: string }[];
}

/** The turns of loops as the ledger has them. */
export class LoopLedger {
  readonly #store: Store;
  readonly #loop: LoopRef;

  constructor(store: Store, loop: LoopRef) {
    this.#store = store;
    this.#loop = loop;
  }

  /** How a loop that is open goes about it. */
  async settings(): Promise<LoopSettings> {
    const { companyId, runId, nodeId, iteration } = this.#loop;
    const { input } = await this.#store.tenant(companyId, (tx) =>
      tx
        .selectFrom('steps')
        .select('input')
        .where('company_id', '=', companyId)
        .where('run_id', '=', runId)
        .where('node_id', '=', nodeId)
        .where('iteration', '=', iteration)
        .executeTakeFirstOrThrow(),
    );
    return input as unknown as LoopSettings;
  }

  /** Turns that are not over, in their order: those named, or the next ones after `after`. Served by `iterations_pending`. */
  async pending(which: { readonly indexes: readonly number[] } | { readonly after: number; readonly limit: number }) {
    const { companyId } = this.#loop;
    const rows = await this.#store.tenant(companyId, (tx) => {
      const query = this.#rows(tx).select(['index', 'item']).where('status', '=', 'pending').orderBy('index');
      return 'indexes' in which
        ? query.where('index', 'in', which.indexes).execute()
        : query.where('index', '>', which.after).limit(which.limit).execute();
    });
    return rows.map(({ index, item }): PendingTurn => ({ index, item }));
  }

  /** The last turn of a loop that repeats, and what the one before it handed on. */
  async latest(): Promise<{ readonly index: number; readonly pending: boolean; readonly value: unknown } | undefined> {
    const { companyId } = this.#loop;
    const [last, previous] = await this.#store.tenant(companyId, (tx) =>
      this.#rows(tx).select(['index', 'status', 'value']).orderBy('index', 'desc').limit(2).execute(),
    );
    if (!last) return undefined;
    const pending = last.status === 'pending';
    return { index: last.index, pending, value: (pending ? previous?.value : last.value) ?? undefined };
  }

  /** The first turn that failed. */
  async failed(): Promise<{ readonly index: number; readonly error: StepFailure } | undefined> {
    const row = await this.#store.tenant(this.#loop.companyId, (tx) =>
      this.#rows(tx)
        .select(['index', 'error'])
        .where('status', '=', 'failed')
        .orderBy('index')
        .limit(1)
        .executeTakeFirst(),
    );
    return row && { index: row.index, error: row.error as unknown as StepFailure };
  }

  /** Whether one of these steps, which stand right in the loop, left it. */
  async wasLeftAt(nodeIds: readonly string[]): Promise<boolean> {
    const { companyId, runId, iteration } = this.#loop;
    const row = await this.#store.tenant(companyId, (tx) =>
      tx
        .selectFrom('steps')
        .select('node_id')
        .where('company_id', '=', companyId)
        .where('run_id', '=', runId)
        .where('node_id', 'in', nodeIds)
        .where('port', '=', 'break')
        .$if(iteration !== '', (query) => query.where('iteration', 'like', `${iteration}.%`))
        .limit(1)
        .executeTakeFirst(),
    );
    return row !== undefined;
  }

  /** Opens the next turn of a loop that repeats, after everything that is noted of the ones before. */
  async add(lane: Pick<Lane, 'commit'>, index: number): Promise<void> {
    const { companyId, runId, nodeId, iteration } = this.#loop;
    const row = { company_id: companyId, run_id: runId, node_id: nodeId, parent: iteration, index };
    const write = async (tx: Transaction): Promise<void> => {
      await tx
        .insertInto('iterations')
        .values({ ...row, item: null, value: null, error: null, finished_at: null })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    };
    await lane.commit({ also: { order: '', write } });
  }

  /** Turns that will not be done. Where some may be under way, `inside` are the nodes of the loop at any depth, and what waits there is given up. */
  async skipRest(at: Date, inside: readonly string[]): Promise<void> {
    await this.#store.tenant(this.#loop.companyId, (tx) => giveUpTurns(tx, this.#loop, inside, at));
  }

  /** What became of all turns. `values` only when something hands values on. @returns nothing when those are more than can be handed on at once */
  async summary(withValues: boolean): Promise<LoopSummary | undefined> {
    const { companyId } = this.#loop;
    return await this.#store.tenant(companyId, async (tx) => {
      const counts = await this.#rows(tx)
        .select((eb) => [
          'status',
          eb.fn.countAll<string>().as('count'),
          sql<string>`coalesce(sum(length(value::text)), 0)`.as('length'),
        ])
        .groupBy('status')
        .execute();
      const count = (status: string): number => Number(counts.find((row) => row.status === status)?.count ?? 0);
      const [succeeded, failed, skipped] = [count('done'), count('failed'), count('skipped')];
      const length = counts.reduce((sum, row) => sum + (row.status === 'skipped' ? 0 : Number(row.length)), 0);
      if (withValues && length > STORED_MAX) return undefined;
      const values = withValues
        ? await this.#rows(tx).select('value').where('status', '<>', 'skipped').orderBy('index').execute()
        : [];
      const errors =
        failed > 0
          ? await this.#rows(tx)
              .select(['index', 'error'])
              .where('status', '=', 'failed')
              .orderBy('index')
              .limit(ERRORS)
              .execute()
          : [];
      return {
        count: succeeded + failed + skipped,
        succeeded,
        failed,
        skipped,
        values: values.map(({ value }) => value),
        errors: errors.map(({ index, error }) => {
          const { code, message } = error as unknown as StepFailure;
          return { index, code, message };
        }),
      };
    });
  }

  #rows(tx: Transaction) {
    const { companyId, runId, nodeId, iteration } = this.#loop;
    return tx
      .selectFrom('iterations')
      .where('company_id', '=', companyId)
      .where('run_id', '=', runId)
      .where('node_id', '=', nodeId)
      .where('parent', '=', iteration);
  }
}
