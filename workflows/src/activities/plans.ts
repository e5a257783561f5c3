import type { Store } from '@plumbline/db';
import type { Plan } from '../flow/plan.ts';

/** Plans never change, so a worker keeps those it has seen; the oldest go first. */
export class PlanCache {
  readonly #store: Store;
  readonly #limit: number;
  readonly #plans = new Map<string, Plan>();

  constructor(store: Store, limit = 500) {
    this.#store = store;
    this.#limit = limit;
  }

  /** @throws Error when the company has no such plan. */
  async load(companyId: string, hash: string): Promise<Plan> {
    const key = `${companyId}/${hash}`;
    const known = this.#plans.get(key);
    if (known) return known;
    const row = await this.#store.tenant(companyId, (tx) =>
      tx
        .selectFrom('plans')
        .select('plan')
        .where('company_id', '=', companyId)
        .where('hash', '=', hash)
        .executeTakeFirst(),
    );
    if (!row) throw new Error(`Company ${companyId} has no plan ${hash}`);
    const plan = row.plan as unknown as Plan;
    const [oldest] = this.#plans.keys();
    if (this.#plans.size >= this.#limit && oldest !== undefined) this.#plans.delete(oldest);
    this.#plans.set(key, plan);
    return plan;
  }
}
