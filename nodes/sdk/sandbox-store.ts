import type { SandboxFault } from './connector.ts';

/** The sandbox hung up, as its fault list told it to; the host closes the connection without an answer. */
export class SandboxHangUp extends Error {
  readonly code = 'ECONNRESET';

  constructor() {
    super('The sandbox closed the connection');
    this.name = 'SandboxHangUp';
  }
}

/** The faults a sandbox was told to show next. */
export class Faults {
  #faults: { readonly fault: SandboxFault; left: number }[] = [];

  add(fault: SandboxFault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#faults = [];
  }

  /**
   * Answers a request through the first fault that matches it, or as usual.
   * @throws SandboxHangUp when the fault drops the connection, before or after the work was done
   */
  async apply(request: Request, handle: (request: Request) => Response | Promise<Response>): Promise<Response> {
    const subject = `${request.method} ${new URL(request.url).pathname}`;
    const entry = this.#faults.find(({ fault, left }) => left > 0 && subject.includes(fault.match));
    if (!entry) return await handle(request);
    entry.left--;
    const { fault } = entry;
    switch (fault.kind) {
      case 'drop_before':
        throw new SandboxHangUp();
      case 'drop_after':
        await handle(request);
        throw new SandboxHangUp();
      case 'status':
        return json('{"error":"injected"}', fault.status ?? 500, fault.headers);
      case 'malformed':
        return json('<html>We are down for maintenance', 200, fault.headers);
      case 'slow':
        await new Promise((resolve) => setTimeout(resolve, fault.delayMs ?? 1_000));
        return await handle(request);
    }
  }
}

function json(body: string, status: number, headers: SandboxFault['headers']): Response {
  return new Response(body, { status, headers: { 'Content-Type': 'application/json', ...headers } });
}

/** Counts requests by key in fixed windows of a minute, as the vendors' own limits do. Not kept over a restart. */
export class MinuteLimit {
  readonly #requests: number;
  readonly #now: () => Date;
  readonly #windows = new Map<string, { readonly minute: number; count: number }>();

  constructor(requests: number, now: () => Date) {
    this.#requests = requests;
    this.#now = now;
  }

  /** Seconds to wait when this request is one too many; `undefined` when it may pass. */
  exceeded(key: string): number | undefined {
    const seconds = Math.floor(this.#now().getTime() / 1_000);
    const minute = Math.floor(seconds / 60);
    const current = this.#windows.get(key);
    const window = current?.minute === minute ? current : { minute, count: 0 };
    window.count++;
    this.#windows.set(key, window);
    return window.count > this.#requests ? 60 - (seconds % 60) : undefined;
  }
}
