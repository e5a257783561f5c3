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

/** So long it goes on listening after the last watcher left: people change pages. */
const LINGER_MS = 30_000;

/**
 * Fans the database's notices out to the people who watch, each company its own. While nobody watches it does not listen: a busy night makes
 * thousands of notices that nobody would read.
 */
export class LiveHub {
  readonly #databaseUrl: string;
  readonly #watchers = new Map<string, Set<(change: LiveChange) => void>>();
  #listening: Promise<() => Promise<void>> | undefined;
  #linger: NodeJS.Timeout | undefined;

  constructor(databaseUrl: string) {
    this.#databaseUrl = databaseUrl;
  }

  /** Begins to watch; resolves with what ends it, once nothing can be missed any more. */
  async watch(companyId: string, onChange: (change: LiveChange) => void): Promise<() => void> {
    clearTimeout(this.#linger);
    const watchers = this.#watchers.get(companyId) ?? new Set();
    this.#watchers.set(companyId, watchers.add(onChange));
    this.#listening ??= listen(this.#databaseUrl, 'plumbline_live', (payload) => this.#publish(payload));
    await this.#listening;
    return () => {
      watchers.delete(onChange);
      if (watchers.size === 0) this.#watchers.delete(companyId);
      if (this.#watchers.size > 0) return;
      clearTimeout(this.#linger);
      this.#linger = setTimeout(() => void this.#stop(), LINGER_MS);
      this.#linger.unref();
    };
  }

  async close(): Promise<void> {
    clearTimeout(this.#linger);
    await this.#stop();
  }

  async #stop(): Promise<void> {
    const listening = this.#listening;
    this.#listening = undefined;
    await (
      await listening
    )?.();
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
