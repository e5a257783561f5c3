import { readdir, readFile } from 'node:fs/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { createPool } from './pool.ts';

const folder = new URL('../migrations/', import.meta.url);

export interface MigrateOptions {
  /** A role that may create roles and owns the tables; nothing else ever connects with it. */
  readonly ownerUrl: string;
  /** Passwords of the three login roles; set anew each time, so that rotating them is a restart. */
  readonly appPassword: string;
  readonly dispatcherPassword: string;
  readonly authPassword: string;
  readonly onStep?: (name: string) => void;
}

/**
 * Brings the schema up to date. May be repeated; two at once take turns.
 * @throws the database's error, with the name of the migration that failed.
 */
export async function migrate(options: MigrateOptions): Promise<{ readonly applied: readonly string[] }> {
  const pool = createPool(options.ownerUrl, { max: 2 });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const migrator = new Migrator({ db, provider: { getMigrations: () => readMigrations(options.onStep) } });
    const { error, results = [] } = await migrator.migrateToLatest();
    const failed = results.find((result) => result.status === 'Error');
    if (error)
      throw new Error(
        `Migration ${failed?.migrationName ?? ''} failed: ${error instanceof Error ? error.message : JSON.stringify(error)}`,
        { cause: error },
      );
    for (const [role, password] of [
      ['plumbline_app', options.appPassword],
      ['plumbline_dispatcher', options.dispatcherPassword],
      ['plumbline_auth', options.authPassword],
    ] as const)
      await setPassword(db, role, password);
    return { applied: results.map((result) => result.migrationName) };
  } finally {
    await db.destroy();
  }
}

/** Roles are cluster-wide: two databases migrated at once would collide on the catalog row, so they take turns. */
async function setPassword(db: Kysely<unknown>, role: string, password: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await sql`alter role ${sql.id(role)} with login password ${sql.lit(password)}`.execute(db);
      return;
    } catch (error) {
      if (attempt >= 5 || !/concurrently updated/.test(String(error))) throw error;
    }
  }
}

async function readMigrations(onStep?: (name: string) => void): Promise<Record<string, Migration>> {
  const files = (await readdir(folder)).filter((file) => /^\d{4}-.*\.sql$/.test(file)).sort();
  return Object.fromEntries(
    files.map((file) => [
      file.replace(/\.sql$/, ''),
      {
        up: async (db: Kysely<unknown>) => {
          onStep?.(file);
          await sql.raw(await readFile(new URL(file, folder), 'utf8')).execute(db);
        },
      },
    ]),
  );
}
