import { randomUUID } from 'node:crypto';
import type { Store, Transaction } from '@plumbline/db';
import type { Evaluator } from '@plumbline/workflows/evaluate/pool';
import { sql } from 'kysely';

/** A run that waits for Temporal. */
export interface QueuedRun {
  readonly companyId: string;
  readonly runId: string;
  readonly carrierId: string;
  readonly planHash: string;
  readonly triggerNodeId: string;
}

export interface ClaimOptions {
  readonly store: Store;
  readonly evaluator: Evaluator;
  readonly companyId: string;
  /** Most events taken at once. */
  readonly limit: number;
  /** Most runs that one carrier gets. */
  readonly runsPerCarrier: number;
  readonly now: Date;
}

/**
 * Takes pending events of one company and writes the runs they start, all in one transaction and in a handful of statements however many they are:
 * an event is either still pending or has its runs, never half of them. Runs of one plan share carriers.
 */
export async function claimEvents(options: ClaimOptions): Promise<QueuedRun[]> {
  const { companyId, now } = options;
  return await options.store.tenant(companyId, async (tx) => {
    const events = await tx
      .selectFrom('events')
      .select(['id', 'kind', 'key'])
      .where('company_id', '=', companyId)
      .where('status', '=', 'pending')
      .where('next_attempt_at', '<=', now)
      .orderBy('seq')
      .limit(options.limit)
      .forUpdate()
      .skipLocked()
      .execute();
    if (events.length === 0) return [];
    const matches = await matchSubscribers(tx, options, events);
    const queued = intoCarriers(matches.started, options.runsPerCarrier, companyId);
    await writeRuns(tx, companyId, queued, now);
    await closeEvents(tx, companyId, new Set(queued.map(({ eventId }) => eventId)), matches.ignored, now);
    return queued.map(({ eventId: _, subscriber, ...run }) => ({
      ...run,
      planHash: subscriber.plan_hash,
      triggerNodeId: subscriber.node_id,
    }));
  });
}

interface Event {
  readonly id: string;
  readonly kind: 'webhook' | 'record' | 'schedule' | 'manual' | 'connector';
  readonly key: string;
}

interface Subscriber {
  readonly flow_id: string;
  readonly node_id: string;
  readonly filter: string | null;
  readonly number: number;
  readonly plan_hash: string;
}

interface Match {
  readonly eventId: string;
  readonly subscriber: Subscriber;
}

async function matchSubscribers(
  tx: Transaction,
  options: ClaimOptions,
  events: readonly Event[],
): Promise<{ readonly started: Match[]; readonly ignored: ReadonlyMap<string, string> }> {
  const known = new Map<string, Promise<Subscriber[]>>();
  const started: Match[] = [];
  const ignored = new Map<string, string>();
  for (const event of events) {
    const name = `${event.kind}\n${event.key}`;
    if (!known.has(name)) known.set(name, subscribersOf(tx, options.companyId, event));
    const subscribers = (await known.get(name)) ?? [];
    const before = started.length;
    for (const subscriber of subscribers)
      if (await passes(tx, options, subscriber, event.id)) started.push({ eventId: event.id, subscriber });
    if (subscribers.length === 0) ignored.set(event.id, 'No flow that is switched on listens to this.');
    else if (started.length === before) ignored.set(event.id, 'It did not match the filter of any flow.');
  }
  return { started, ignored };
}

async function subscribersOf(tx: Transaction, companyId: string, { kind, key }: Event): Promise<Subscriber[]> {
  return await tx
    .selectFrom('subscriptions')
    .innerJoin('flows', (join) =>
      join.onRef('flows.id', '=', 'subscriptions.flow_id').onRef('flows.company_id', '=', 'subscriptions.company_id'),
    )
    .innerJoin('flow_versions', (join) =>
      join
        .onRef('flow_versions.flow_id', '=', 'flows.id')
        .onRef('flow_versions.company_id', '=', 'flows.company_id')
        .onRef('flow_versions.number', '=', 'flows.published_version'),
    )
    .select([
      'subscriptions.flow_id',
      'subscriptions.node_id',
      'subscriptions.filter',
      'flow_versions.number',
      'flow_versions.plan_hash',
    ])
    .where('subscriptions.company_id', '=', companyId)
    .where('subscriptions.kind', '=', kind)
    .where('subscriptions.key', '=', key)
    .where('subscriptions.active', '=', true)
    .where('flows.status', '=', 'on')
    .orderBy('flows.id')
    .execute();
}

