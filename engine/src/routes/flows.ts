import { randomBytes } from 'node:crypto';
import { appendAudit } from '@plumbline/db/queries/audit';
import { json, type Sealed } from '@plumbline/db';
import { standardSecretBytes } from '@plumbline/nodes';
import { emptyFlow, flowDocumentSchema, nextTimes, writeFlowFile, type FlowDocument } from '@plumbline/workflows/flow';
import { Hono } from 'hono';
import { z } from 'zod';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import type {
  DraftSaved,
  FlowDetail,
  FlowExport,
  FlowVersionDetail,
  FlowVersionSummary,
  Page,
  FlowSummary,
  TriggerInfo,
} from '../contract.ts';
import { importFlow } from '../flows/import.ts';
import { publish } from '../flows/publish.ts';
import { findingsOf, listFlows, readFlow } from '../flows/read.ts';
import { rollBack } from '../flows/roll-back.ts';
import { readSamples } from '../flows/samples.ts';
import { saveDraft } from '../flows/save-draft.ts';
import { readVersions } from '../flows/versions.ts';
import { ApiError, notFound } from '../problem.ts';
import type { Services } from '../services.ts';
import { valid } from '../validate.ts';

const flowId = z.object({ id: z.uuid() });
const name = z.string().trim().min(1).max(120);

