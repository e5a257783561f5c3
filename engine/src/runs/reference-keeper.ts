import { json, type Store } from '@plumbline/db';
import { sql } from 'kysely';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { mask } from './mask.ts';
import { referencesIn } from './references.ts';

const BATCH = 200;
const EVERY_MS = 2_000;

/**
 * Notes what each run can be found by, a moment behind the runs: nothing of it is on their way. Two processes may do it side by side; a run is read when
 * it has ended, and before that when it takes longer than moments, and each time when it is parked, or waits longer than that.
 */
export class ReferenceKeeper {
  readonly #options: { readonly store: Store; readonly people: Pool; readonly log: Logger };
  readonly #timer: NodeJS.Timeout;
  #working: Promise<void> | undefined;
  #closed = false;

  constructor(options: { readonly store: Store; readonly people: Pool; readonly log: Logger }) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#working ??= this.work().finally(() => (this.#working = undefined));
    }, EVERY_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#working;
  }

  /** Gathers until nothing is left; never throws. */
  async work(): Promise<void> {
    const { people, store, log } = this.#options;
    try {
      const { rows } = await people.query<{ id: string }>('select id from organizations');
      for (const { id } of rows) while (!this.#closed && (await gatherReferences(store, id)) === BATCH);
    } catch (error) {
      log.warn({ err: error }, 'what runs can be found by could not be noted; it is again in a moment');
    }
  }
}

/**
 * Reads one batch of a company's runs. Served by `runs_unreferenced`.
 * @returns how many there were
 */
export async function gatherReferences(store: Store, companyId: string): Promise<number> {
  const rows = await store.tenant(companyId, async (tx) => {
    const { rows } = await sql<{
      id: string;
      queued_at: Date;
      stage: number;
      seen: string;
      data: unknown;
      steps: { readonly outputs: unknown[] | null; readonly inputs: unknown[] | null } | null;
    }>`
      select runs.id, runs.queued_at, runs.xmin::text as seen, events.data,
             case when runs.finished_at is not null then 3 when runs.status in ('parked', 'waiting') then 2 else 1 end as stage,
             case when runs.finished_at is null and runs.status not in ('parked', 'waiting') then null else (
               select jsonb_build_object('outputs', jsonb_agg(passed) filter (where status = 'succeeded'),
                                         'inputs', jsonb_agg(passed) filter (where status <> 'succeeded'))
                 from (
                   select steps.status, given.passed
                     from steps cross join lateral (select case when steps.status = 'succeeded' then steps.output else steps.input end) given (passed)
                    where steps.company_id = runs.company_id and steps.run_id = runs.id and steps.status in ('succeeded', 'parked', 'failed')
                      and steps.node_id <> runs.trigger_node_id and pg_column_size(given.passed) < 65536
                    -- What stands outside loops before their hundreds of turns.
                    order by (steps.iteration = '') desc, steps.started_at limit 200) listed) end as steps
        from runs left join events on events.company_id = runs.company_id and events.id = runs.event_id
       where runs.company_id = ${companyId} and runs.referenced < 3
         and (runs.finished_at is not null or (runs.referenced < 2 and runs.status = 'parked')
              or (runs.queued_at < now() - interval '5 seconds'
                  and (runs.referenced = 0 or (runs.referenced < 2 and runs.status = 'waiting'))))
       order by runs.queued_at limit ${BATCH}`.execute(tx);
    return rows;
  });
  if (rows.length === 0) return 0;
  const found = rows.flatMap(({ id, queued_at, data, steps }) =>
    // What a step was given may hold secrets under no name of their own, as headers do.
    referencesIn(data, ...(steps?.outputs ?? []), ...mask(steps?.inputs ?? [])).map((value) => ({
      run_id: id,
      value,
      at: queued_at,
    })),
  );
  // A short transaction of its own: the ledger must never wait for this.
  await store.tenant(companyId, async (tx) => {
    await sql`
      insert into run_references (company_id, run_id, value, at)
      select ${companyId}, run_id, value, at from jsonb_to_recordset(${json(found)}::jsonb) as given (run_id uuid, value text, at timestamptz)
      on conflict do nothing`.execute(tx);
    await sql`
      update runs set referenced = given.stage
        from jsonb_to_recordset(${json(rows.map(({ id, stage, seen }) => ({ id, stage, seen })))}::jsonb) as given (id uuid, stage smallint, seen text)
       where runs.company_id = ${companyId} and runs.id = given.id and runs.referenced < given.stage
         -- One that went on while it was read may wait anew by now, with more to be found by: it is read again.
         and (given.stage <> 2 or runs.xmin::text = given.seen)`.execute(tx);
  });
  return rows.length;
}
