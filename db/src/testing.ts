import { mkdtemp, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { DispatcherStore, openDispatcherStore } from './dispatcher-store.ts';
import { startPostgres } from './embedded.ts';
import { migrate } from './migrate.ts';
import { openStore, type Store } from './store.ts';
import { withDatabase, withUser } from './urls.ts';

const PASSWORDS = {
  appPassword: 'app-password-of-tests',
  dispatcherPassword: 'dispatcher-password-of-tests',
  authPassword: 'auth-password-of-tests',
};
const TEMPLATE = 'plumbline_template';

/** One server for a whole test run, with a migrated template that every test database is cloned from. */
export async function startTestServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'plumbline-test-'));
  const server = await startPostgres({ dataDir, fsync: false });
  const template = withDatabase(server.ownerUrl, TEMPLATE);
  await query(server.ownerUrl, `create database ${TEMPLATE}`);
  await migrate({ ownerUrl: template, ...PASSWORDS });
  return {
    url: server.ownerUrl,
    stop: async () => {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export interface TestDatabase {
  readonly urls: { readonly owner: string; readonly app: string; readonly dispatcher: string; readonly auth: string };
  readonly store: Store;
  readonly dispatcher: DispatcherStore;
  /** Makes a company and returns its id. */
  company(name?: string): Promise<string>;
  /** Runs SQL as the owner, past row security. */
  asOwner<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** A migrated, empty database of its own, on the server of this test run. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = process.env['PLUMBLINE_TEST_PG'];
  if (!server) throw new Error('There is no test server: run the tests through vitest with its global set-up');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await query(server, `create database ${name} template ${TEMPLATE}`);
  const owner = withDatabase(server, name);
  const urls = {
    owner,
    app: withUser(owner, 'plumbline_app', PASSWORDS.appPassword),
    dispatcher: withUser(owner, 'plumbline_dispatcher', PASSWORDS.dispatcherPassword),
    auth: withUser(owner, 'plumbline_auth', PASSWORDS.authPassword),
  };
  const store = openStore(urls.app, { max: 10 });
  const dispatcher = openDispatcherStore(urls.dispatcher);
  const pool = new pg.Pool({ connectionString: owner, max: 2 });
  pool.on('error', () => undefined);
  return {
    urls,
    store,
    dispatcher,
    company: async (companyName = 'Hartwell Homes') => {
      const id = randomUUID();
      await pool.query('insert into auth.organizations (id, name, slug) values ($1, $2, $3)', [
        id,
        companyName,
        `c-${id}`,
      ]);
      return id;
    },
    asOwner: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
      (await pool.query<Row>(text, [...values])).rows,
    close: async () => {
      await store.close();
      await dispatcher.close();
      await pool.end();
      await query(server, `drop database if exists ${name} with (force)`).catch(() => undefined);
    },
  };
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
