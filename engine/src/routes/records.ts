import { countRecords, changeInvoiceStatus, listRecords, readRecord } from '@plumbline/db/queries/records';
import { appendAudit } from '@plumbline/db/queries/audit';
import { entities, statusesOf, type Entity, type EntityId, type Transaction } from '@plumbline/db';
import { Hono } from 'hono';
import { z } from 'zod';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import type { EntityInfo, Page, RecordDetail, RecordRow } from '../contract/index.ts';
import { listRuns } from '../flows/read-run.ts';
import { notFound } from '../problem.ts';
import type { Services } from '../services.ts';
import { valid } from '../validate.ts';

const entityParam = z.object({ entity: z.string() });
const recordParam = z.object({ entity: z.string(), id: z.uuid() });

/** The company's own records. */
export function recordRoutes(services: Services) {
  const { store, now } = services.deps;

  return new Hono<ActorEnv>()
    .get('/', requireRight('record:read'), async (c) => {
      const { companyId } = c.get('actor');
      const counts = await store.tenant(companyId, (tx) => countRecords(tx, companyId));
      const infos: EntityInfo[] = Object.values(entities as Readonly<Record<string, Entity>>).map((entity) => ({
        id: entity.id,
        title: entity.title,
        plural: entity.plural,
        count: counts[entity.id] ?? 0,
        columns: entity.columns,
        statuses: statusesOf(entity),
      }));
      return c.json(infos);
    })
    .get(
      '/:entity',
      requireRight('record:read'),
      valid('param', entityParam),
      valid(
        'query',
        z.strictObject({
          search: z.string().max(200).optional(),
          status: z.string().max(40).optional(),
          cursor: z.string().max(300).optional(),
        }),
      ),
      async (c) => {
        const { companyId } = c.get('actor');
        const entity = knownEntity(c.req.valid('param').entity);
        const { search, status, cursor } = c.req.valid('query');
        const page = await store.tenant(companyId, (tx) =>
          listRecords(tx, {
            companyId,
            entity,
            ...(search ? { search } : {}),
            ...(status ? { status } : {}),
            ...(cursor ? { cursor } : {}),
          }),
        );
        return c.json({
          items: page.rows.map((row) => ({ ...row, updatedAt: row.updatedAt.toISOString() })),
          total: page.total,
          ...(page.next ? { next: page.next } : {}),
        } satisfies Page<RecordRow>);
      },
    )
    .get('/:entity/:id', requireRight('record:read'), valid('param', recordParam), async (c) => {
      const { companyId } = c.get('actor');
      const { entity, id } = c.req.valid('param');
      return c.json(
        await store.tenant(companyId, (tx) => readDetail(tx, services, companyId, knownEntity(entity), id)),
      );
    })
    .post(
      '/vendor_invoice/:id/status',
      requireRight('record:approve'),
      valid('param', z.object({ id: z.uuid() })),
      valid('json', z.strictObject({ to: z.enum(['approved', 'rejected', 'paid']) })),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { id } = c.req.valid('param');
        const { to } = c.req.valid('json');
        const detail = await store.tenant(companyId, async (tx) => {
          const row = await changeInvoiceStatus(tx, { companyId, id, to, actor, now: now() });
          await appendAudit(tx, {
            actor,
            action: `vendor_invoice.${to}`,
            targetType: 'vendor_invoice',
            targetId: id,
            details: { number: row.data['number'], total: row.data['total'] },
          });
          return await readDetail(tx, services, companyId, 'vendor_invoice', id);
        });
        return c.json(detail);
      },
    );
}

function knownEntity(id: string): EntityId {
  if (!Object.hasOwn(entities, id)) throw notFound('kind of record');
  return id as EntityId;
}

async function readDetail(
  tx: Transaction,
  services: Services,
  companyId: string,
  entity: EntityId,
  id: string,
): Promise<RecordDetail> {
  const row = await readRecord(tx, companyId, entity, id);
  if (!row) throw notFound(entities[entity].title.toLowerCase());
  const links = await tx
    .selectFrom('links')
    .innerJoin('integrations', (join) =>
      join
        .onRef('integrations.company_id', '=', 'links.company_id')
        .onRef('integrations.id', '=', 'links.integration_id'),
    )
    .select([
      'integrations.type',
      'integrations.name',
      'integrations.environment',
      'links.remote_type',
      'links.remote_id',
    ])
    .where('links.company_id', '=', companyId)
    .where('links.record_id', '=', id)
    .execute();
  const changes = await tx
    .selectFrom('record_changes')
    .select(['change', 'actor', 'at'])
    .where('company_id', '=', companyId)
    .where('record_id', '=', id)
    .orderBy('seq', 'desc')
    .limit(100)
    .execute();
  const { items } = await listRuns(tx, { companyId, recordId: id, limit: 20 });
  return {
    id: row.id,
    entity,
    version: row.version,
    data: row.data,
    updatedAt: row.updatedAt.toISOString(),
    links: links.map((link) => ({
      connector: link.type,
      connectionName: link.name,
      remoteType: link.remote_type,
      remoteId: link.remote_id,
      url:
        link.environment === 'sandbox' && services.settings.PLUMBLINE_SANDBOX_ORIGIN
          ? `${services.settings.PLUMBLINE_SANDBOX_ORIGIN}/${link.type}/ui`
          : null,
    })),
    changes: changes.map((change) => ({ change: change.change, actor: change.actor, at: change.at.toISOString() })),
    runs: items,
  };
}
