import { Hono } from 'hono';
import { z } from 'zod';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import { decideWaiting } from '../runs/decide-waiting.ts';
import { dropEvents, listDrops, putBack } from '../runs/drop-events.ts';
import { putFirst } from '../runs/pending-events.ts';
import { readQueue } from '../runs/read-queue.ts';
import type { Services } from '../services.ts';
import { valid } from '../validate.ts';

const queueQuery = z.strictObject({
  shown: z.coerce.number().int().min(1).max(2_000).default(200),
  flowId: z.uuid().optional(),
});

const waitingDecision = z.strictObject({
  action: z.enum(['wake', 'drop']),
  steps: z
    .array(z.strictObject({ runId: z.uuid(), nodeId: z.string().max(48), iteration: z.string().max(200) }))
    .min(1)
    .max(200),
});

const dropRequest = z.strictObject({
  choice: z.union([
    z.strictObject({ ids: z.array(z.uuid()).min(1).max(1_000) }),
    z.strictObject({
      kind: z.string().max(20).optional(),
      key: z.string().max(400).optional(),
      q: z.string().trim().min(1).max(200).optional(),
    }),
  ]),
  reason: z.string().trim().max(500).default(''),
  dryRun: z.boolean(),
  upTo: z
    .string()
    .regex(/^\d{1,18}$/)
    .optional(),
});

/** What waits, why, and until when; and whose turn comes first. */
export function queueRoutes(services: Services) {
  const { store } = services.deps;
  return new Hono<ActorEnv>()
    .get('/', requireRight('run:read'), valid('query', queueQuery), async (c) => {
      const { companyId } = c.get('actor');
      const { shown, flowId } = c.req.valid('query');
      return c.json(
        await store.tenant(companyId, (tx) =>
          readQueue(tx, companyId, services.info, { shown, ...(flowId ? { flowId } : {}) }),
        ),
      );
    })
    .post('/waiting', requireRight('run:decide'), valid('json', waitingDecision), async (c) => {
      const { companyId, name: actor } = c.get('actor');
      return c.json(await decideWaiting(services, { companyId, actor }, c.req.valid('json')));
    })
    .post(
      '/first',
      requireRight('run:decide'),
      valid('json', z.strictObject({ kind: z.string().max(20), key: z.string().max(400) })),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const count = await store.tenant(companyId, (tx) => putFirst(tx, { companyId, actor }, c.req.valid('json')));
        return c.json({ count });
      },
    )
    .post('/drop', requireRight('run:decide'), valid('json', dropRequest), async (c) => {
      const { companyId, name: actor } = c.get('actor');
      const { upTo, ...request } = c.req.valid('json');
      const who = { companyId, actor, now: services.deps.now() };
      return c.json(
        await store.tenant(companyId, (tx) => dropEvents(tx, who, { ...request, ...(upTo ? { upTo } : {}) })),
      );
    })
    .get('/drops', requireRight('run:read'), async (c) => {
      const { companyId } = c.get('actor');
      return c.json(await store.tenant(companyId, (tx) => listDrops(tx, companyId, services.deps.now())));
    })
    .post('/drops/:id/restore', requireRight('run:decide'), valid('param', z.object({ id: z.uuid() })), async (c) => {
      const { companyId, name: actor } = c.get('actor');
      const who = { companyId, actor, now: services.deps.now() };
      const back = await store.tenant(companyId, (tx) => putBack(tx, who, c.req.valid('param').id));
      return c.json(back);
    });
}