async function passes(
  tx: Transaction,
  options: ClaimOptions,
  { filter }: Subscriber,
  eventId: string,
): Promise<boolean> {
  const { companyId, evaluator, now } = options;
  if (!filter) return true;
  const { data } = await tx
    .selectFrom('events')
    .select('data')
    .where('company_id', '=', companyId)
    .where('id', '=', eventId)
    .executeTakeFirstOrThrow();
  const answer = await evaluator.evaluate(companyId, {
    context: JSON.stringify({ trigger: data }),
    expressions: [{ field: 'filter', source: filter }],
    now: now.toISOString(),
    seed: 'filter',
  });
  // A filter that fails lets the event pass: the flow shows the failure, and nothing is lost unseen.
  return answer.ok ? answer.values['filter'] === 'true' : true;
}

interface CarriedRun extends Match {
  readonly companyId: string;
  readonly runId: string;
  readonly carrierId: string;
  readonly lane: number;
}

/** Gives every run its place: runs of one plan together, so many to a carrier, in the order of their events. */
function intoCarriers(matches: readonly Match[], runsPerCarrier: number, companyId: string): CarriedRun[] {
  const open = new Map<string, { readonly carrierId: string; lanes: number }>();
  return matches.map((match) => {
    const plan = match.subscriber.plan_hash;
    let carrier = open.get(plan);
    if (!carrier || carrier.lanes >= runsPerCarrier) open.set(plan, (carrier = { carrierId: randomUUID(), lanes: 0 }));
    return { ...match, companyId, runId: randomUUID(), carrierId: carrier.carrierId, lane: carrier.lanes++ };
  });
}

async function writeRuns(tx: Transaction, companyId: string, runs: readonly CarriedRun[], now: Date): Promise<void> {
  if (runs.length === 0) return;
  await tx
    .insertInto('runs')
    .values(
      runs.map(({ runId, carrierId, lane, eventId, subscriber }) => ({
        id: runId,
        company_id: companyId,
        flow_id: subscriber.flow_id,
        flow_version: subscriber.number,
        plan_hash: subscriber.plan_hash,
        event_id: eventId,
        trigger_node_id: subscriber.node_id,
        carrier_id: carrierId,
        lane,
        status: 'queued' as const,
        error: null,
        confirmed_at: null,
        started_at: null,
        finished_at: null,
      })),
    )
    .execute();
  // The trigger's step holds the event's data; it never leaves the database on its way there.
  await sql`
    insert into steps (company_id, run_id, node_id, iteration, status, attempt, port, output, started_at, finished_at)
    select runs.company_id, runs.id, runs.trigger_node_id, '', 'succeeded', 1, 'out', events.data, ${now}, ${now}
      from runs join events on events.company_id = runs.company_id and events.id = runs.event_id
     where runs.company_id = ${companyId} and runs.id = any(${runs.map(({ runId }) => runId)}::uuid[])`.execute(tx);
}

async function closeEvents(
  tx: Transaction,
  companyId: string,
  started: ReadonlySet<string>,
  ignored: ReadonlyMap<string, string>,
  now: Date,
): Promise<void> {
  const close = (ids: readonly string[], reason: string | null) =>
    tx
      .updateTable('events')
      .set({ status: reason === null ? 'dispatched' : 'ignored', reason, dispatched_at: now })
      .where('company_id', '=', companyId)
      .where('id', 'in', ids)
      .execute();
  if (started.size > 0) await close([...started], null);
  for (const reason of new Set(ignored.values()))
    await close(
      [...ignored].filter(([, why]) => why === reason).map(([id]) => id),
      reason,
    );
}
