import { randomUUID } from 'node:crypto';
import { listen, literal, type Store } from '@plumbline/db';
import { z } from 'zod';
import type { LiveChange } from '../contract/index.ts';

const changeSchema = z.object({
  companyId: z.string(),
  topic: z.enum(['run', 'step', 'notification', 'connection', 'record', 'task']),
  id: z.string(),
  entity: z.string().optional(),
  nodeId: z.string().optional(),
  flowId: z.string().optional(),
  status: z.string().optional(),
});

/** So often it says that a company is still watched, and for how long that holds. */
const RENEW_MS = 20_000;
const HOLD_SECONDS = 60;

/** So long it goes on listening after the last watcher left: people change pages. */
const LINGER_MS = 30_000;

/**
 * Fans the database's notices out to the people who watch, each company its own. It tells the database which companies are watched: of the others none
 * are sent, because a busy night would make thousands that nobody reads, and each holds up a commit.
 */
export class LiveHub {
  readonly #databaseUrl: string;
  readonly #store: Store;
  /** This process, among those that watch. */
  readonly #name = randomUUID();
  #renewing: NodeJS.Timeout | undefined;
  readonly #watchers = new Map<string, Set<(change: LiveChange) => void>>();
  #listening: Promise<() => Promise<void>> | undefined;
  #linger: NodeJS.Timeout | undefined;

  constructor(databaseUrl: string, store: Store) {
    this.#databaseUrl = databaseUrl;
    this.#store = store;
  }

  /** Begins to watch; resolves with what ends it, once nothing can be missed any more. */
  async watch(companyId: string, onChange: (change: LiveChange) => void): Promise<() => void> {
    clearTimeout(this.#linger);
    const watchers = this.#watchers.get(companyId) ?? new Set();
    this.#watchers.set(companyId, watchers.add(onChange));
    this.#listening ??= listen(this.#databaseUrl, 'plumbline_live', (payload) => this.#publish(payload));
    await this.#listening;
    await this.#hold(companyId);
    this.#renewing ??= setInterval(() => {
      for (const watched of this.#watchers.keys()) void this.#hold(watched).catch(() => undefined);
    }, RENEW_MS);
    this.#renewing.unref();
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

  /** Says that the company is watched from here. What is said lapses by itself, should we die. */
  async #hold(companyId: string): Promise<void> {
    await this.#store.script(companyId, [
      `insert into live_watchers (company_id, watcher, until)
       values (${literal(companyId)}, ${literal(this.#name)}, now() + interval '${HOLD_SECONDS} seconds')
       on conflict (company_id, watcher) do update set until = excluded.until`,
      `delete from live_watchers where until < now()`,
    ]);
  }

  async #stop(): Promise<void> {
    clearInterval(this.#renewing);
    this.#renewing = undefined;
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
