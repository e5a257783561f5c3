import { Agent, request } from 'undici';
import { signStandardWebhook } from '@plumbline/nodes';
import type { WebhookFlow } from './webhook-flow.ts';

/** How one try to deliver went. */
export interface Attempt {
  /** 0: nobody answered. */
  readonly status: number;
  readonly ms: number;
  readonly retryAfter: string | undefined;
}

/** A system that sends webhooks as vendors do: again until it reads a 2xx, to whichever API process is next. */
export interface Sender extends AsyncDisposable {
  /** Ids that were acknowledged. */
  readonly acked: ReadonlySet<string>;
  /** Every try, in order. */
  readonly attempts: readonly Attempt[];
  /** Delivers once. */
  try(id: string, body?: unknown): Promise<Attempt>;
  /** Delivers until it is acknowledged. @throws Error when it is not within two minutes. */
  deliver(id: string, body?: unknown): Promise<void>;
}

/** Before the second try; each further one waits twice as long, up to two seconds. */
const AGAIN_MS = 100;
const AGAIN_MAX_MS = 2_000;
const PATIENCE_MS = 120_000;

export function openSender(flow: Pick<WebhookFlow, 'url' | 'secret'>, origins: readonly string[]): Sender {
  const agent = new Agent({ connections: 64, pipelining: 1, headersTimeout: 30_000 });
  const path = new URL(flow.url).pathname;
  const acked = new Set<string>();
  const attempts: Attempt[] = [];
  let turn = 0;
  const send = async (id: string, body: unknown): Promise<Attempt> => {
    const bytes = Buffer.from(JSON.stringify(body));
    const signed = signStandardWebhook({
      secret: flow.secret,
      id,
      timestamp: Math.floor(Date.now() / 1_000),
      body: bytes,
    });
    const began = performance.now();
    try {
      const answer = await request(`${origins[turn++ % origins.length]}${path}`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json', ...signed },
        body: bytes,
      });
      await answer.body.dump();
      const retryAfter = answer.headers['retry-after'];
      return {
        status: answer.statusCode,
        ms: performance.now() - began,
        retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
      };
    } catch {
      return { status: 0, ms: performance.now() - began, retryAfter: undefined };
    }
  };
  const attempt = async (id: string, body: unknown = { id }): Promise<Attempt> => {
    const made = await send(id, body);
    attempts.push(made);
    if (made.status >= 200 && made.status < 300) acked.add(id);
    return made;
  };
  return {
    acked,
    attempts,
    try: attempt,
    deliver: async (id, body) => {
      const deadline = Date.now() + PATIENCE_MS;
      for (let waitMs = AGAIN_MS; ; waitMs = Math.min(2 * waitMs, AGAIN_MAX_MS)) {
        const { status } = await attempt(id, body);
        if (status >= 200 && status < 300) return;
        if (Date.now() > deadline)
          throw new Error(`Delivery ${id} was not acknowledged; the last answer was ${status}`);
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

/** Delivers all, so many at a time; resolves once each is acknowledged. */
export async function deliverAll(sender: Sender, ids: readonly string[], atATime: number): Promise<void> {
  const left = ids.values();
  await Promise.all(
    Array.from({ length: atATime }, async () => {
      // One iterator for all: each takes the next.
      for (const id of left) await sender.deliver(id);
    }),
  );
}
