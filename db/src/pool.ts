import type { Socket } from 'node:net';
import pg from 'pg';

/** Longer than any statement of ours, and any call to a vendor that holds a lock (30 s), may take; short enough to come back within a minute. */
const SILENCE_MS = 40_000;

/**
 * A database whose machine is gone, or behind a network that swallows everything, never says so. A connection that has been silent for so long is broken
 * off, or whoever waits for it would wait for ever, and everybody behind them.
 */
function breakSilence(client: pg.PoolClient, silenceMs: number): void {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  stream.setTimeout(silenceMs, () =>
    stream.destroy(
      Object.assign(new Error(`Connection terminated: silent for ${silenceMs} ms`), { code: 'ETIMEDOUT' }),
    ),
  );
}

/** A connection pool. A connection that breaks, idle or between two statements, is dropped, not fatal: whoever uses it next learns of it. */
export function createPool(
  url: string,
  options: { readonly max?: number; readonly searchPath?: string; readonly silenceMs?: number } = {},
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    ...(options.searchPath ? { options: `-c search_path=${options.searchPath}` } : {}),
  });
  pool.on('error', () => undefined);
  // The pool hears of idle connections only, and an error that nobody hears ends the process.
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
    breakSilence(client, options.silenceMs ?? SILENCE_MS);
  });
  return pool;
}
