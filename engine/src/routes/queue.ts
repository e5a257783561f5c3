import { Hono } from 'hono';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import { readQueue } from '../runs/read-queue.ts';
import type { Services } from '../services.ts';

/** What waits, why, and until when. */
export function queueRoutes({ deps }: Services) {
  return new Hono<ActorEnv>().get('/', requireRight('run:read'), async (c) => {
    const { companyId } = c.get('actor');
    return c.json(await deps.store.tenant(companyId, (tx) => readQueue(tx, companyId)));
  });
}
