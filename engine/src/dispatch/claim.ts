import { randomUUID } from 'node:crypto';
import { json, type Store, type Transaction } from '@plumbline/db';
import type { Evaluator } from '@plumbline/workflows/evaluate/pool';

/** A run that waits for Temporal. */
export interface QueuedRun {
  readonly companyId: string;
  readonly runId: string;
  readonly carrierId: string;
  readonly planHash: string;
  readonly triggerNodeId: string;
}

/**
 * Takes pending events of one company and writes the runs they start, all in one transaction: an event is either still pending or has its
 * runs, never half of them.
 */
export async function claimEvents(work: {
  readonly store: Store;
  readonly evaluator: Evaluator;
  readonly companyId: string;
  readonly limit: number;
  readonly now: Date;
}): Promise<QueuedRun[]> {
  const { companyId, now } = work;
  return await work.store.tenant(companyId, async (tx) => {
    const events = await tx
      .selectFrom('events')
      .select(['id', 'kind', 'key', 'data', 'seq'])
      .where('company_id', '=', companyId)
      .where('status', '=', 'pending')
      .where('next_attempt_at', '<=', now)
      .orderBy('seq')
      .limit(work.limit)
      .forUpdate()
      .skipLocked()
      .execute();
    const queued: QueuedRun[] = [];
    for (const event of events) {
      const subscribers = await subscribersOf(tx, companyId, event.kind, event.key);
      const before = queued.length;
      for (const subscriber of subscribers) {
        if (await passes(work.evaluator, companyId, subscriber.filter, event.data, now))
          queued.push(await queueRun(tx, { companyId, event, subscriber, now }));
      }
      const reason =
        queued.length > before
          ? undefined
          : subscribers.length === 0
            ? 'No flow that is switched on listens to this.'
            : 'It did not match the filter of any flow.';
      await tx
        .updateTable('events')
        .set({ status: reason ? 'ignored' : 'dispatched', reason: reason ?? null, dispatched_at: now })
        .where('company_id', '=', companyId)
        .where('id', '=', event.id)
        .execute();
    }
    return queued;
  });
}

interface Subscriber {
  readonly flow_id: string;
  readonly node_id: string;
  readonly filter: string | null;
  readonly number: number;
  readonly plan_hash: string;
}

async function subscribersOf(
  tx: Transaction,
  companyId: string,
  kind: 'webhook' | 'record' | 'schedule' | 'manual' | 'connector',
  key: string,
): Promise<Subscriber[]> {
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
  evaluator: Evaluator,
  companyId: string,
  filter: string | null,
  data: unknown,
  now: Date,
): Promise<boolean> {
  if (!filter) return true;
  const answer = await evaluator.evaluate(companyId, {
    context: JSON.stringify({ trigger: data }),
    expressions: [{ field: 'filter', source: filter }],
    now: now.toISOString(),
    seed: 'filter',
  });
  // A filter that fails lets the event pass: the flow shows the failure, and nothing is lost unseen.
  return answer.ok ? answer.values['filter'] === 'true' : true;
}

async function queueRun(
  tx: Transaction,
  work: { companyId: string; event: { id: string; data: unknown }; subscriber: Subscriber; now: Date },
): Promise<QueuedRun> {
  const { companyId, event, subscriber, now } = work;
  const runId = randomUUID();
  const carrierId = runId;
  await tx
    .insertInto('runs')
    .values({
      id: runId,
      company_id: companyId,
      flow_id: subscriber.flow_id,
      flow_version: subscriber.number,
      plan_hash: subscriber.plan_hash,
      event_id: event.id,
      trigger_node_id: subscriber.node_id,
      carrier_id: carrierId,
      lane: 0,
      status: 'queued',
      error: null,
      confirmed_at: null,
      started_at: null,
      finished_at: null,
    })
    .execute();
  await tx
    .insertInto('steps')
    .values({
      company_id: companyId,
      run_id: runId,
      node_id: subscriber.node_id,
      iteration: '',
      status: 'succeeded',
      attempt: 1,
      port: 'out',
      input: null,
      output: json(event.data),
      error: null,
      next_attempt_at: null,
      started_at: now,
      finished_at: now,
    })
    .execute();
  return { companyId, runId, carrierId, planHash: subscriber.plan_hash, triggerNodeId: subscriber.node_id };
}
