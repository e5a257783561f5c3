import { randomUUID } from 'node:crypto';
import { literal } from '@plumbline/db';
import type { Dependencies } from './dependencies.ts';

const LEASE_MS = 6_000;

/** Runs that are taken up together, under one name. */
export interface Lease {
  readonly id: string;
  /** Holds a run for as long as the work on it lasts. Whoever says in the ledger where the run stands lets it go; where that fails, this does. */
  during<T>(runId: string, work: Promise<T>): Promise<T>;
}

/**
 * Keeps others from runs that this process carries on: it says in time that it still does. A process that is gone says nothing, and its runs are free soon after. One
 * that only seemed gone does no harm: what it does is safe beside another, by the keys of its effects.
 */
export class Leases {
  readonly ms: number;
  readonly #deps: Pick<Dependencies, 'store' | 'log'>;
  /** Work under way, by lease. */
  readonly #held = new Map<
    string,
    { readonly companyId: string; readonly runIds: Set<string>; readonly since: number }
  >();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: Pick<Dependencies, 'store' | 'log' | 'leaseMs'>) {
    this.#deps = deps;
    this.ms = deps.leaseMs ?? LEASE_MS;
  }

  open(companyId: string): Lease {
    const id = randomUUID();
    return {
      id,
      during: async (runId, work) => {
        const held = this.#held.get(id) ?? { companyId, runIds: new Set<string>(), since: performance.now() };
        this.#held.set(id, held);
        held.runIds.add(runId);
        this.#timer ??= setInterval(() => void this.#prolong(), this.ms / 4).unref();
        try {
          return await work;
        } catch (error) {
          // Whoever comes next need not wait until it runs out. If this does not get through either, they wait.
          void this.#write(companyId, id, [runId], 'lease = null').catch(() => undefined);
          throw error;
        } finally {
          held.runIds.delete(runId);
          if (held.runIds.size === 0) this.#held.delete(id);
          if (this.#held.size === 0) {
            clearInterval(this.#timer);
            this.#timer = undefined;
          }
        }
      },
    };
  }

  async #prolong(): Promise<void> {
    const due = performance.now() - this.ms / 4;
    for (const [id, { companyId, runIds, since }] of this.#held)
      if (since <= due)
        await this.#write(
          companyId,
          id,
          [...runIds],
          `leased_until = now() + ${this.ms} * interval '1 millisecond'`,
        ).catch((error: unknown) =>
          this.#deps.log.warn({ err: error, companyId }, 'runs could not be held on to; another worker may come'),
        );
  }

  async #write(companyId: string, lease: string, runIds: readonly string[], change: string): Promise<void> {
    await this.#deps.store.script(companyId, [
      `update runs set ${change}
        where company_id = ${literal(companyId)} and id = any(${literal(`{${runIds.join(',')}}`)}::uuid[]) and lease = ${literal(lease)}`,
    ]);
  }
}
