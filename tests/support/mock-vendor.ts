import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a vendor does with the requests that come now. */
export interface Manners {
  /** Waits so long before it does anything. */
  readonly slowMs: number;
  /** Applies the request, then closes the connection without an answer. */
  readonly cutAfter: (count: number) => boolean;
  /** Closes the connection before it does anything. */
  readonly cutBefore: (count: number) => boolean;
  /** Answers with this status and does nothing. */
  readonly refuse: (count: number) => number | undefined;
}

/** Something a vendor did, once, whatever number of times it was asked to. */
export interface Effect {
  readonly key: string;
  /** Whom it is about, from the body's `id`. */
  readonly id: string;
  readonly path: string;
  /** Place in the order of everything applied. */
  readonly place: number;
  readonly at: number;
  /** How often it was asked for again. */
  repeats: number;
}

/** A vendor on loopback that honours `Idempotency-Key` and remembers everything. */
export interface MockVendor extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  readonly effects: readonly Effect[];
  /** Everything that came in, reads and repeats too. */
  readonly requests: () => number;
  /** When the first request of each id came, by id; milliseconds of `performance.now`. */
  readonly firstSeen: ReadonlyMap<string, number>;
  /** Requests for what had been done already. */
  readonly repeats: () => number;
  /** What was done more than once for one id and path, under different keys. */
  readonly doubled: () => readonly string[];
  /** Ids whose effects came in another order than their paths say. */
  readonly outOfOrder: () => readonly string[];
  behave(manners: Partial<Manners>): void;
}

const polite: Manners = {
  slowMs: 0,
  cutAfter: () => false,
  cutBefore: () => false,
  refuse: () => undefined,
};

/** Serves `GET /read/<n>`, `POST /write/<n>`, and `POST /once/<n>`, which it refuses the first time; a body names what it is about as `id`. */
export async function startMockVendor(): Promise<MockVendor> {
  const byKey = new Map<string, Effect>();
  const corrected = new Set<string>();
  const firstSeen = new Map<string, number>();
  let manners = polite;
  let count = 0;

  const apply = (request: IncomingMessage, text: string): void => {
    if (request.method === 'GET') return;
    const key = String(request.headers['idempotency-key']);
    const known = byKey.get(key);
    if (known) {
      known.repeats++;
      return;
    }
    const id = /"id":"([^"]+)"/.exec(text)?.[1] ?? '';
    byKey.set(key, { key, id, path: request.url ?? '', place: byKey.size, at: performance.now(), repeats: 0 });
  };
  const refusedOnce = (request: IncomingMessage): number | undefined => {
    const key = String(request.headers['idempotency-key']);
    if (!request.url?.startsWith('/once/') || corrected.has(key)) return undefined;
    corrected.add(key);
    return 400;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse, text: string): Promise<void> => {
    const number = ++count;
    const id = /"id":"([^"]+)"/.exec(text)?.[1] ?? new URL(request.url ?? '', 'http://vendor').searchParams.get('id');
    if (id && !firstSeen.has(id)) firstSeen.set(id, performance.now());
    const { slowMs, cutBefore, cutAfter, refuse } = manners;
    if (slowMs > 0) await new Promise((resolve) => setTimeout(resolve, slowMs));
    const status = refuse(number) ?? refusedOnce(request);
    if (cutBefore(number)) request.socket.destroy();
    else if (status !== undefined) response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    else {
      apply(request, text);
      if (cutAfter(number)) request.socket.destroy();
      else response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
    }
  };

  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => void answer(request, response, text));
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const effects = (): Effect[] => [...byKey.values()];
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    get effects() {
      return effects();
    },
    requests: () => count,
    firstSeen,
    repeats: () => effects().reduce((sum, { repeats }) => sum + repeats, 0),
    doubled: () => {
      const seen = Map.groupBy(effects(), ({ id, path }) => `${id} ${path}`);
      return [...seen].filter(([, same]) => same.length > 1).map(([name]) => name);
    },
    outOfOrder: () => {
      const byId = Map.groupBy(effects(), ({ id }) => id);
      const isSorted = (paths: readonly string[]): boolean =>
        paths.every((path, i) => i === 0 || (paths[i - 1] ?? '') < path);
      return [...byId].filter(([, own]) => !isSorted(own.map(({ path }) => path))).map(([id]) => id);
    },
    behave: (next) => (manners = { ...polite, ...next }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
