import { appendAudit } from '@plumbline/db/queries/audit';
import { Hono } from 'hono';
import { z } from 'zod';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import { createOAuth } from '../connections/oauth.ts';
import { listConnections, readConnection } from '../connections/read.ts';
import { resumeParked } from '../connections/resume.ts';
import type { IntegrationCard, IntegrationLog } from '../contract/index.ts';
import { ApiError, notFound } from '../problem.ts';
import type { Services } from '../services.ts';
import { valid } from '../validate.ts';

const connectionId = z.object({ id: z.uuid() });

/** Links to vendors' accounts. */
export function connectionRoutes(services: Services) {
  const { deps, connections } = services;
  const { store } = deps;
  const oauth = createOAuth(services);

  return new Hono<ActorEnv>()
    .get('/', requireRight('connection:read'), async (c) => {
      const { companyId } = c.get('actor');
      return c.json(await store.tenant(companyId, (tx) => listConnections(tx, companyId)));
    })
    .post(
      '/authorize',
      requireRight('connection:manage'),
      valid(
        'json',
        z.strictObject({
          connector: z.string().max(64),
          environment: z.enum(['sandbox', 'live']),
          returnTo: z.string().max(500),
          connectionId: z.uuid().optional(),
        }),
      ),
      async (c) => c.json({ url: await oauth.authorize(c.get('actor'), c.req.valid('json')) }),
    )
    .get('/:id', requireRight('connection:read'), valid('param', connectionId), async (c) => {
      const { companyId } = c.get('actor');
      return c.json(await store.tenant(companyId, (tx) => readConnection(tx, companyId, c.req.valid('param').id)));
    })
    .get('/:id/logs', requireRight('connection:read'), valid('param', connectionId), async (c) => {
      const { companyId } = c.get('actor');
      const { id } = c.req.valid('param');
      const rows = await store.tenant(companyId, async (tx) => {
        await readConnection(tx, companyId, id);
        return await tx
          .selectFrom('integration_logs')
          .selectAll()
          .where('company_id', '=', companyId)
          .where('integration_id', '=', id)
          .orderBy('created_at', 'desc')
          .limit(100)
          .execute();
      });
      const logs: IntegrationLog[] = rows.map((row) => ({
        id: row.id,
        action: row.action,
        direction: row.direction,
        entityType: row.entity_type,
        entityCount: row.entity_count,
        status: row.status,
        externalId: row.external_id,
        runId: row.run_id,
        message: typeof row.error_details?.['message'] === 'string' ? row.error_details['message'] : null,
        createdAt: row.created_at.toISOString(),
      }));
      return c.json(logs);
    })
    .get(
      '/:id/options/:name',
      requireRight('connection:use'),
      valid('param', z.object({ id: z.uuid(), name: z.string().max(64) })),
      valid('query', z.strictObject({ query: z.string().max(100).optional() })),
      async (c) => {
        const { companyId } = c.get('actor');
        const { id, name } = c.req.valid('param');
        await store.tenant(companyId, (tx) => readConnection(tx, companyId, id));
        const { connector, context } = await connections.open(companyId, id);
        const load = Object.hasOwn(connector.options, name) ? connector.options[name] : undefined;
        if (!load) throw notFound('list of choices');
        const choices = await load({
          http: connector.http({ connection: context, fetch: deps.fetch, now: deps.now }),
          connection: context,
        });
        const word = (c.req.valid('query').query ?? '').toLowerCase();
        return c.json(choices.filter((choice) => choice.label.toLowerCase().includes(word)).slice(0, 1_000));
      },
    )
    .post('/:id/test', requireRight('connection:use'), valid('param', connectionId), async (c) => {
      const { companyId } = c.get('actor');
      const { id } = c.req.valid('param');
      await store.tenant(companyId, (tx) => readConnection(tx, companyId, id));
      try {
        const { connector, context } = await connections.open(companyId, id);
        await connector.test({
          http: connector.http({ connection: context, fetch: deps.fetch, now: deps.now }),
          connection: context,
        });
        await store.tenant(companyId, (tx) =>
          tx
            .updateTable('integrations')
            .set({ status: 'connected', error_message: null, updated_at: deps.now() })
            .where('company_id', '=', companyId)
            .where('id', '=', id)
            .execute(),
        );
        await resumeParked(services, companyId, id);
      } catch (error) {
        const message = error instanceof Error ? error.message : 'The test failed.';
        const status = (error as { kind?: string }).kind === 'reauthorize' ? 'needs_reconnect' : 'degraded';
        await store.tenant(companyId, (tx) =>
          tx
            .updateTable('integrations')
            .set({ status, error_message: message, updated_at: deps.now() })
            .where('company_id', '=', companyId)
            .where('id', '=', id)
            .execute(),
        );
      }
      return c.json(await store.tenant(companyId, (tx) => readConnection(tx, companyId, id)));
    })
    .delete('/:id', requireRight('connection:manage'), valid('param', connectionId), async (c) => {
      const { companyId, name: actor } = c.get('actor');
      const { id } = c.req.valid('param');
      await store.tenant(companyId, async (tx) => {
        const connection = await readConnection(tx, companyId, id);
        const on = await tx
          .selectFrom('flows')
          .select(['id', 'name'])
          .where('company_id', '=', companyId)
          .where('status', '=', 'on')
          .execute();
        const inUse = connection.flows.filter((flow) => on.some((row) => row.id === flow.id));
        if (inUse.length > 0)
          throw new ApiError(
            'connection_in_use',
            `${connection.name} is used by ${inUse.map((flow) => `"${flow.name}"`).join(', ')}.`,
            { fix: 'Switch those flows off first.' },
          );
        // The row stays for its history; what could open the account goes.
        await tx
          .updateTable('integrations')
          .set({ status: 'disconnected', config: '{}', token_expires_at: null, updated_at: deps.now() })
          .where('company_id', '=', companyId)
          .where('id', '=', id)
          .execute();
        await appendAudit(tx, {
          actor,
          action: 'connection.disconnected',
          targetType: 'connection',
          targetId: id,
          details: { connector: connection.connector },
        });
      });
      return c.body(null, 204);
    });
}

/** `/oauth/callback`: where vendors send the browser back to. */
export function oauthRoutes(services: Services) {
  const oauth = createOAuth(services);
  return new Hono<ActorEnv>().get('/callback', async (c) => {
    const actor = c.get('actor');
    const target = await oauth.callback(actor, c.req.query());
    const connected = new URL(target, services.settings.PLUMBLINE_ORIGIN).searchParams.get('connected');
    if (connected) await resumeParked(services, actor.companyId, connected);
    return c.redirect(target, 303);
  });
}

/** The hub: what can be connected, and what is. */
export function integrationRoutes(services: Services) {
  const { deps, connections } = services;
  return new Hono<ActorEnv>().get('/', requireRight('connection:read'), async (c) => {
    const { companyId } = c.get('actor');
    const existing = await deps.store.tenant(companyId, (tx) => listConnections(tx, companyId));
    const cards: IntegrationCard[] = [...deps.catalog.connectors.values()].map((connector) => ({
      connector: connector.id,
      title: connector.title,
      category: connector.category,
      description: connector.description,
      monogram: connector.monogram,
      sandboxAvailable: deps.sandboxOrigin !== undefined && connections.client(connector, 'sandbox') !== undefined,
      liveAvailable: connections.client(connector, 'live') !== undefined,
      connections: existing.filter((connection) => connection.connector === connector.id),
    }));
    return c.json(cards);
  });
}
