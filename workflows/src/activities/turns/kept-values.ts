import { json, type Store, type Transaction } from '@plumbline/db';
import { sql } from 'kysely';

export interface KeptValue {
  readonly found: boolean;
  readonly value: unknown;
  readonly version: number;
}

/** What is kept under a key of a collection. What has expired is not there. */
export async function readKept(
  store: Store,
  companyId: string,
  { collection, key, now }: { readonly collection: string; readonly key: string; readonly now: Date },
): Promise<KeptValue> {
  const row = await store.tenant(companyId, (tx) =>
    tx
      .selectFrom('kept_values')
      .select(['value', 'version'])
      .where('company_id', '=', companyId)
      .where('collection', '=', collection)
      .where('key', '=', key)
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
      .executeTakeFirst(),
  );
  return row ? { found: true, value: row.value, version: row.version } : { found: false, value: null, version: 0 };
}

/**
 * Keeps a value, once per step: `by` is the key of its effect, which says so in the same transaction. Carried out again, it changes nothing, so that it does not
 * put back what a later run has replaced. Null forgets what is there.
 */
export async function keepValue(
  store: Store,
  companyId: string,
  given: {
    readonly collection: string;
    readonly key: string;
    readonly value: unknown;
    readonly expiresAt: Date | null;
    readonly by: string;
    readonly now: Date;
  },
): Promise<{ readonly version: number }> {
  const { collection, key, value, expiresAt, by, now } = given;
  return await store.tenant(companyId, async (tx) => {
    const effect = await tx
      .selectFrom('effects')
      .select('result')
      .where('company_id', '=', companyId)
      .where('key', '=', by)
      .forUpdate()
      .executeTakeFirst();
    const before = (effect?.result as { readonly kept?: { readonly version: number } } | null)?.kept;
    if (before) return before;
    const kept = await write(tx);
    await tx
      .updateTable('effects')
      .set({ result: json({ kept }) })
      .where('company_id', '=', companyId)
      .where('key', '=', by)
      .execute();
    return kept;
  });

  async function write(tx: Transaction): Promise<{ readonly version: number }> {
    if (value === null || value === undefined) {
      await tx
        .deleteFrom('kept_values')
        .where('company_id', '=', companyId)
        .where('collection', '=', collection)
        .where('key', '=', key)
        .execute();
      return { version: 0 };
    }
    const { rows } = await sql<{ version: number }>`
      insert into kept_values (company_id, collection, key, value, written_by, expires_at, updated_at)
      values (${companyId}, ${collection}, ${key}, ${json(value)}::jsonb, ${by}, ${expiresAt}, ${now})
      on conflict (company_id, collection, key) do update set
        value = excluded.value, expires_at = excluded.expires_at, updated_at = excluded.updated_at, written_by = excluded.written_by,
        version = kept_values.version + case when kept_values.written_by = excluded.written_by then 0 else 1 end
      returning version`.execute(tx);
    return { version: rows[0]?.version ?? 1 };
  }
}
