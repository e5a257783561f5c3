import { randomBytes, randomUUID } from 'node:crypto';
import { json, type Transaction } from '@plumbline/db';
import type { Catalog, TriggerSubscription } from '@plumbline/nodes';
import { literalsOf, nextTimes, type FlowDocument } from '@plumbline/workflows/flow';
import { newWebhookSecret } from './webhook-secret.ts';

/**
 * Brings a flow's subscriptions in line with its triggers. A subscription belongs to flow and trigger node, not to a version: publishing changes what
 * it asks for, but never its URL, secret or cursor, so no event is dropped or seen twice. A trigger that was taken away and comes back begins anew.
 */
export async function subscribe(
  tx: Transaction,
  work: {
    readonly companyId: string;
    readonly flowId: string;
    readonly document: FlowDocument;
    readonly catalog: Catalog;
    /** Seals a new webhook secret for a row; returns JSON text. */
    readonly seal: (subscriptionId: string, secret: string) => Promise<string>;
    readonly now: Date;
  },
): Promise<void> {
  const { companyId, flowId, now } = work;
  const existing = await readExisting(tx, companyId, flowId);
  const { time_zone: timeZone } = await tx
    .selectFrom('companies')
    .select('time_zone')
    .where('id', '=', companyId)
    .executeTakeFirstOrThrow();
  const wanted = new Set<string>();
  for (const [nodeId, node] of Object.entries(work.document.nodes)) {
    const subscription = work.catalog.nodeTypes.get(`${node.type}@${node.version}`)?.subscription;
    if (!subscription || subscription.kind === 'flow' || node.disabled) continue;
    wanted.add(nodeId);
    const config = literalsOf(node.inputs);
    const known = existing.find((row) => row.node_id === nodeId);
    const key = keyOf(subscription, { config, known, flowId, nodeId });
    const connectionId =
      node.connection === undefined ? null : (work.document.connections[node.connection]?.id ?? null);
    const asks = { subscription, config, connectionId, known, timeZone, now };
    const newSecret = async (id: string): Promise<{ readonly secret: string } | undefined> =>
      subscription.kind === 'webhook' && known?.kind !== 'webhook'
        ? { secret: await work.seal(id, newWebhookSecret()) }
        : undefined;
    const values = {
      kind: subscription.kind,
      key,
      node_type: `${node.type}@${node.version}`,
      integration_id: connectionId,
      config: json(config),
      filter: node.inputs['filter']?.kind === 'expression' ? node.inputs['filter'].source : null,
      active: true,
      ...timesFor(asks),
      ...readingFor(asks),
    };
    if (known) {
      await tx
        .updateTable('subscriptions')
        .set({ ...values, updated_at: now, ...(await newSecret(known.id)) })
        .where('company_id', '=', companyId)
        .where('id', '=', known.id)
        .execute();
      continue;
    }
    const id = randomUUID();
    await tx
      .insertInto('subscriptions')
      .values({
        id,
        company_id: companyId,
        flow_id: flowId,
        node_id: nodeId,
        secret: null,
        ...values,
        ...(await newSecret(id)),
      })
      .execute();
  }
  const gone = existing.filter((row) => !wanted.has(row.node_id)).map((row) => row.id);
  if (gone.length > 0)
    await tx
      .updateTable('subscriptions')
      .set({ active: false, updated_at: now })
      .where('company_id', '=', companyId)
      .where('id', 'in', gone)
      .execute();
}

type Known = Awaited<ReturnType<typeof readExisting>>[number];

async function readExisting(tx: Transaction, companyId: string, flowId: string) {
  return await tx
    .selectFrom('subscriptions')
    .select([
      'id',
      'node_id',
      'kind',
      'key',
      'config',
      'active',
      'next_fire_at',
      'integration_id',
      'next_poll_at',
      'poll_failures',
    ])
    .where('company_id', '=', companyId)
    .where('flow_id', '=', flowId)
    // A poll that is about to write its cursor finishes first, or finds itself replaced.
    .forUpdate()
    .execute();
}

function keyOf(
  subscription: TriggerSubscription,
  given: {
    readonly config: Record<string, unknown>;
    readonly known: Known | undefined;
    readonly flowId: string;
    readonly nodeId: string;
  },
): string {
  if ('key' in subscription) return subscription.key(given.config);
  if (subscription.kind !== 'webhook') return `${given.flowId}:${given.nodeId}`;
  return given.known?.kind === 'webhook' ? given.known.key : randomBytes(18).toString('base64url');
}

interface Asks {
  readonly subscription: TriggerSubscription;
  readonly config: Record<string, unknown>;
  readonly connectionId: string | null;
  readonly known: Known | undefined;
  readonly timeZone: string;
  readonly now: Date;
}

/** When a schedule comes next. The same times go on as they are: publishing neither drops nor doubles one. */
function timesFor({ subscription, config, known, timeZone, now }: Asks) {
  if (subscription.kind !== 'schedule') return { next_fire_at: null, waiting_fire_at: null };
  if (known?.kind === 'schedule' && known.active && timesOf(known.config) === timesOf(config)) return {};
  const { cron, timeZone: own } = config as { cron: string; timeZone?: string };
  return { next_fire_at: nextTimes(cron, own || timeZone, now, 1)[0] ?? null, waiting_fire_at: null };
}

/** The part of a schedule's configuration that says when it comes. */
function timesOf(config: object): string {
  const { cron, timeZone } = config as { cron?: unknown; timeZone?: unknown };
  return json([cron, timeZone || null]);
}

/** How far a poll has read. What asks for the same goes on from there; what does not begins anew, and so does one that was away. */
function readingFor({ subscription, config, connectionId, known, now }: Asks) {
  if (subscription.kind !== 'poll') return { cursor: null, next_poll_at: null, poll_lease_until: null };
  const identity = subscription.identity ?? ((given: object) => given);
  const same =
    known?.kind === 'poll' &&
    known.active &&
    known.integration_id === connectionId &&
    json(identity(known.config)) === json(identity(config));
  if (!same) return { cursor: null, next_poll_at: now, poll_lease_until: null, poll_failures: 0, poll_error: null };
  // Whoever publishes after a failure has mended something, and wants to see it.
  if (known.poll_failures > 0) return { next_poll_at: now };
  const soonest = new Date(now.getTime() + subscription.everySeconds(config) * 1_000);
  return known.next_poll_at && known.next_poll_at > soonest ? { next_poll_at: soonest } : {};
}
