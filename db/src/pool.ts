import pg from 'pg';

/** A connection pool. An idle connection that breaks is dropped, not fatal. */
export function createPool(
  url: string,
  options: { readonly max?: number; readonly searchPath?: string } = {},
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    ...(options.searchPath ? { options: `-c search_path=${options.searchPath}` } : {}),
  });
  pool.on('error', () => undefined);
  return pool;
}
