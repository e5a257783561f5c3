import { startTestServer } from './testing.ts';

/** Vitest's global set-up: one PostgreSQL for the whole run, unless one is named. */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env['PLUMBLINE_TEST_PG']) return () => Promise.resolve();
  const server = await startTestServer();
  process.env['PLUMBLINE_TEST_PG'] = server.url;
  return server.stop;
}
