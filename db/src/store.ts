import { Kysely, PostgresDialect, sql, type Transaction as KyselyTransaction } from 'kysely';
import type pg from 'pg';
import { createPool } from './pool.ts';
import type { Tables } from './tables.ts';
import { isUuid } from './uuid.ts';

/** A transaction of one company: the database itself shows and takes only that company's rows. */
export type Transaction = KyselyTransaction<Tables>;

/**
 * The company's data. There is no way to it but through a transaction that names the company, so no query can forget to.
 */
export class Store {
  readonly #db: Kysely<Tables>;
  readonly #pool: pg.Pool;

  constructor(db: Kysely<Tables>, pool: pg.Pool) {
    this.#db = db;
    this.#pool = pool;
  }

  /**
   * Runs `work` in a transaction of the company. The setting is local to it: a pooled connection carries nothing over.
   * @throws TypeError when the id is no UUID, before anything is sent.
   */
  async tenant<T>(companyId: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    if (!isUuid(companyId)) throw new TypeError('A company id is a UUID');
    return await this.#db.transaction().execute(async (tx) => {
      await sql`select set_config('app.company_id', ${companyId}, true)`.execute(tx);
      return await work(tx);
    });
  }

  /**
   * Runs statements in one transaction of the company and in one exchange with the database, which is what a hot path waits for. They are text:
   * every value in them is written by `literal`, and nothing else ever is.
   * @returns the rows of each statement.
   * @throws TypeError when the id is no UUID, before anything is sent.
   */
  async script(
    companyId: string,
    statements: readonly string[],
  ): Promise<readonly (readonly Record<string, unknown>[])[]> {
    if (!isUuid(companyId)) throw new TypeError('A company id is a UUID');
    if (statements.length === 0) return [];
    // Several statements in one message are one transaction, ended by the database itself, whatever happens.
    const text = [`select set_config('app.company_id', '${companyId}', true)`, ...statements].join(';\n');
    const results = (await this.#pool.query(text)) as unknown as readonly pg.QueryResult<Record<string, unknown>>[];
    return results.slice(1).map(({ rows }) => rows);
  }

  /** State of the vendor doubles, which belong to no company. */
  async sandboxState(connector: string): Promise<unknown> {
    const row = await this.#db
      .selectFrom('sandbox_states')
      .select('state')
      .where('connector', '=', connector)
      .executeTakeFirst();
    return row?.state;
  }

  async keepSandboxState(connector: string, state: string): Promise<void> {
    await this.#db
      .insertInto('sandbox_states')
      .values({ connector, state, updated_at: new Date() })
      .onConflict((conflict) => conflict.column('connector').doUpdateSet({ state, updated_at: new Date() }))
      .execute();
  }

  /** Whether the database answers. */
  async ping(): Promise<void> {
    await sql`select 1`.execute(this.#db);
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }
}

/** Opens the store as the role `plumbline_app`. */
export function openStore(url: string, options: { readonly max?: number; readonly silenceMs?: number } = {}): Store {
  const pool = createPool(url, { max: 20, ...options });
  return new Store(new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }), pool);
}

/**
 * A value as text for `script`: a quoted string, or `null`. The same text that `escapeLiteral` of `pg` gives; that puts it together letter by letter, which
 * made a third of everything that a worker leaves to the garbage collector.
 */
export function literal(value: string | null): string {
  if (value === null) return 'null';
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return value.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
