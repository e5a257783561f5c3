import type { Store } from '@plumbline/db';
import { SandboxHangUp, type Catalog, type Sandbox, type SandboxFault } from '@plumbline/nodes';
import { SANDBOX_CLIENT_ID } from '@plumbline/workflows/settings';
import { Hono } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import { z } from 'zod';
import { valid } from './validate.ts';

const faultSchema = z.strictObject({
  match: z.string(),
  kind: z.enum(['status', 'drop_before', 'drop_after', 'malformed', 'slow']),
  status: z.int().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  delayMs: z.int().optional(),
  times: z.int().optional(),
});

export interface MountedSandboxes {
  readonly app: Hono<{ Bindings: HttpBindings }>;
  /** Writes what has not been written yet. */
  flush(): Promise<void>;
}

/** Mounts every connector's double under `/sandbox/<connector>`, with its state kept in the database. Never in production. */
export async function mountSandboxes(options: {
  readonly catalog: Catalog;
  readonly store: Store;
  readonly origin: string;
  readonly clientSecret: string;
}): Promise<MountedSandboxes> {
  const { catalog, store, origin, clientSecret } = options;
  const sandboxes = new Map<string, Sandbox>();
  const dirty = new Map<string, NodeJS.Timeout>();
  const save = async (id: string): Promise<void> => {
    clearTimeout(dirty.get(id));
    dirty.delete(id);
    await store.keepSandboxState(id, JSON.stringify(sandboxes.get(id)?.snapshot())).catch(() => undefined);
  };
  for (const connector of catalog.connectors.values()) {
    const sandbox = connector.sandbox({
      origin: `${origin}/${connector.id}`,
      clientId: SANDBOX_CLIENT_ID,
      clientSecret,
      now: () => new Date(),
      changed: () => {
        if (!dirty.has(connector.id))
          dirty.set(
            connector.id,
            setTimeout(() => void save(connector.id), 50),
          );
      },
    });
    const state = await store.sandboxState(connector.id);
    if (state) sandbox.restore(state);
    sandboxes.set(connector.id, sandbox);
  }
  const app = new Hono<{ Bindings: HttpBindings }>()
    .post('/:connector/_faults', valid('json', faultSchema), (c) => {
      sandboxes.get(c.req.param('connector'))?.fail(c.req.valid('json') as SandboxFault);
      return c.body(null, 204);
    })
    .all('/:connector/*', async (c) => {
      const sandbox = sandboxes.get(c.req.param('connector'));
      if (!sandbox) return c.notFound();
      try {
        return await sandbox.fetch(c.req.raw);
      } catch (error) {
        if (!(error instanceof SandboxHangUp)) throw error;
        c.env.incoming.socket.destroy();
        return c.body(null);
      }
    });
  return { app, flush: async () => void (await Promise.all([...dirty.keys()].map(save))) };
}
