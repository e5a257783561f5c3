import { appendAudit } from '@plumbline/db/queries/audit';
import { json } from '@plumbline/db';
import { emptyFlow, flowDocumentSchema, flowInterface, writeFlowFile, type FlowInfo } from '@plumbline/workflows/flow';
import { Hono } from 'hono';
import { z } from 'zod';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import type {
  BrokenCaller,
  DraftSaved,
  FlowDetail,
  FlowExport,
  FlowPublished,
  FlowVersionDetail,
  Page,
  FlowSummary,
} from '../contract/index.ts';
import { brokenCallers } from '../flows/broken-callers.ts';
import { nameCalledFlows } from '../flows/called-flows.ts';
import { importFlow } from '../flows/import.ts';
import { readFlowInfos } from '../flows/interfaces.ts';
import { lockFlow } from '../flows/lock.ts';
import { publish } from '../flows/publish.ts';
import { findingsOf, listFlows, readFlow } from '../flows/read.ts';
import { rollBack } from '../flows/roll-back.ts';
import { readSamples } from '../flows/samples.ts';
import { saveDraft } from '../flows/save-draft.ts';
import { readDrawing, readLatest, readVersionDocument, readVersions } from '../flows/versions.ts';
import { revisionSeen } from '../if-match.ts';
import { ApiError, notFound } from '../problem.ts';
import type { Services } from '../services.ts';
import { valid, versionNumber } from '../validate.ts';
import { renameValueMaps } from '../value-maps/bind.ts';

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
      valid('query', z.strictObject({ version: versionNumber.optional() })),
      async (c) => {
        const { companyId } = c.get('actor');
        const { id } = c.req.valid('param');
        const { version } = c.req.valid('query');
        const { flow, document } = await store.tenant(companyId, async (tx) => {
          const flow = await readFlow(tx, companyId, id, info, now());
          const document = await readDrawing(tx, { companyId, flowId: id, version });
          const named = await nameCalledFlows(tx, companyId, document);
          return { flow, document: await renameValueMaps(tx, companyId, named) };
        });
        return c.json(writeFlowFile({ name: flow.name, description: flow.description, document }) satisfies FlowExport);
      },
    )
    .get('/interfaces', requireRight('flow:read'), async (c) => {
      const { companyId } = c.get('actor');
      const flows = await store.tenant(companyId, (tx) => readFlowInfos(tx, { companyId, info }));
      return c.json(flows satisfies readonly FlowInfo[]);
    })
    .get(
      '/:id/broken-callers',
      requireRight('flow:read'),
      valid('param', flowId),
      valid('query', z.strictObject({ version: versionNumber.optional() })),
      async (c) => {
        const { companyId } = c.get('actor');
        const { id } = c.req.valid('param');
        const { version } = c.req.valid('query');
        const callers = await store.tenant(companyId, async (tx) => {
          const next = flowInterface(await readDrawing(tx, { companyId, flowId: id, version }), info);
          return await brokenCallers(tx, { companyId, flowId: id, next, info });
        });
        return c.json(callers satisfies readonly BrokenCaller[]);
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
        const revision = revisionSeen(c);
        if (revision === undefined)
          throw new ApiError('invalid_input', 'If-Match must hold the revision the draft was read at.', {
            path: 'If-Match',
          });
        const saved = await store.tenant(companyId, async (tx): Promise<DraftSaved> => ({
          revision: await saveDraft(tx, { companyId, flowId: id, revision, ...input, author: actor, now: now() }),
          findings: await findingsOf(tx, { companyId, flowId: id, document: input.document, info }),
        }));
        return c.json(saved);
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
        const seen = revisionSeen(c);
        const version = await store.tenant(companyId, async (tx): Promise<FlowPublished> => {
          // Held until it is published: what is read here is what goes live, and its authors with it.
          const revision = await lockFlow(tx, companyId, id);
          if (seen !== undefined && seen !== revision)
            throw new ApiError(
              'revision_conflict',
              'This flow has been changed since you looked at it, so it was not published.',
              { fix: 'Look at what has changed, and publish again.' },
            );
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
          return { ...(await readLatest(tx, companyId, id)), brokenCallers: published.brokenCallers };
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
          if (on)
            await tx
              .updateTable('subscriptions')
              .set({ next_poll_at: now() })
              .where('company_id', '=', companyId)
              .where('flow_id', '=', id)
              .where('kind', '=', 'poll')
              .where('active', '=', true)
              .where('next_poll_at', 'is', null)
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
      valid('param', z.object({ id: z.uuid(), number: versionNumber })),
      async (c) => {
        const { companyId } = c.get('actor');
        const { id, number } = c.req.valid('param');
        const version = await store.tenant(companyId, async (tx): Promise<FlowVersionDetail | undefined> => {
          const summary = (await readVersions(tx, companyId, id)).find((candidate) => candidate.number === number);
          return summary && { ...summary, document: await readVersionDocument(tx, { companyId, flowId: id, number }) };
        });
        if (!version) throw notFound('version');
        return c.json(version);
      },
    )
    .post(
      '/:id/versions/:number/publish',
      requireRight('flow:publish'),
      valid('param', z.object({ id: z.uuid(), number: versionNumber })),
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
