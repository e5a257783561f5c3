import { listen } from '@plumbline/db';
import { z } from 'zod';
import type { LiveChange } from '../contract.ts';

const changeSchema = z.object({
  companyId: z.string(),
  topic: z.enum(['run', 'step', 'notification', 'connection', 'record']),
  id: z.string(),
  entity: z.string().optional(),
  nodeId: z.string().optional(),
  flowId: z.string().optional(),
  status: z.string().optional(),
});

/** Fans the database's notices out to the people who watch, each company its own. */
export class LiveHub {
  readonly #watchers = new Map<string, Set<(change: LiveChange) => void>>();
  readonly #stop: Promise<() => Promise<void>>;

  constructor(databaseUrl: string) {
    this.#stop = listen(databaseUrl, 'plumbline_live', (payload) => this.#publish(payload));
  }

  /** Returns the function that ends the watching. */
  watch(companyId: string, onChange: (change: LiveChange) => void): () => void {
    const watchers = this.#watchers.get(companyId) ?? new Set();
    this.#watchers.set(companyId, watchers.add(onChange));
    return () => {
      watchers.delete(onChange);
      if (watchers.size === 0) this.#watchers.delete(companyId);
    };
  }

  async close(): Promise<void> {
    await (
      await this.#stop
    )();
  }

  #publish(payload: string): void {
    let parsed: z.infer<typeof changeSchema>;
    try {
      parsed = changeSchema.parse(JSON.parse(payload));
    } catch {
      return; // a notice of another version of the program; people only miss an update
    }
    const { companyId, ...change } = parsed;
    for (const watcher of this.#watchers.get(companyId) ?? []) watcher(change);
  }
}
