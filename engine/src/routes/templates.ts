import { randomUUID } from 'node:crypto';
import { appendAudit } from '@plumbline/db/queries/audit';
import { json, type Transaction } from '@plumbline/db';
import type { FlowDocument } from '@plumbline/workflows/flow';
import { Hono } from 'hono';
import { z } from 'zod';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import { listConnections } from '../connections/read.ts';
import type { FlowDetail, TemplateDetail, TemplateSummary } from '../contract/index.ts';
import { publish } from '../flows/publish.ts';
import { readFlow } from '../flows/read.ts';
import { ApiError, notFound } from '../problem.ts';
import type { Services } from '../services.ts';
import type { Template } from '../templates.ts';
import { valid } from '../validate.ts';
import { bindValueMaps } from '../value-maps/bind.ts';

const installSchema = z.strictObject({
  name: z.string().trim().min(1).max(120).optional(),
  connections: z.record(z.string(), z.uuid()),
  params: z.record(z.string(), z.json()),
  turnOn: z.boolean(),
});

/** The gallery, and installing from it. */
export function templateRoutes(services: Services) {
  const { deps, info, templates } = services;
  const { store, vault, catalog, now } = deps;

  const installedAs = (tx: Transaction, companyId: string) =>
    tx
      .selectFrom('flows')
      .select(['id', 'name', 'template_slug'])
      .where('company_id', '=', companyId)
      .where('template_slug', 'is not', null)
      .orderBy('created_at')
      .execute();

  const find = (slug: string): Template => {
    const template = templates.get(slug);
    if (!template) throw notFound('template');
    return template;
  };

  return new Hono<ActorEnv>()
    .get('/', requireRight('flow:read'), async (c) => {
      const { companyId } = c.get('actor');
      const flows = await store.tenant(companyId, (tx) => installedAs(tx, companyId));
      return c.json([...templates.values()].map((template) => summarize(template, flows)));
    })
    .get('/:slug', requireRight('flow:read'), async (c) => {
      const { companyId } = c.get('actor');
      const template = find(c.req.param('slug'));
      const [flows, connections] = await store.tenant(
        companyId,
        async (tx) => [await installedAs(tx, companyId), await listConnections(tx, companyId)] as const,
      );
      const { document } = template;
      return c.json({
        ...summarize(template, flows),
        description: template.description,
        steps: template.steps,
        document,
        connections: Object.entries(document.connections).map(([slot, { connector, title }]) => ({
          slot,
          connector,
          title,
          candidates: connections.filter((candidate) => candidate.connector === connector),
        })),
        params: Object.entries(document.params).map(([id, param]) => ({
          id,
          title: param.title,
          ...(param.description ? { description: param.description } : {}),
          type: param.type,
          ...(param.optionsFrom ? { optionsFrom: param.optionsFrom } : {}),
          value: param.value,
          required: param.value === null,
        })),
      } satisfies TemplateDetail);
    })
    .post('/:slug/install', requireRight('flow:publish'), valid('json', installSchema), async (c) => {
      const { companyId, name: actor } = c.get('actor');
      const template = find(c.req.param('slug'));
      const input = c.req.valid('json');
      const flow: FlowDetail = await store.tenant(companyId, async (tx) => {
        const { document } = await bindValueMaps(tx, companyId, fill(template, input));
        const id = randomUUID();
        await tx
          .insertInto('flows')
          .values({
            id,
            company_id: companyId,
            name: input.name ?? template.title,
            description: template.outcome,
            status: 'draft',
            draft: json(document),
            published_version: null,
            template_slug: template.slug,
            template_version: template.version,
            created_by: actor,
          })
          .execute();
        await appendAudit(tx, {
          actor,
          action: 'template.installed',
          targetType: 'flow',
          targetId: id,
          details: { template: template.slug, version: template.version },
        });
        if (input.turnOn) {
          const seal = async (subscriptionId: string, secret: string) =>
            json(
              await vault.seal({ companyId, table: 'subscriptions', rowId: subscriptionId, column: 'secret' }, secret),
            );
          await publish(tx, {
            companyId,
            flowId: id,
            document,
            note: `Installed from the template "${template.title}"`,
            publishedBy: actor,
            catalog,
            info,
            seal,
            now: now(),
          });
          await tx
            .updateTable('flows')
            .set({ status: 'on' })
            .where('company_id', '=', companyId)
            .where('id', '=', id)
            .execute();
        }
        return await readFlow(tx, companyId, id, info, now());
      });
      return c.json(flow, 201);
    });
}

function summarize(
  template: Template,
  flows: readonly { readonly id: string; readonly name: string; readonly template_slug: string | null }[],
): TemplateSummary {
  const { slug, version, title, outcome, category, connectors } = template;
  return {
    slug,
    version,
    title,
    outcome,
    category,
    connectors,
    installedAs: flows.filter((flow) => flow.template_slug === slug).map(({ id, name }) => ({ flowId: id, name })),
  };
}

/** The template's document with the company's connections and settings in it. */
function fill(template: Template, input: z.infer<typeof installSchema>): FlowDocument {
  const { document } = template;
  for (const slot of Object.keys(input.connections))
    if (!document.connections[slot])
      throw new ApiError('unknown_field', `The template has no connection "${slot}".`, { path: `connections.${slot}` });
  for (const id of Object.keys(input.params))
    if (!document.params[id])
      throw new ApiError('unknown_field', `The template has no setting "${id}".`, { path: `params.${id}` });
  return {
    ...document,
    connections: Object.fromEntries(
      Object.entries(document.connections).map(([slot, connection]) => [
        slot,
        { ...connection, id: input.connections[slot] ?? null },
      ]),
    ),
    params: Object.fromEntries(
      Object.entries(document.params).map(([id, param]) => [id, { ...param, value: input.params[id] ?? param.value }]),
    ),
  };
}
