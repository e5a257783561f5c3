import { json, type Transaction } from '@plumbline/db';
import { isConnectorFailure, type PollResult, type PollSubscription } from '@plumbline/nodes';
import type { Connections } from '@plumbline/workflows/activities/connections';
import type { Dependencies } from '@plumbline/workflows/activities/dependencies';
import { RateGate } from '@plumbline/workflows/activities/rate-gate';
import { closeNotices } from '@plumbline/workflows/notices';
import { pauseAfter, type PollFailure, toPollFailure } from './poll-pause.ts';
import { pollTrouble, tellPollFailure } from './tell-poll-failure.ts';

export interface PollOptions {
  readonly deps: Dependencies;
  readonly connections: Connections;
}

/** One poll holds its subscription so long; a process that died with it is waited for no longer. */
const LEASE_MS = 120_000;
/** Shorter than the lease, so that a slow vendor does not get a second call beside the first. */
const TIMEOUT_MS = 60_000;
/** Two polls are never nearer than this, whatever a node asks for. */
const MIN_SECONDS = 30;

interface Leased {
  readonly id: string;
  readonly key: string;
  readonly nodeType: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly connectionId: string | null;
  readonly cursor: Readonly<Record<string, unknown>> | null;
  readonly failures: number;
  readonly flowName: string;
  readonly leaseUntil: Date;
}

/**
 * Asks one subscription's source for news. First a lease in a transaction of its own, then the call, then one transaction with the events and the cursor
 * together: whatever dies in between, the news is read again from the same place, and what is stored already is known by its key. Whoever finds the lease
 * taken over, or the trigger changed meanwhile, throws its catch away.
 * @returns how many events are new.
 */
export async function pollOnce(options: PollOptions, companyId: string, subscriptionId: string): Promise<number> {
  const { deps } = options;
  const leased = await deps.store.tenant(companyId, (tx) => lease(tx, companyId, subscriptionId, deps.now()));
  if (!leased) return 0;
  const subscription = deps.catalog.nodeTypes.get(leased.nodeType)?.subscription;
  if (subscription?.kind !== 'poll') throw new Error(`${leased.nodeType} is no trigger that polls`);
  let result: PollResult;
  try {
    result = await ask(options, companyId, leased, subscription);
    // What cannot be stored is this poll's failure.
    json(result);
  } catch (error) {
    await fail(deps, companyId, leased, subscription, toPollFailure(error));
    return 0;
  }
  return await deps.store.tenant(companyId, (tx) =>
    keep(tx, { companyId, leased, subscription, result, now: deps.now() }),
  );
}

async function lease(tx: Transaction, companyId: string, id: string, now: Date): Promise<Leased | undefined> {
  const row = await tx
    .selectFrom('subscriptions')
    .innerJoin('flows', (join) =>
      join.onRef('flows.company_id', '=', 'subscriptions.company_id').onRef('flows.id', '=', 'subscriptions.flow_id'),
    )
    .selectAll('subscriptions')
    .select(['flows.status', 'flows.name'])
    .where('subscriptions.company_id', '=', companyId)
    .where('subscriptions.id', '=', id)
    .where('subscriptions.active', '=', true)
    .where('next_poll_at', '<=', now)
    .where((eb) => eb.or([eb('poll_lease_until', 'is', null), eb('poll_lease_until', '<=', now)]))
    .forUpdate('subscriptions')
    .skipLocked()
    .executeTakeFirst();
  if (!row) return undefined;
  const change = tx.updateTable('subscriptions').where('company_id', '=', companyId).where('id', '=', id);
  if (row.status !== 'on' || row.node_type === null) {
    // Switched off it asks for nothing. On again, it starts from then: what happened meanwhile starts nothing, as with every trigger.
    await change.set({ next_poll_at: null, cursor: null, poll_lease_until: null }).execute();
    return undefined;
  }
  const leaseUntil = new Date(now.getTime() + LEASE_MS);
  await change.set({ poll_lease_until: leaseUntil }).execute();
  return {
    id,
    key: row.key,
    nodeType: row.node_type,
    config: row.config,
    connectionId: row.integration_id,
    cursor: row.cursor,
    failures: row.poll_failures,
    flowName: row.name,
    leaseUntil,
  };
}

