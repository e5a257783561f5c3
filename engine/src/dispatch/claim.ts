import { randomUUID } from 'node:crypto';
import { json, literal, type Store } from '@plumbline/db';
import type { CrashPoint, CrashPointReached } from '@plumbline/workflows/crash-points';
import type { Evaluator } from '@plumbline/workflows/evaluate/pool';
import { QUEUED_CHANNEL, type QueuedNotice } from '@plumbline/workflows/go-ahead';

/** A run that waits for Temporal. */
export interface QueuedRun {
  readonly companyId: string;
  readonly runId: string;
  readonly carrierId: string;
  readonly planHash: string;
}

export interface ClaimOptions {
  readonly store: Store;
  readonly evaluator: Evaluator;
  readonly companyId: string;
  /** Most events taken at once by their turn; a fifth as many that wait longest come on top. */
  readonly limit: number;
  /** Most runs that one carrier gets. */
  readonly runsPerCarrier: number;
  readonly now: Date;
  readonly crashPoint?: CrashPointReached;
}

/** So many runs at once may be carried on ahead of their carriers. */
const AHEAD_RUNS = 4;

/**
 * Takes pending events of one company and writes the runs they start: first a look without locks, then one transaction that takes only what nobody else
 * has taken meanwhile. An event is either still pending or has its runs, never half of them. Runs of one plan share carriers.
 */
export async function claimEvents(
  options: ClaimOptions,
): Promise<{ readonly settled: number; readonly runs: readonly QueuedRun[] }> {
  const pending = await readPending(options);
  if (pending.size === 0) return { settled: 0, runs: [] };
  const started: Match[] = [];
  const ignored: { readonly id: string; readonly reason: string }[] = [];
  for (const [eventId, subscribers] of pending) {
    const before = started.length;
    for (const subscriber of subscribers)
      if (await passes(options, subscriber, eventId)) started.push({ eventId, subscriber });
    if (subscribers.length === 0) ignored.push({ id: eventId, reason: 'No flow that is switched on listens to this.' });
    else if (started.length === before)
      ignored.push({ id: eventId, reason: 'It did not match the filter of any flow.' });
  }
  const passing = (point: CrashPoint): void => {
    for (const { subscriber } of started) options.crashPoint?.(point, subscriber.planHash);
  };
  passing('before-runs-written');
  const runs = await write(options, intoCarriers(started, options), ignored);
  passing('after-runs-written');
  return { settled: runs.length + ignored.length, runs };
}

interface Subscriber {
  readonly flowId: string;
  readonly nodeId: string;
  readonly filter: string | null;
  readonly version: number;
  readonly planHash: string;
}

interface Match {
  readonly eventId: string;
  readonly subscriber: Subscriber;
}

/**
 * Events that are due, each with the published flows that listen: what was put first, then by lane, then in the order of arrival. Those
 * that wait longest come along, whatever their lane, so that none waits for ever. Served by `events_pending_by_lane`, `events_pending` and
 * `subscriptions_by_key`.
 */
async function readPending({ store, companyId, limit }: ClaimOptions): Promise<Map<string, Subscriber[]>> {
  const company = literal(companyId);
  const oldest = Math.trunc(limit / 5);
  const isDue = `company_id = ${company} and status = 'pending' and next_attempt_at <= now()`;
  const [rows = []] = await store.script(companyId, [
    `select due.id, s.flow_id, s.node_id, s.filter, v.number, v.plan_hash
       from (
         (select id, seq, kind, key, put_first, lane from events where ${isDue}
           order by put_first desc, lane, seq limit ${Math.trunc(limit)})
         union
         (select id, seq, kind, key, put_first, lane from events where ${isDue} order by seq limit ${oldest})) due
       left join (subscriptions s
         join flows f on f.company_id = s.company_id and f.id = s.flow_id and f.status = 'on'
         join flow_versions v on v.company_id = f.company_id and v.flow_id = f.id and v.number = f.published_version)
         on s.company_id = ${company} and s.kind = due.kind and s.key = due.key and s.active
      order by due.put_first desc, due.lane, due.seq, s.flow_id`,
  ]);
  const pending = new Map<string, Subscriber[]>();
  for (const row of rows) {
    const id = String(row['id']);
    const subscribers = pending.get(id) ?? [];
    pending.set(id, subscribers);
    if (row['flow_id'] === null) continue;
    subscribers.push({
      flowId: String(row['flow_id']),
      nodeId: String(row['node_id']),
      filter: row['filter'] as string | null,
      version: Number(row['number']),
      planHash: String(row['plan_hash']),
    });
  }
  return pending;
}

async function passes(options: ClaimOptions, { filter }: Subscriber, eventId: string): Promise<boolean> {
  const { companyId, store, evaluator, now } = options;
  if (!filter) return true;
  const event = await store.tenant(companyId, (tx) =>
    tx
      .selectFrom('events')
      .select('data')
      .where('company_id', '=', companyId)
      .where('id', '=', eventId)
      .executeTakeFirst(),
  );
  const answer = await evaluator.evaluate(companyId, {
    context: JSON.stringify({ trigger: event?.data ?? null }),
    expressions: [{ field: 'filter', source: filter }],
    now: now.toISOString(),
    seed: 'filter',
  });
  // A filter that fails lets the event pass: the flow shows the failure, and nothing is lost unseen.
  return answer.ok ? answer.values['filter'] === 'true' : true;
}

