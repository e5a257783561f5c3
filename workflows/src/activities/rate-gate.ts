import { json, literal } from '@plumbline/db';
import { ConnectorFailure, type Connector } from '@plumbline/nodes';
import type { Dependencies } from './dependencies.ts';

/** What a step fails with when its connection's budget is used up; it then waits its turn, and that costs it no attempt. */
export const RATE_BUDGET = 'rate_budget';

/** Shorter waits are sat out; longer ones are the durable timer's. */
const SIT_OUT_MS = 1_500;

/**
 * Keeps a connection within its vendor's documented limits, across all workers: every request takes one from each window, or waits for the next one. What
 * would be refused with 429 is not even sent.
 */
export class RateGate {
  readonly #deps: Pick<Dependencies, 'store' | 'now'>;
  /** Until when a connection is known to have nothing left. */
  readonly #closed = new Map<string, number>();

  constructor(deps: Pick<Dependencies, 'store' | 'now'>) {
    this.#deps = deps;
  }

  /** A `fetch` that takes from the budget before each request. Throws ConnectorFailure `throttled`, code `rate_budget`. */
  guard(
    companyId: string,
    connectionId: string,
    connector: Connector,
    fetch: typeof globalThis.fetch,
  ): typeof globalThis.fetch {
    return async (input, init) => {
      await this.#pass(companyId, connectionId, connector);
      return await fetch(input, init);
    };
  }

  async #pass(companyId: string, connectionId: string, connector: Connector): Promise<void> {
    for (let satOutMs = 0; ;) {
      const waitMs = await this.#take(companyId, connectionId, connector);
      if (waitMs === 0) return;
      satOutMs += waitMs;
      if (satOutMs > SIT_OUT_MS)
        throw new ConnectorFailure({
          kind: 'throttled',
          code: RATE_BUDGET,
          retryAfterMs: waitMs,
          message: `${connector.title} takes ${inWords(connector)}, and they are used up for now.`,
        });
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  /** 0 when one was taken from every window, else how long the fullest of them stays full. */
  async #take(companyId: string, connectionId: string, { limits }: Connector): Promise<number> {
    const now = this.#deps.now().getTime();
    const closed = (this.#closed.get(connectionId) ?? 0) - now;
    if (closed > 0) return closed;
    const windows = limits.map(({ requests, perSeconds }) => ({
      per_seconds: perSeconds,
      requests,
      window_at: new Date(Math.floor(now / (perSeconds * 1_000)) * perSeconds * 1_000),
    }));
    const mine = `company_id = ${literal(companyId)} and integration_id = ${literal(connectionId)}`;
    const given = `jsonb_to_recordset(${literal(json(windows))}::jsonb) as given (per_seconds integer, requests integer, window_at timestamptz)`;
    const [, , taken = [], standing = []] = await this.#deps.store.script(companyId, [
      // A crash may lose the last few counts, and that is all it may.
      `select set_config('synchronous_commit', 'off', true)`,
      `insert into rate_budgets (company_id, integration_id, per_seconds, window_at, used)
       select ${literal(companyId)}, ${literal(connectionId)}, per_seconds, window_at, 0 from ${given} order by per_seconds
       on conflict (company_id, integration_id, per_seconds) do update set
         used = case when rate_budgets.window_at = excluded.window_at then rate_budgets.used else 0 end, window_at = excluded.window_at`,
      `update rate_budgets set used = used + 1 where ${mine} and not exists (
         select 1 from rate_budgets full_one join ${given} using (per_seconds) where full_one.${mine.replace(' and ', ' and full_one.')} and full_one.used >= given.requests)
       returning per_seconds`,
      `select rate_budgets.per_seconds, used >= requests as full from rate_budgets join ${given} using (per_seconds) where ${mine}`,
    ]);
    if (taken.length > 0) return 0;
    const waitMs = Math.max(
      ...standing.filter((row) => row['full'] === true).map((row) => windowEnd(now, Number(row['per_seconds'])) - now),
      50,
    );
    this.#closed.set(connectionId, now + waitMs);
    return waitMs;
  }
}

function windowEnd(now: number, perSeconds: number): number {
  return (Math.floor(now / (perSeconds * 1_000)) + 1) * perSeconds * 1_000;
}

function inWords({ limits }: Connector): string {
  return limits
    .map(({ requests, perSeconds }) => {
      const time = perSeconds === 1 ? 'a second' : perSeconds === 60 ? 'a minute' : `in ${perSeconds} seconds`;
      return `${requests} ${requests === 1 ? 'request' : 'requests'} ${time}`;
    })
    .join(' and ');
}
