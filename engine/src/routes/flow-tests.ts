import { json } from '@plumbline/db';
import {
  findNodeType,
  flowDocumentSchema,
  portsOf,
  type CatalogInfo,
  type FlowDocument,
} from '@plumbline/workflows/flow';
import { Hono } from 'hono';
import { z } from 'zod';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import type { FlowPin, TestRequest } from '../contract/index.ts';
import { startCarriers } from '../dispatch/start-carriers.ts';
import { readFlow } from '../flows/read.ts';
import { tryFlow } from '../flows/try-flow.ts';
import { ApiError, notFound } from '../problem.ts';
import type { Services } from '../services.ts';
import { valid } from '../validate.ts';

const flowId = z.object({ id: z.uuid() });
const pinned = z.object({ id: z.uuid(), nodeId: z.string().max(48) });

const request = z.strictObject({
  document: flowDocumentSchema.optional(),
  only: z.string().max(48).optional(),
  upTo: z.string().max(48).optional(),
  trigger: z.strictObject({ nodeId: z.string().max(48).optional(), output: z.json().optional() }).optional(),
  outputs: z.record(z.string().max(48), z.json()).optional(),
  item: z.json().optional(),
});

/** Trying a drawing out, and what its steps hand on meanwhile. */
export function flowTestRoutes(services: Services) {
  const { deps, info } = services;
  const { store, now } = deps;
  return new Hono<ActorEnv>()
    .post('/:id/tests', requireRight('flow:edit'), valid('param', flowId), valid('json', request), async (c) => {
      const { companyId } = c.get('actor');
      const { id } = c.req.valid('param');
      const given = c.req.valid('json');
      const run = await store.tenant(companyId, async (tx) => {
        const { draft } = await readFlow(tx, companyId, id, info, now());
        return await tryFlow(tx, {
          companyId,
          flowId: id,
          document: given.document ?? draft,
          request: given as TestRequest,
          info,
          now: now(),
        });
      });
      // Not waited for: if Temporal is away, the dispatcher starts it when it is back.
      void startCarriers({ store, carriers: services.carriers, log: deps.log, now }, [run]);
      return c.json({ runId: run.runId }, 202);
    })
    .get('/:id/pins', requireRight('flow:read'), valid('param', flowId), async (c) => {
      const { companyId } = c.get('actor');
      const { id } = c.req.valid('param');
      const pins = await store.tenant(companyId, async (tx): Promise<FlowPin[]> => {
        await readFlow(tx, companyId, id, info, now());
        const rows = await tx
          .selectFrom('flow_pins')
          .selectAll()
          .where('company_id', '=', companyId)
          .where('flow_id', '=', id)
          .orderBy('node_id')
          .execute();
        return rows.map((row) => ({
          nodeId: row.node_id,
          port: row.port,
          output: row.output,
          pinnedBy: row.pinned_by,
          pinnedAt: row.pinned_at.toISOString(),
        }));
      });
      return c.json(pins);
    })
    .put(
      '/:id/pins/:nodeId',
      requireRight('flow:edit'),
      valid('param', pinned),
      valid('json', z.strictObject({ output: z.json(), port: z.string().max(64).optional() })),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { id, nodeId } = c.req.valid('param');
        const { output, port: given } = c.req.valid('json');
        await store.tenant(companyId, async (tx) => {
          const { draft } = await readFlow(tx, companyId, id, info, now());
          const port = pinnedPort(draft, info, nodeId, given);
          const pin = { output: json(output), port, pinned_by: actor, pinned_at: now() };
          await tx
            .insertInto('flow_pins')
            .values({ company_id: companyId, flow_id: id, node_id: nodeId, ...pin })
            .onConflict((conflict) => conflict.columns(['company_id', 'flow_id', 'node_id']).doUpdateSet(pin))
            .execute();
        });
        return c.body(null, 204);
      },
    )
    .delete('/:id/pins/:nodeId', requireRight('flow:edit'), valid('param', pinned), async (c) => {
      const { companyId } = c.get('actor');
      const { id, nodeId } = c.req.valid('param');
      await store.tenant(companyId, async (tx) => {
        await readFlow(tx, companyId, id, info, now());
        await tx
          .deleteFrom('flow_pins')
          .where('company_id', '=', companyId)
          .where('flow_id', '=', id)
          .where('node_id', '=', nodeId)
          .execute();
      });
      return c.body(null, 204);
    });
}

/**
 * The way out that a step of the draft is pinned to.
 * @param given - default: its first
 * @throws ApiError `not_found` for a step that is none, `invalid_input` for a way that it does not have.
 */
function pinnedPort(draft: FlowDocument, info: CatalogInfo, nodeId: string, given: string | undefined): string {
  const node = Object.hasOwn(draft.nodes, nodeId) ? draft.nodes[nodeId] : undefined;
  if (!node) throw notFound('step');
  const type = findNodeType(info, node.type, node.version);
  // Of a type that is not installed nobody knows the ways.
  const ports = type ? portsOf(node, type).map(({ id }) => id) : [given ?? 'out'];
  const port = given ?? ports[0] ?? 'out';
  if (ports.includes(port)) return port;
  throw new ApiError('invalid_input', `"${node.name}" has no way out called "${port}".`, {
    path: 'port',
    fix: `Choose one of these: ${ports.join(', ')}.`,
  });
}