interface CarriedRun extends Match {
  readonly runId: string;
  readonly carrierId: string;
  readonly lane: number;
}

/** Gives every run its place: runs of one plan together, so many to a carrier, in the order of their events. */
function intoCarriers(matches: readonly Match[], { runsPerCarrier }: ClaimOptions): CarriedRun[] {
  const open = new Map<string, { readonly carrierId: string; lanes: number }>();
  return matches.map((match) => {
    const { planHash } = match.subscriber;
    let carrier = open.get(planHash);
    if (!carrier || carrier.lanes >= runsPerCarrier)
      open.set(planHash, (carrier = { carrierId: randomUUID(), lanes: 0 }));
    return { ...match, runId: randomUUID(), carrierId: carrier.carrierId, lane: carrier.lanes++ };
  });
}

function noticesOf(companyId: string, runs: readonly CarriedRun[]): QueuedNotice[] {
  const byPlan = Map.groupBy(runs, ({ subscriber }) => subscriber.planHash);
  return [...byPlan].map(([planHash, queued]) => ({ companyId, planHash, runIds: queued.map(({ runId }) => runId) }));
}

/** One transaction; what another process has taken since the look is left to it. */
async function write(
  { store, companyId, now }: ClaimOptions,
  runs: readonly CarriedRun[],
  ignored: readonly { readonly id: string; readonly reason: string }[],
): Promise<QueuedRun[]> {
  const company = literal(companyId);
  const at = literal(now.toISOString());
  const rows = runs.map(({ runId, eventId, carrierId, lane, subscriber }) => ({
    id: runId,
    event_id: eventId,
    flow_id: subscriber.flowId,
    flow_version: subscriber.version,
    plan_hash: subscriber.planHash,
    trigger_node_id: subscriber.nodeId,
    carrier_id: carrierId,
    lane,
  }));
  // Lists, and no subqueries over them: until the tables are analysed those are gone through once for every run that the company has.
  const list = (uuids: readonly string[]): string => `any(${literal(`{${uuids.join(',')}}`)}::uuid[])`;
  const isOurs = `runs.company_id = ${company} and runs.id = ${list(runs.map(({ runId }) => runId))}`;
  const statements =
    runs.length === 0
      ? []
      : [
          `with given as (
             select * from jsonb_to_recordset(${literal(json(rows))}::jsonb) as given (
               id uuid, event_id uuid, flow_id uuid, flow_version integer, plan_hash text, trigger_node_id text, carrier_id text, lane integer)),
           free as (
             select id from events
              where company_id = ${company} and id = ${list(runs.map(({ eventId }) => eventId))} and status = 'pending'
             for update skip locked)
           insert into runs (company_id, id, event_id, flow_id, flow_version, plan_hash, trigger_node_id, carrier_id, lane, status)
           select ${company}, given.id, event_id, flow_id, flow_version, plan_hash, trigger_node_id, carrier_id, lane, 'queued'
             from given join free on free.id = given.event_id
           returning id`,
          // The trigger's step holds the event's data; it never leaves the database on its way there.
          `insert into steps (company_id, run_id, node_id, iteration, status, attempt, port, output, started_at, finished_at)
           select runs.company_id, runs.id, runs.trigger_node_id, '', 'succeeded', 1, 'out', events.data, ${at}, ${at}
             from runs join events on events.company_id = runs.company_id and events.id = runs.event_id
            where ${isOurs}`,
          `update events set status = 'dispatched', reason = null, dispatched_at = ${at}
             from runs where ${isOurs} and events.company_id = ${company} and events.id = runs.event_id`,
        ];
  if (ignored.length > 0)
    statements.push(
      `update events set status = 'ignored', reason = given.reason, dispatched_at = ${at}
         from jsonb_to_recordset(${literal(json(ignored))}::jsonb) as given (id uuid, reason text)
        where events.company_id = ${company} and events.id = given.id and events.status = 'pending'`,
    );
  // Steps that wait for such an event are answered by it; what came before they waited does not count. Served by `waits_open`.
  const seen = list([...runs.map(({ eventId }) => eventId), ...ignored.map(({ id }) => id)]);
  statements.push(
    `update waits set answer = events.data, answered_at = ${at}
       from events
      where waits.company_id = ${company} and waits.kind = 'event' and waits.answered_at is null
        and events.company_id = ${company} and events.key = waits.key and events.received_at >= waits.since
        and events.data #>> waits.path = waits.value and events.status <> 'pending'
        and events.id = ${seen}`,
  );
  // A few runs on an idle system need not wait until Temporal has handed them over; many are better off together.
  if (runs.length > 0 && runs.length <= AHEAD_RUNS)
    for (const notice of noticesOf(companyId, runs))
      statements.push(`select pg_notify('${QUEUED_CHANNEL}', ${literal(json(notice))})`);
  const [inserted = []] = await store.script(companyId, statements);
  const ours = new Set(runs.length > 0 ? inserted.map((row) => String(row['id'])) : []);
  return runs
    .filter(({ runId }) => ours.has(runId))
    .map(({ runId, carrierId, subscriber }) => ({
      companyId,
      runId,
      carrierId,
      planHash: subscriber.planHash,
    }));
}
