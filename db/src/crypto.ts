import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Store } from './store.ts';
import type { Sealed } from './tables.ts';

/** A key that wraps the companies' keys; it lives outside of the database. */
export interface MasterKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** One version of a company's data key, unwrapped. Never logged, never stored. */
export interface DataKey {
  readonly companyId: string;
  readonly version: number;
  readonly key: Buffer;
}

/** Where a secret stands. It opens nowhere else: not in another row, column, table or company. */
export interface Place {
  readonly companyId: string;
  readonly table: string;
  readonly rowId: string;
  readonly column: string;
}

/** A ciphertext was altered, moved, or belongs to a key we do not have. Says nothing about which. */
export class SealBrokenError extends Error {
  constructor() {
    super('A stored secret cannot be opened: it was altered, moved, or sealed under a key that is gone');
  }
}

export interface Vault {
  seal(place: Place, value: unknown): Promise<Sealed>;
  /** @throws SealBrokenError */
  open(place: Place, sealed: Sealed): Promise<unknown>;
  /** The company's newest key, or the version asked for; made on first use. */
  keyFor(companyId: string, version?: number): Promise<DataKey>;
  sealBytes(key: DataKey, context: string, plain: Uint8Array): Uint8Array;
  /** @throws SealBrokenError */
  openBytes(key: DataKey, context: string, sealed: Uint8Array): Uint8Array;
  /** Wraps a company's keys anew under the newest master key; the data stays as it is. */
  rewrap(companyId: string): Promise<number>;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Envelope encryption: AES-256-GCM under a random key per company, which a master key wraps.
 * @param options.masterKeys newest first; older ones are kept until everything is rewrapped.
 */
export function createVault(options: { readonly masterKeys: readonly MasterKey[]; readonly store: Store }): Vault {
  const { masterKeys, store } = options;
  const keys = new Map<string, Promise<DataKey>>();
  const [newest] = masterKeys;
  if (!newest) throw new TypeError('A vault needs a master key');

  const unwrap = (companyId: string, row: { version: number; wrapped_key: Buffer; master_key_id: string }): DataKey => {
    const master = masterKeys.find((candidate) => candidate.id === row.master_key_id);
    if (!master) throw new SealBrokenError();
    return {
      companyId,
      version: row.version,
      key: Buffer.from(decrypt(master.key, wrapContext(companyId, row.version), row.wrapped_key)),
    };
  };

  const load = (companyId: string, version?: number): Promise<DataKey> =>
    store.tenant(companyId, async (tx) => {
      const read = () =>
        tx
          .selectFrom('company_keys')
          .select(['version', 'wrapped_key', 'master_key_id'])
          .where('company_id', '=', companyId)
          .$if(version !== undefined, (query) => query.where('version', '=', version as number))
          .orderBy('version', 'desc')
          .limit(1)
          .executeTakeFirst();
      const existing = await read();
      if (existing) return unwrap(companyId, existing);
      if (version !== undefined) throw new SealBrokenError();
      const wrapped = Buffer.from(encrypt(newest.key, wrapContext(companyId, 1), randomBytes(32)));
      await tx
        .insertInto('company_keys')
        .values({ company_id: companyId, version: 1, wrapped_key: wrapped, master_key_id: newest.id })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      const made = await read();
      if (!made) throw new SealBrokenError();
      return unwrap(companyId, made);
    });

  const keyFor = (companyId: string, version?: number): Promise<DataKey> => {
    const name = `${companyId}/${version ?? 'newest'}`;
    const known = keys.get(name);
    if (known) return known;
    const loading = load(companyId, version);
    keys.set(name, loading);
    loading.catch(() => keys.delete(name));
    return loading;
  };

  return {
    keyFor,
    sealBytes: ({ key }, context, plain) => encrypt(key, context, plain),
    openBytes: ({ key }, context, sealed) => decrypt(key, context, sealed),

    async seal(place, value) {
      const key = await keyFor(place.companyId);
      const bytes = Buffer.from(encrypt(key.key, placeContext(place, key.version), Buffer.from(JSON.stringify(value))));
      return {
        v: 1,
        k: key.version,
        iv: bytes.subarray(0, IV_BYTES).toString('base64'),
        ct: bytes.subarray(IV_BYTES, -TAG_BYTES).toString('base64'),
        tag: bytes.subarray(-TAG_BYTES).toString('base64'),
      };
    },

    async open(place, sealed) {
      const key = await keyFor(place.companyId, sealed.k);
      const bytes = Buffer.concat([
        Buffer.from(sealed.iv, 'base64'),
        Buffer.from(sealed.ct, 'base64'),
        Buffer.from(sealed.tag, 'base64'),
      ]);
      return JSON.parse(Buffer.from(decrypt(key.key, placeContext(place, sealed.k), bytes)).toString()) as unknown;
    },

    rewrap: (companyId) =>
      store.tenant(companyId, async (tx) => {
        const rows = await tx
          .selectFrom('company_keys')
          .select(['version', 'wrapped_key', 'master_key_id'])
          .where('company_id', '=', companyId)
          .where('master_key_id', '<>', newest.id)
          .forUpdate()
          .execute();
        for (const row of rows) {
          const { key } = unwrap(companyId, row);
          await tx
            .updateTable('company_keys')
            .set({
              wrapped_key: Buffer.from(encrypt(newest.key, wrapContext(companyId, row.version), key)),
              master_key_id: newest.id,
            })
            .where('company_id', '=', companyId)
            .where('version', '=', row.version)
            .execute();
        }
        return rows.length;
      }),
  };
}

function placeContext({ companyId, table, rowId, column }: Place, version: number): string {
  return ['v1', companyId, table, rowId, column, version].join('|');
}

function wrapContext(companyId: string, version: number): string {
  return ['v1', 'company-key', companyId, version].join('|');
}

/** iv ‖ ciphertext ‖ tag. */
function encrypt(key: Buffer, context: string, plain: Uint8Array): Uint8Array {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context));
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, context: string, sealed: Uint8Array): Uint8Array {
  if (sealed.length < IV_BYTES + TAG_BYTES) throw new SealBrokenError();
  const bytes = Buffer.from(sealed);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new SealBrokenError();
  }
}
