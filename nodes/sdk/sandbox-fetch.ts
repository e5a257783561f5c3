import { SandboxHangUp } from './sandbox-store.ts';
import type { Sandbox } from './connector.ts';

/**
 * A `fetch` that reaches a sandbox in process. What a socket would do it does too: a sandbox that hangs up is a `TypeError` with the cause
 * `ECONNRESET`, an aborted request rejects with the signal's reason while the sandbox may still carry it out.
 */
export function sandboxFetch(sandbox: Pick<Sandbox, 'fetch'>): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const { signal } = request;
    const answer = Promise.resolve(sandbox.fetch(request)).catch((cause: unknown) => {
      throw cause instanceof SandboxHangUp ? new TypeError('fetch failed', { cause }) : cause;
    });
    const aborted = new Promise<never>((_, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
    answer.catch(() => undefined);
    return await Promise.race([answer, aborted]);
  };
}
