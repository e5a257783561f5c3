import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A vendor that answers at once, and tells when each run's last POST came in. */
export interface Loopback extends AsyncDisposable {
  readonly origin: string;
  /** Resolves when so many runs have posted to `/3`; with the time (ms, `performance.now`) each did, by run. */
  collect(runs: number, withinMs: number): Promise<ReadonlyMap<string, number>>;
  /** POSTs that came more than once for the same run and path. */
  readonly doubled: () => number;
}

/** Serves `/1`, `/2`, `/3`; the body names the run as `id`. */
export async function startLoopback(): Promise<Loopback> {
  let seen = new Map<string, number>();
  let posts = new Map<string, number>();
  let wanted: { readonly runs: number; readonly done: () => void } | undefined;
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"ok":true}');
      const id = /"id":"([^"]+)"/.exec(text)?.[1];
      if (!id) return;
      const key = `${request.url} ${id}`;
      posts.set(key, (posts.get(key) ?? 0) + 1);
      if (request.url !== '/3' || seen.has(id)) return;
      seen.set(id, performance.now());
      if (wanted && seen.size >= wanted.runs) wanted.done();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    doubled: () => [...posts.values()].filter((count) => count > 1).length,
    collect: async (runs, withinMs) => {
      seen = new Map();
      posts = new Map();
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`${seen.size} of ${runs} runs came through within ${withinMs / 1_000} s`)),
          withinMs,
        );
        wanted = {
          runs,
          done: () => {
            clearTimeout(timer);
            resolve();
          },
        };
      });
      wanted = undefined;
      return seen;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
