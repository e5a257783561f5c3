import { isUuid, type Transaction } from '@plumbline/db';
import { sql } from 'kysely';
import type { RunStatus } from '../contract/index.ts';

/** What a list of runs is narrowed by. */
export interface RunFilter {
  readonly companyId: string;
  readonly flowId?: string;
  readonly version?: number;
  /** Runs that this event started. */
  readonly eventId?: string;
  /** `open`: not ended. */
  readonly status?: RunStatus | 'open';
  /** Queued at this time or later, and before that one. */
  readonly since?: Date;
  readonly until?: Date;
  /** Code of the error it failed with or waits with. */
  readonly code?: string;
  /** Any id, number or name that passed through; also a run's own id, and a flow's name. Several words must all be found. */
  readonly q?: string;
  /** A record of the company that it is about. */
  readonly recordId?: string;
  readonly cursor?: string;
  readonly limit?: number;
}

export interface FoundRun {
  readonly id: string;
  /** When it was queued, to the microsecond. */
  readonly at: string;
}

type Query = ReturnType<typeof base>;
type Narrowing = (query: Query) => Query;

const DEFAULT_LIMIT = 50;
const MOST_WORDS = 5;

export function pageSize({ limit }: RunFilter): number {
  return Math.min(limit ?? DEFAULT_LIMIT, 200);
}

/**
 * The newest runs that match, one more than a page when there are more. Where something may be found in several ways, each way is a query of its own that
 * its index serves, and what they find is put together: one query with `or` would read all runs.
 */
export async function findRuns(tx: Transaction, filter: RunFilter): Promise<readonly FoundRun[]> {
  const wanted = pageSize(filter) + 1;
  const found = new Map<string, FoundRun>();
  for (const byCode of codeWays(filter))
    for (const byText of await textWays(tx, filter)) {
      const rows = await byText(byCode(narrow(base(tx, filter.companyId), filter)))
        .orderBy('runs.queued_at', 'desc')
        .orderBy('runs.id', 'desc')
        .limit(wanted)
        .execute();
      for (const row of rows) found.set(row.id, row);
    }
  return [...found.values()]
    .sort((a, b) => (a.at === b.at ? (a.id < b.id ? 1 : -1) : a.at < b.at ? 1 : -1))
    .slice(0, wanted);
}

/** Where the next page begins. */
export function cursorAfter({ id, at }: FoundRun): string {
  return Buffer.from(`${at}|${id}`).toString('base64url');
}

function base(tx: Transaction, companyId: string) {
  return (
    tx
      .selectFrom('runs')
      // In UTC and of one length, so that texts sort as times do.
      .select([
        'runs.id',
        sql<string>`to_char(runs.queued_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`.as('at'),
      ])
      .where('runs.company_id', '=', companyId)
      // Those that only try a drawing out are seen from its editor.
      .where('runs.test', 'is', null)
  );
}

function narrow(query: Query, filter: RunFilter): Query {
  const { flowId, version, eventId, status, since, until, recordId, cursor } = filter;
  let q = query;
  if (flowId) q = q.where('runs.flow_id', '=', flowId);
  if (version) q = q.where('runs.flow_version', '=', version);
  if (eventId) q = q.where('runs.event_id', '=', eventId);
  if (status === 'open') q = q.where('runs.finished_at', 'is', null);
  else if (status) q = q.where('runs.status', '=', status);
  if (since) q = q.where('runs.queued_at', '>=', since);
  if (until) q = q.where('runs.queued_at', '<', until);
  if (recordId)
    q = q.where('runs.event_id', 'in', (eb) =>
      eb
        .selectFrom('events')
        .select('events.id')
        .where('events.company_id', '=', filter.companyId)
        .where('events.subject_id', '=', recordId),
    );
  const [at, id] = cursor ? Buffer.from(cursor, 'base64url').toString().split('|') : [];
  if (at && id)
    q = q.where((eb) => eb(eb.refTuple('runs.queued_at', 'runs.id'), '<', eb.tuple(at as unknown as Date, id)));
  return q;
}

/** Failed with it (`runs_failed`), or open with a step that waits with it (`runs_open`). */
function codeWays({ companyId, code }: RunFilter): readonly Narrowing[] {
  if (!code) return [(query) => query];
  return [
    (query) => query.where('runs.status', '=', 'failed').where('runs.error_code', '=', code),
    (query) =>
      query.where('runs.finished_at', 'is', null).where((eb) =>
        eb.exists(
          eb
            .selectFrom('steps')
            .select(sql`1`.as('one'))
            .where('steps.company_id', '=', companyId)
            .whereRef('steps.run_id', '=', 'runs.id')
            .where('steps.status', 'in', ['parked', 'waiting'])
            .where(sql`steps.error ->> 'code'`, '=', code),
        ),
      ),
  ];
}

/** By what passed through (`run_references_by_value`), by the event's id, by the run's id or the beginning of it (the primary key), by the flow's name (`runs_by_flow`). */
async function textWays(tx: Transaction, { companyId, q }: RunFilter): Promise<readonly Narrowing[]> {
  const text = q?.trim().toLowerCase() ?? '';
  if (text === '') return [(query) => query];
  const words = text.split(/\s+/).slice(0, MOST_WORDS);
  const ways: Narrowing[] = [
    (query) =>
      words.reduce(
        (narrowed, word) =>
          narrowed.where('runs.id', 'in', (eb) =>
            eb
              .selectFrom('run_references')
              .select('run_references.run_id')
              .where('run_references.company_id', '=', companyId)
              .where('run_references.value', '>=', word)
              .where('run_references.value', '<', after(word)),
          ),
        query,
      ),
  ];
  // The event that started it; served by `runs_once_per_event`.
  if (isUuid(text)) ways.push((query) => query.where('runs.event_id', '=', text).where('runs.rerun_of', 'is', null));
  const [low, high] = idRange(text) ?? [];
  if (low && high) ways.push((query) => query.where('runs.id', '>=', low).where('runs.id', '<=', high));
  const flows = await tx
    .selectFrom('flows')
    .select('id')
    .where('company_id', '=', companyId)
    .where('name', 'ilike', `%${text.replace(/[\\%_]/g, '\\$&')}%`)
    .limit(50)
    .execute();
  if (flows.length > 0)
    ways.push((query) =>
      query.where(
        'runs.flow_id',
        'in',
        flows.map(({ id }) => id),
      ),
    );
  return ways;
}

/** The first text in byte order that does not begin with the word. */
function after(word: string): string {
  return `${word}\u{10ffff}`;
}

/** Ids that begin with what is given: eight digits or more, as pages show them. */
function idRange(text: string): readonly [string, string] | undefined {
  if (!/^[0-9a-f]{8}(-[0-9a-f-]{0,27})?$/.test(text)) return undefined;
  const shape = 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx';
  const filled = (digit: string): string => text + shape.slice(text.length).replaceAll('x', digit);
  const [low, high] = [filled('0'), filled('f')];
  return [low, high].every((id) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) ? [low, high] : undefined;
}
