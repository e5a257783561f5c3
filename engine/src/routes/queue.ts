import { Hono } from 'hono';
import { z } from 'zod';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import { decideWaiting } from '../runs/decide-waiting.ts';
import { putFirst } from '../runs/pending-events.ts';
import { readQueue } from '../runs/read-queue.ts';
import type { Services } from '../services.ts';
import { valid } from '../validate.ts';

const waitingDecision = z.strictObject({
  action: z.enum(['wake', 'drop']),
  steps: z
    .array(z.strictObject({ runId: z.uuid(), nodeId: z.string().max(48), iteration: z.string().max(200) }))
    .min(1)
    .max(200),
});

/** What waits, why, and until when; and whose turn comes first. */
export function queueRoutes(services: Services) {
  const { store } = services.deps;
  return new Hono<ActorEnv>()
    .get('/', requireRight('run:read'), async (c) => {
      const { companyId } = c.get('actor');
      return c.json(await store.tenant(companyId, (tx) => readQueue(tx, companyId)));
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
        services.look();
        return c.json({ count });
      },
    );
}
