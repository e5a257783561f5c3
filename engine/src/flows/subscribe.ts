import { randomBytes, randomUUID } from 'node:crypto';
import { json, type Transaction } from '@plumbline/db';
import type { Catalog } from '@plumbline/nodes';
import { nextTimes, type FlowDocument, type FlowNode } from '@plumbline/workflows/flow';
import { newWebhookSecret } from './webhook-secret.ts';

/**
 * Brings a flow's subscriptions in line with its triggers. A subscription belongs to flow and trigger node, not to a version: publishing changes what
 * it asks for, but never its URL, secret or cursor, so no event is dropped or seen twice.
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
  const existing = await tx
    .selectFrom('subscriptions')
    .select(['id', 'node_id', 'kind', 'key', 'config', 'next_fire_at'])
    .where('company_id', '=', companyId)
    .where('flow_id', '=', flowId)
    .execute();
  const { time_zone: timeZone } = await tx
    .selectFrom('companies')
    .select('time_zone')
    .where('id', '=', companyId)
    .executeTakeFirstOrThrow();
  const wanted = new Set<string>();
  for (const [nodeId, node] of Object.entries(work.document.nodes)) {
    const subscription = work.catalog.nodeTypes.get(`${node.type}@${node.version}`)?.subscription;
    if (!subscription || node.disabled) continue;
    wanted.add(nodeId);
    const config = literals(node);
    const filter = node.inputs['filter']?.kind === 'expression' ? node.inputs['filter'].source : null;
    const known = existing.find((row) => row.node_id === nodeId);
    const key =
      'key' in subscription
        ? subscription.key(config)
        : subscription.kind === 'webhook'
          ? known?.kind === 'webhook'
            ? known.key
            : randomBytes(18).toString('base64url')
          : `${flowId}:${nodeId}`;
    // The same times go on as they are: publishing neither drops nor doubles one.
    const same = known?.kind === 'schedule' && timesOf(known.config) === timesOf(config);
    const next =
      subscription.kind === 'schedule' ? (same ? known.next_fire_at : nextFireAt(config, timeZone, now)) : null;
    const newSecret = async (id: string): Promise<{ readonly secret: string } | undefined> =>
      subscription.kind === 'webhook' && known?.kind !== 'webhook'
        ? { secret: await work.seal(id, newWebhookSecret()) }
        : undefined;
    if (known) {
      await tx
        .updateTable('subscriptions')
        .set({
          kind: subscription.kind,
          key,
          config: json(config),
          filter,
          active: true,
          next_fire_at: next,
          ...(same ? {} : { waiting_fire_at: null }),
          updated_at: now,
          ...(await newSecret(known.id)),
        })
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
        kind: subscription.kind,
        key,
        config: json(config),
        filter,
        secret: null,
        active: true,
        next_fire_at: next,
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

/** The part of a schedule's configuration that says when it comes. */
function timesOf(config: object): string {
  const { cron, timeZone } = config as { cron?: unknown; timeZone?: unknown };
  return json([cron, timeZone || null]);
}

function nextFireAt(config: Readonly<Record<string, unknown>>, companyZone: string, now: Date): Date | null {
  const { cron, timeZone } = config as { cron: string; timeZone?: string };
  return nextTimes(cron, timeZone || companyZone, now, 1)[0] ?? null;
}

/** The literal inputs of a node, by field. */
export function literals(node: FlowNode): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(node.inputs).flatMap(([field, mapping]) =>
      mapping.kind === 'literal' ? [[field, mapping.value]] : [],
    ),
  );
}
