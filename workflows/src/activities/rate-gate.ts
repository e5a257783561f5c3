import { json, literal } from '@plumbline/db';
import { ConnectorFailure, type Connector } from '@plumbline/nodes';
import type { Dependencies } from './dependencies.ts';

/** What a step fails with when its connection's budget is used up; it then waits its turn, and that costs it no attempt. */
export const RATE_BUDGET = 'rate_budget';

/** Shorter waits are sat out; longer ones are the durable timer's. */
const SIT_OUT_MS = 1_500;

/** Whose turn it is: 0 what somebody waits for, 1 what came by itself, 2 what was due anyway, 3 what is made up for. */
export type Urgency = 0 | 1 | 2 | 3;

export interface Guarded {
  readonly companyId: string;
  readonly connectionId: string;
  readonly connector: Connector;
  readonly urgency: Urgency;
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Keeps a connection within its vendor's documented limits, across all workers: every request takes one from each window, or waits for the next one. What
 * would be refused with 429 is not even sent. When there is not enough for all, what is more urgent goes first; what is less has a fifth nevertheless.
 */
export class RateGate {
  readonly #deps: Pick<Dependencies, 'store' | 'now'>;
  /** Until when a connection is known to have nothing left, by connection and urgency, and how many were sent away since. */
  readonly #closed = new Map<string, { readonly until: number; told: number }>();

  constructor(deps: Pick<Dependencies, 'store' | 'now'>) {
    this.#deps = deps;
  }

  /** A `fetch` that takes from the budget before each request. Throws ConnectorFailure `throttled`, code `rate_budget`. */
  guard(given: Guarded): typeof globalThis.fetch {
    return async (input, init) => {
      await this.#pass(given);
      return await given.fetch(input, init);
    };
  }

  async #pass(given: Guarded): Promise<void> {
    const { connector } = given;
    for (let satOutMs = 0; ;) {
      const waitMs = await this.#take(given);
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
  async #take({ companyId, connectionId, connector: { limits }, urgency }: Guarded): Promise<number> {
    const now = this.#deps.now().getTime();
    const name = `${connectionId}/${urgency}`;
    const closed = this.#closed.get(name);
    // So many are asked for that something is kept for all of them; that more wait need not be known.
    const enough = urgency <= 1 ? Math.max(...limits.map(({ requests }) => requests)) : 1;
    if (closed && closed.until > now && ++closed.told > enough) return closed.until - now;
    const windows = limits.map(({ requests, perSeconds }) => ({
      per_seconds: perSeconds,
      requests,
      window_at: new Date(Math.floor(now / (perSeconds * 1_000)) * perSeconds * 1_000),
    }));
    const [, [answer] = []] = await this.#deps.store.script(companyId, [
      // A crash may lose the last few counts, and that is all it may.
      `select set_config('synchronous_commit', 'off', true)`,
      `select take_rate(${literal(connectionId)}, ${urgency}, ${literal(json(windows))}, ${literal(new Date(now).toISOString())}) as wait`,
    ]);
    const waitMs = Number(answer?.['wait']);
    if (waitMs > 0)
      this.#closed.set(name, { until: now + waitMs, told: closed && closed.until > now ? closed.told : 1 });
    return waitMs;
  }
}

function inWords({ limits }: Connector): string {
  return limits
    .map(({ requests, perSeconds }) => {
      const time = perSeconds === 1 ? 'a second' : perSeconds === 60 ? 'a minute' : `in ${perSeconds} seconds`;
      return `${requests} ${requests === 1 ? 'request' : 'requests'} ${time}`;
    })
    .join(' and ');
}