/** Flows: draw, save, publish, switch, start, look back. */
export function flowRoutes(services: Services) {
  const { deps, info } = services;
  const { store, vault, catalog, now } = deps;

  const sealSecret = (companyId: string) => async (subscriptionId: string, secret: string) =>
    json(await vault.seal({ companyId, table: 'subscriptions', rowId: subscriptionId, column: 'secret' }, secret));

  return new Hono<ActorEnv>()
    .get('/', requireRight('flow:read'), async (c) => {
      const { companyId } = c.get('actor');
      const items = await store.tenant(companyId, (tx) => listFlows(tx, companyId, info, now()));
      return c.json({ items } satisfies Page<FlowSummary>);
    })
    .post('/', requireRight('flow:edit'), valid('json', z.strictObject({ name })), async (c) => {
      const { companyId, name: actor } = c.get('actor');
      const input = c.req.valid('json');
      const flow: FlowDetail = await store.tenant(companyId, async (tx) => {
        const row = await tx
          .insertInto('flows')
          .values({
            company_id: companyId,
            name: input.name,
            status: 'draft',
            draft: json(emptyFlow()),
            published_version: null,
            template_slug: null,
            template_version: null,
            created_by: actor,
          })
          .returning('id')
          .executeTakeFirstOrThrow();
        await appendAudit(tx, {
          actor,
          action: 'flow.created',
          targetType: 'flow',
          targetId: row.id,
          details: { name: input.name },
        });
        return await readFlow(tx, companyId, row.id, info, now());
      });
      return c.json(flow, 201);
    })
    .post(
      '/import',
      requireRight('flow:edit'),
      valid(
        'json',
        z.strictObject({ text: z.string(), name: name.optional(), into: z.uuid().optional(), dryRun: z.boolean() }),
      ),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { text, name, into, dryRun } = c.req.valid('json');
        const given = { text, dryRun, ...(name ? { name } : {}), ...(into ? { into } : {}) };
        const imported = await store.tenant(companyId, (tx) => importFlow(tx, services, { companyId, actor }, given));
        return c.json(imported, dryRun ? 200 : 201);
      },
    )
    .get(
      '/:id/export',
      requireRight('flow:read'),
      valid('param', flowId),
      valid('query', z.strictObject({ version: z.coerce.number().int().positive().optional() })),
      async (c) => {
        const { companyId } = c.get('actor');
        const { id } = c.req.valid('param');
        const { version } = c.req.valid('query');
        const { flow, document } = await store.tenant(companyId, async (tx) => {
          const flow = await readFlow(tx, companyId, id, info, now());
          if (version === undefined) return { flow, document: flow.draft };
          const row = await tx
            .selectFrom('flow_versions')
            .select('document')
            .where('company_id', '=', companyId)
            .where('flow_id', '=', id)
            .where('number', '=', version)
            .executeTakeFirst();
          if (!row) throw notFound('version');
          return { flow, document: row.document as FlowDocument };
        });
        return c.json(writeFlowFile({ name: flow.name, description: flow.description, document }) satisfies FlowExport);
      },
    )
    .get('/:id', requireRight('flow:read'), valid('param', flowId), async (c) => {
      const { companyId } = c.get('actor');
      return c.json(
        await store.tenant(companyId, (tx) => readFlow(tx, companyId, c.req.valid('param').id, info, now())),
      );
    })
    .delete('/:id', requireRight('flow:edit'), valid('param', flowId), async (c) => {
      const { companyId, name: actor } = c.get('actor');
      const { id } = c.req.valid('param');
      await store.tenant(companyId, async (tx) => {
        const flow = await readFlow(tx, companyId, id, info, now());
        const open = await tx
          .selectFrom('runs')
          .select('id')
          .where('company_id', '=', companyId)
          .where('flow_id', '=', id)
          .where('finished_at', 'is', null)
          .limit(1)
          .executeTakeFirst();
        if (open)
          throw new ApiError('invalid_transition', `"${flow.name}" still has runs that have not ended.`, {
            fix: 'Switch it off, and cancel or finish its runs first.',
          });
        await tx.deleteFrom('flows').where('company_id', '=', companyId).where('id', '=', id).execute();
        await appendAudit(tx, {
          actor,
          action: 'flow.deleted',
          targetType: 'flow',
          targetId: id,
          details: { name: flow.name },
        });
      });
      return c.body(null, 204);
    })
    .put(
      '/:id/draft',
      requireRight('flow:edit'),
      valid('param', flowId),
      valid('json', z.strictObject({ name: name.optional(), document: flowDocumentSchema })),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { id } = c.req.valid('param');
        const input = c.req.valid('json');
        const revision = Number(/^"?(\d+)"?$/.exec(c.req.header('if-match') ?? '')?.[1] ?? NaN);
        if (Number.isNaN(revision))
          throw new ApiError('invalid_input', 'If-Match must hold the revision the draft was read at.', {
            path: 'If-Match',
          });
        const saved = await store.tenant(companyId, (tx) =>
          saveDraft(tx, { companyId, flowId: id, revision, ...input, author: actor, now: now() }),
        );
        return c.json({ revision: saved, findings: findingsOf(input.document, info) } satisfies DraftSaved);
      },
    )
    .post(
      '/:id/publish',
      requireRight('flow:publish'),
      valid('param', flowId),
      valid('json', z.strictObject({ note: z.string().max(500).optional() })),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { id } = c.req.valid('param');
        const { note } = c.req.valid('json');
        const version = await store.tenant(companyId, async (tx) => {
          const flow = await readFlow(tx, companyId, id, info, now());
          const published = await publish(tx, {
            companyId,
            flowId: id,
            document: flow.draft,
            ...(note ? { note } : {}),
            publishedBy: actor,
            authors: flow.authors,
            catalog,
            info,
            seal: sealSecret(companyId),
            now: now(),
          });
          await tx
            .updateTable('flows')
            .set({ draft_authors: '{}', ...(flow.status === 'draft' ? { status: 'on' as const } : {}) })
            .where('company_id', '=', companyId)
            .where('id', '=', id)
            .execute();
          await appendAudit(tx, {
            actor,
            action: 'flow.published',
            targetType: 'flow',
            targetId: id,
            details: { version: published.number, plan: published.hash },
          });
          const [latest] = await readVersions(tx, companyId, id);
          return latest as FlowVersionSummary;
        });
        return c.json(version);
      },
    )
    .post(
      '/:id/switch',
      requireRight('flow:publish'),
      valid('param', flowId),
      valid('json', z.strictObject({ on: z.boolean() })),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { id } = c.req.valid('param');
        const { on } = c.req.valid('json');
        const flow = await store.tenant(companyId, async (tx) => {
          const before = await readFlow(tx, companyId, id, info, now());
          if (on && before.publishedVersion === null)
            throw new ApiError('invalid_transition', `"${before.name}" has never been published.`, {
              fix: 'Publish it first.',
            });
          await tx
            .updateTable('flows')
            .set({ status: on ? 'on' : 'off' })
            .where('company_id', '=', companyId)
            .where('id', '=', id)
            .execute();
          await appendAudit(tx, {
            actor,
            action: on ? 'flow.switched_on' : 'flow.switched_off',
            targetType: 'flow',
            targetId: id,
          });
          return await readFlow(tx, companyId, id, info, now());
        });
        return c.json(flow);
      },
    )
    .post(
      '/:id/start',
      requireRight('flow:run'),
      valid('param', flowId),
      valid('json', z.strictObject({ values: z.record(z.string().max(100), z.json()) })),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { id } = c.req.valid('param');
        const { values } = c.req.valid('json');
        const key = await store.tenant(companyId, async (tx) => {
          const flow = await readFlow(tx, companyId, id, info, now());
          const subscription = await tx
            .selectFrom('subscriptions')
            .select('key')
            .where('company_id', '=', companyId)
            .where('flow_id', '=', id)
            .where('kind', '=', 'manual')
            .where('active', '=', true)
            .executeTakeFirst();
          if (!subscription || flow.status !== 'on')
            throw new ApiError('invalid_transition', `"${flow.name}" cannot be started by hand.`, {
              fix: 'It needs the trigger "Someone starts it", published and switched on.',
            });
          return subscription.key;
        });
        const event = await services.inbox.submit(companyId, {
          kind: 'manual',
          key,
          dedupeKey: crypto.randomUUID(),
          data: { values, actor },
        });
        services.look();
        return c.json({ eventId: event.id }, 202);
      },
    )
    .get('/:id/versions', requireRight('flow:read'), valid('param', flowId), async (c) => {
      const { companyId } = c.get('actor');
      const { id } = c.req.valid('param');
      return c.json(
        await store.tenant(companyId, async (tx) => {
          await readFlow(tx, companyId, id, info, now());
          return await readVersions(tx, companyId, id);
        }),
      );
    })
    .get(
      '/:id/versions/:number',
      requireRight('flow:read'),
      valid('param', z.object({ id: z.uuid(), number: z.coerce.number().int().positive() })),
      async (c) => {
        const { companyId } = c.get('actor');
        const { id, number } = c.req.valid('param');
        const version = await store.tenant(companyId, async (tx): Promise<FlowVersionDetail | undefined> => {
          const summary = (await readVersions(tx, companyId, id)).find((candidate) => candidate.number === number);
          const row = await tx
            .selectFrom('flow_versions')
            .select('document')
            .where('company_id', '=', companyId)
            .where('flow_id', '=', id)
            .where('number', '=', number)
            .executeTakeFirst();
          return summary && row && { ...summary, document: row.document as FlowDocument };
        });
        if (!version) throw notFound('version');
        return c.json(version);
      },
    )
    .post(
      '/:id/versions/:number/publish',
      requireRight('flow:publish'),
      valid('param', z.object({ id: z.uuid(), number: z.coerce.number().int().positive() })),
      valid('json', z.strictObject({ note: z.string().max(500).optional() })),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { id, number } = c.req.valid('param');
        const { note } = c.req.valid('json');
        const version = await store.tenant(companyId, (tx) =>
          rollBack(tx, services, {
            ...{ companyId, flowId: id, number, actor },
            ...(note ? { note } : {}),
            seal: sealSecret(companyId),
          }),
        );
        return c.json(version);
      },
    )
    .get('/:id/triggers', requireRight('flow:read'), valid('param', flowId), async (c) => {
      const { companyId } = c.get('actor');
      const { id } = c.req.valid('param');
      const rows = await store.tenant(companyId, async (tx) => {
        await readFlow(tx, companyId, id, info, now());
        return await tx
          .selectFrom('subscriptions')
          .innerJoin('companies', 'companies.id', 'subscriptions.company_id')
          .select(['node_id', 'kind', 'key', 'active', 'config', 'companies.time_zone'])
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
        ...(row.kind === 'schedule' ? { nextFireTimes: fireTimes(row.config, row.time_zone, now()) } : {}),
        ...(row.kind === 'webhook'
          ? {
              webhook: {
                url: webhookUrl(services, row.key),
                curl: curlCommand(webhookUrl(services, row.key), '$PLUMBLINE_WEBHOOK_KEY_HEX'),
              },
            }
          : {}),
      }));
      return c.json(triggers);
    })
    .post(
      '/:id/triggers/:nodeId/secret',
      requireRight('secret:reveal'),
      valid('param', z.object({ id: z.uuid(), nodeId: z.string() })),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { id, nodeId } = c.req.valid('param');
        const row = await store.tenant(companyId, async (tx) => {
          const found = await tx
            .selectFrom('subscriptions')
            .select(['id', 'key', 'secret'])
            .where('company_id', '=', companyId)
            .where('flow_id', '=', id)
            .where('node_id', '=', nodeId)
            .where('kind', '=', 'webhook')
            .executeTakeFirst();
          if (!found?.secret) throw notFound('webhook trigger');
          await appendAudit(tx, {
            actor,
            action: 'webhook.secret_revealed',
            targetType: 'flow',
            targetId: id,
            details: { nodeId },
          });
          return found;
        });
        const secret = (await vault.open(
          { companyId, table: 'subscriptions', rowId: row.id, column: 'secret' },
          row.secret as Sealed,
        )) as string;
        c.header('Cache-Control', 'no-store');
        return c.json({
          secret,
          curl: curlCommand(webhookUrl(services, row.key), standardSecretBytes(secret).toString('hex')),
        });
      },
    )
    .get('/:id/samples', requireRight('flow:read'), valid('param', flowId), async (c) => {
      const { companyId } = c.get('actor');
      const { id } = c.req.valid('param');
      return c.json(
        await store.tenant(companyId, async (tx) => {
          const flow = await readFlow(tx, companyId, id, info, now());
          return await readSamples(tx, { companyId, flowId: id, document: flow.draft, catalog, now: now() });
        }),
      );
    });
}

function fireTimes(config: object, companyZone: string, now: Date): string[] {
  const { cron, timeZone } = config as { cron: string; timeZone?: string };
  return nextTimes(cron, timeZone || companyZone, now, 5).map((time) => time.toISOString());
}

function webhookUrl(services: Services, key: string): string {
  return `${services.settings.PLUMBLINE_ORIGIN}/hooks/${key}`;
}

/** Signs and posts with nothing but a shell, openssl and curl. */
function curlCommand(url: string, keyHex: string): string {
  return [
    `body='{"text":"Hello from the job site"}'`,
    // The id is the delivery's name: run twice, the command delivers the same thing twice.
    `id="msg_${randomBytes(9).toString('hex')}"; now=$(date +%s)`,
    `sig=$(printf '%s.%s.%s' "$id" "$now" "$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:${keyHex}" -binary | openssl base64 -A)`,
    `curl -sS ${url} -H 'Content-Type: application/json' -H "webhook-id: $id" -H "webhook-timestamp: $now" -H "webhook-signature: v1,$sig" -d "$body"`,
  ].join('\n');
}
