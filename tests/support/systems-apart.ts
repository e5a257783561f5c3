import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { MockVendor } from './mock-vendor.ts';
import type { WebhookFlow } from './webhook-flow.ts';

/** When one delivery was sent, on the wall's clock, and how many milliseconds later its run first reached its vendor. */
export interface Start {
  readonly sentAt: number;
  readonly ms: number;
}

/** What a company's systems have seen so far. */
export interface Seen {
  /** Ids that were acknowledged. */
  readonly acked: readonly string[];
  readonly effects: MockVendor['effects'];
  readonly doubled: readonly string[];
  readonly outOfOrder: readonly string[];
}

export type Order =
  | {
      readonly kind: 'send-to';
      readonly flow: Pick<WebhookFlow, 'url' | 'secret'>;
      readonly origins: readonly string[];
    }
  | { readonly kind: 'begin'; readonly name: string; readonly everyMs: number; readonly most: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'tell' };

/** A sender and its vendor in a process of their own: what they measure does not wait for the event loop of a busy test. */
export interface SystemsApart extends AsyncDisposable {
  /** Of the vendor. */
  readonly vendorOrigin: string;
  sendTo(flow: Pick<WebhookFlow, 'url' | 'secret'>, origins: readonly string[]): void;
  /** Delivers one every so many milliseconds, until `goesOn` resolves or so many are sent, and waits until the run of each has reached the vendor. */
  deliver(
    name: string,
    given: { readonly everyMs: number; readonly most?: number; readonly goesOn?: Promise<unknown> },
  ): Promise<readonly Start[]>;
  seen(): Promise<Seen>;
}

export async function openSystemsApart(): Promise<SystemsApart> {
  const child = fork(new URL('./systems-apart-main.ts', import.meta.url), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
  });
  const died = once(child, 'exit').then(([code]) => Promise.reject(new Error(`The systems apart ended with ${code}`)));
  // Whoever waits for an answer is told.
  died.catch(() => undefined);
  const answer = async <T>(order?: Order): Promise<T> => {
    const next = once(child, 'message');
    if (order) child.send(order);
    const [told] = (await Promise.race([next, died])) as [T];
    return told;
  };
  const vendorOrigin = await answer<string>();
  return {
    vendorOrigin,
    sendTo: (flow, origins) =>
      child.send({ kind: 'send-to', flow: { url: flow.url, secret: flow.secret }, origins } satisfies Order),
    deliver: async (name, { everyMs, most = Infinity, goesOn }) => {
      const end = (): unknown => child.send({ kind: 'end' } satisfies Order);
      // However it ends: whoever gave it is told why.
      void goesOn?.then(end, end);
      return await answer<readonly Start[]>({ kind: 'begin', name, everyMs, most });
    },
    seen: () => answer<Seen>({ kind: 'tell' }),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
