import { appendAudit } from '@plumbline/db/queries/audit';
import { choicesOf, schemeOf, webhookConfigSchema, type FormField } from '@plumbline/nodes';
import { describeTimes, nextTimes } from '@plumbline/workflows/flow';
import { Hono } from 'hono';
import { z } from 'zod';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import type { TriggerField, TriggerInfo, WebhookSecret } from '../contract/index.ts';
import { readFlow } from '../flows/read.ts';
import { curlCommand } from '../flows/webhook-curl.ts';
import { readWebhook, replaceSecret } from '../flows/webhook-secret.ts';
import type { Services } from '../services.ts';
import { valid } from '../validate.ts';

const flowId = z.object({ id: z.uuid() });
const triggerOfFlow = z.object({ id: z.uuid(), nodeId: z.string().max(100) });

/** How the triggers of a flow are reached, and the secrets of those that others post to. */
export function triggerRoutes(services: Services) {
  const { deps, info } = services;
  const { store, vault, now } = deps;

  return new Hono<ActorEnv>()
    .get('/:id/triggers', requireRight('flow:read'), valid('param', flowId), async (c) => {
      const { companyId } = c.get('actor');
      const { id } = c.req.valid('param');
      const rows = await store.tenant(companyId, async (tx) => {
        await readFlow(tx, companyId, id, info, now());
        return await tx
          .selectFrom('subscriptions')
          .innerJoin('companies', 'companies.id', 'subscriptions.company_id')
          .selectAll('subscriptions')
          .select('companies.time_zone')
          .where('subscriptions.company_id', '=', companyId)
          .where('flow_id', '=', id)
          .orderBy('node_id')
          .execute();
      });
      const triggers: TriggerInfo[] = rows.map((row) => ({
        nodeId: row.node_id,
        kind: row.kind,
        key: row.key,
        active: row.active,
        ...(row.kind === 'schedule'
          ? {
              nextFireTimes: fireTimes(row.config, row.time_zone, now()),
              schedule: scheduleInfo(row.config, row.time_zone, row.waiting_fire_at),
            }
          : {}),
        ...(row.kind === 'manual' ? { form: fieldsOf(row.config) } : {}),
        ...(row.kind === 'call' ? { call: { example: exampleCall(services, id, fieldsOf(row.config)) } } : {}),
        ...(row.kind === 'poll' ? { poll: pollInfo(row) } : {}),
        ...(row.kind === 'webhook' ? { webhook: webhookInfo(services, row) } : {}),
      }));
      return c.json(triggers);
    })
    .post('/:id/triggers/:nodeId/secret', requireRight('secret:reveal'), valid('param', triggerOfFlow), async (c) => {
      const { companyId, name: actor } = c.get('actor');
      const { id, nodeId } = c.req.valid('param');
      const { key, scheme, secret } = await store.tenant(companyId, async (tx) => {
        const found = await readWebhook(tx, vault, { companyId, flowId: id, nodeId });
        await appendAudit(tx, {
          actor,
          action: 'webhook.secret_revealed',
          targetType: 'flow',
          targetId: id,
          details: { nodeId },
        });
        return found;
      });
      c.header('Cache-Control', 'no-store');
      return c.json({ secret, curl: curlCommand(webhookUrl(services, key), scheme, secret) } satisfies WebhookSecret);
    })
    .put(
      '/:id/triggers/:nodeId/secret',
      requireRight('secret:reveal'),
      valid('param', triggerOfFlow),
      valid('json', z.strictObject({ secret: z.string().max(500).optional() })),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { id, nodeId } = c.req.valid('param');
        const { secret: given } = c.req.valid('json');
        const { key, scheme, secret, previousUntil } = await store.tenant(companyId, async (tx) => {
          const trigger = { companyId, flowId: id, nodeId, now: now() };
          const replaced = await replaceSecret(tx, vault, { ...trigger, ...(given ? { given } : {}) });
          await appendAudit(tx, {
            actor,
            action: 'webhook.secret_replaced',
            targetType: 'flow',
            targetId: id,
            details: { nodeId, by: given ? 'given' : 'new', previousUntil: replaced.previousUntil.toISOString() },
          });
          return replaced;
        });
        c.header('Cache-Control', 'no-store');
        return c.json({
          secret,
          curl: curlCommand(webhookUrl(services, key), scheme, secret),
          previousUntil: previousUntil.toISOString(),
        } satisfies WebhookSecret);
      },
    );
}

function webhookInfo(
  services: Services,
  row: {
    readonly key: string;
    readonly config: object;
    readonly previous_secret_until: Date | null;
    readonly refused: number;
    readonly refused_at: Date | null;
    readonly refused_code: string | null;
  },
): TriggerInfo['webhook'] {
  const url = webhookUrl(services, row.key);
  const previousUntil = row.previous_secret_until;
  return {
    url,
    curl: curlCommand(url, schemeOf(webhookConfigSchema.parse(row.config))),
    ...(previousUntil && previousUntil > services.deps.now() ? { previousUntil: previousUntil.toISOString() } : {}),
    ...(row.refused_at && row.refused_code
      ? { refused: { count: row.refused, at: row.refused_at.toISOString(), code: row.refused_code } }
      : {}),
  };
}

function fieldsOf(config: object): TriggerField[] {
  const { fields = [] } = config as { fields?: readonly FormField[] };
  return fields.map((field) => ({
    id: field.id,
    title: field.title,
    type: field.type ?? 'text',
    required: field.required ?? false,
    choices: choicesOf(field),
    entity: field.entity ?? null,
  }));
}

const examples = {
  text: 'text',
  number: 1,
  date: '2026-12-01',
  choice: '',
  yes_no: true,
  record: 'record-id',
} as const;

function exampleCall(services: Services, flowId: string, fields: readonly TriggerField[]): string {
  const input = Object.fromEntries(fields.map((field) => [field.id, field.choices[0] ?? examples[field.type]]));
  return [
    `POST ${services.settings.PLUMBLINE_ORIGIN}/api/flows/${flowId}/calls`,
    'Content-Type: application/json',
    'Idempotency-Key: your-id-of-this-call',
    '',
    JSON.stringify({ input }),
  ].join('\n');
}

function pollInfo(row: {
  readonly polled_at: Date | null;
  readonly next_poll_at: Date | null;
  readonly poll_failures: number;
  readonly poll_error: object | null;
}): TriggerInfo['poll'] {
  const error = row.poll_error as { readonly code: string; readonly message: string } | null;
  return {
    lastAt: row.polled_at?.toISOString() ?? null,
    nextAt: row.next_poll_at?.toISOString() ?? null,
    error: error && { code: error.code, message: error.message, failures: row.poll_failures },
  };
}

function fireTimes(config: object, companyZone: string, now: Date): string[] {
  const { cron, timeZone } = config as { cron: string; timeZone?: string };
  return nextTimes(cron, timeZone || companyZone, now, 5).map((time) => time.toISOString());
}

function scheduleInfo(config: object, companyZone: string, waiting: Date | null): TriggerInfo['schedule'] {
  const { cron, timeZone } = config as { cron: string; timeZone?: string };
  return {
    words: describeTimes(cron) ?? cron,
    timeZone: timeZone || companyZone,
    ...(waiting ? { waiting: waiting.toISOString() } : {}),
  };
}

function webhookUrl(services: Services, key: string): string {
  return `${services.settings.PLUMBLINE_ORIGIN}/hooks/${key}`;
}