async function ask(
  { deps, connections }: PollOptions,
  companyId: string,
  leased: Leased,
  subscription: PollSubscription,
): Promise<PollResult> {
  const type = deps.catalog.nodeTypes.get(leased.nodeType);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const base = {
    config: (type?.input.parse(leased.config) ?? {}) as Record<string, unknown>,
    cursor: leased.cursor ?? undefined,
    fetchPublic: deps.fetchPublic,
    now: deps.now,
    signal,
  };
  const { connectionId } = leased;
  if (!type?.connector || !connectionId)
    return await subscription.poll({
      ...base,
      http: { send: () => Promise.reject(new Error('This trigger has no connection, so it has no vendor to call.')) },
    });
  const gate = new RateGate(deps);
  const withConnection = async (refused?: number) => {
    const open = await connections.open(companyId, connectionId, refused === undefined ? {} : { refused });
    const { connector } = open;
    const fetch = gate.guard({ companyId, connectionId, connector, urgency: 2, fetch: deps.fetch });
    const http = connector.http({ connection: open.context, fetch, now: deps.now, signal });
    return { open, poll: () => subscription.poll({ ...base, connection: open.context, http }) };
  };
  const first = await withConnection();
  try {
    return await first.poll();
  } catch (error) {
    if (!isConnectorFailure(error) || error.kind !== 'reauthorize') throw error;
    // Refused although not due: one refresh, one more try, then a person.
    const renewed = await withConnection(first.open.generation);
    try {
      return await renewed.poll();
    } catch (again) {
      if (isConnectorFailure(again) && again.kind === 'reauthorize')
        await connections.markBroken(companyId, connectionId, again.message);
      throw again;
    }
  }
}

async function keep(
  tx: Transaction,
  kept: {
    readonly companyId: string;
    readonly leased: Leased;
    readonly subscription: PollSubscription;
    readonly result: PollResult;
    readonly now: Date;
  },
): Promise<number> {
  const { companyId, leased, subscription, result, now } = kept;
  const config = await stillOurs(tx, companyId, leased);
  if (!config) return 0;
  const isFirst = leased.cursor === null;
  let fresh = 0;
  // Several at once may hold the same key; of those the first counts.
  for (const { dedupeKey, data } of result.events) {
    const row = await tx
      .insertInto('events')
      .values({
        company_id: companyId,
        kind: 'poll',
        key: leased.key,
        dedupe_key: dedupeKey,
        subject_entity: null,
        subject_id: null,
        ...(isFirst
          ? {
              data: '{}',
              status: 'ignored',
              reason: 'It was there before this trigger first looked.',
              dispatched_at: now,
            }
          : { data: json(data), reason: null, dispatched_at: null }),
      })
      .onConflict((conflict) => conflict.columns(['company_id', 'key', 'dedupe_key']).doNothing())
      .returning('id')
      .executeTakeFirst();
    if (row && !isFirst) fresh += 1;
  }
  // As it was published last, which may have been meanwhile.
  const pauseMs = result.more ? 0 : Math.max(MIN_SECONDS, subscription.everySeconds(config)) * 1_000;
  await tx
    .updateTable('subscriptions')
    .set({
      cursor: json(result.cursor),
      next_poll_at: new Date(now.getTime() + pauseMs),
      poll_lease_until: null,
      poll_failures: 0,
      poll_error: null,
      polled_at: now,
    })
    .where('company_id', '=', companyId)
    .where('id', '=', leased.id)
    .execute();
  if (leased.failures > 0) await closeNotices(tx, { companyId, keys: [pollTrouble(leased.id)], at: now });
  return fresh;
}

/** A failed poll moves no cursor: it is asked again from the same place, later and later. */
async function fail(
  deps: Dependencies,
  companyId: string,
  leased: Leased,
  subscription: PollSubscription,
  failure: PollFailure,
): Promise<void> {
  const now = deps.now();
  const failures = leased.failures + 1;
  const everyMs = Math.max(MIN_SECONDS, subscription.everySeconds(leased.config)) * 1_000;
  const { kind, code } = failure;
  deps.log.warn({ companyId, subscriptionId: leased.id, kind, code, failures }, 'a poll did not get through');
  await deps.store.tenant(companyId, async (tx) => {
    if (!(await stillOurs(tx, companyId, leased))) return;
    await tx
      .updateTable('subscriptions')
      .set({
        next_poll_at: new Date(now.getTime() + pauseAfter(failure, failures, everyMs)),
        poll_lease_until: null,
        poll_failures: failures,
        poll_error: json({ kind, code, message: failure.message }),
        polled_at: now,
      })
      .where('company_id', '=', companyId)
      .where('id', '=', leased.id)
      .execute();
    await tellPollFailure(tx, {
      companyId,
      subscriptionId: leased.id,
      flowName: leased.flowName,
      failure,
      failures,
      at: now,
    });
  });
}

/** The subscription's configuration of now, unless somebody else has it or it reads something else. */
async function stillOurs(
  tx: Transaction,
  companyId: string,
  leased: Leased,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const row = await tx
    .selectFrom('subscriptions')
    .select(['poll_lease_until', 'config'])
    .where('company_id', '=', companyId)
    .where('id', '=', leased.id)
    .where('active', '=', true)
    .forUpdate()
    .executeTakeFirst();
  return row?.poll_lease_until?.getTime() === leased.leaseUntil.getTime() ? row.config : undefined;
}
