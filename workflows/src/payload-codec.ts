import { createHash } from 'node:crypto';
import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import type { Store, Vault } from '@plumbline/db';

/** Payloads above this are kept in our own table and travel as a reference (claim check). */
export const CLAIM_CHECK_BYTES = 32 * 1024;
/** Beyond this nothing is accepted. */
export const PAYLOAD_MAX_BYTES = 10 * 1024 * 1024;

const encoding = new TextEncoder();
const decoding = new TextDecoder();
const SEALED = encoding.encode('binary/plumbline-sealed');
const BLOB = encoding.encode('binary/plumbline-blob');

/** Workflow ids begin with the company, so that every payload's key follows from where it belongs. */
export function carrierWorkflowId(companyId: string, carrierId: string): string {
  return `${companyId}/carrier/${carrierId}`;
}

function companyOf(context: SerializationContext | undefined): string | undefined {
  const id = context?.workflowId;
  return id && /^[0-9a-f-]{36}\//.test(id) ? id.slice(0, 36) : undefined;
}

/**
 * Everything Temporal stores is encrypted under the company's key, and large values are not stored there at all. A payload without a company
 * (the SDK's own, in search or schedules) passes unchanged; none of ours is such.
 */
export class CompanyCodec implements PayloadCodec {
  readonly #store: Store;
  readonly #vault: Vault;

  constructor(store: Store, vault: Vault) {
    this.#store = store;
    this.#vault = vault;
  }

  async encode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    const companyId = companyOf(context);
    if (!companyId) return payloads;
    const key = await this.#vault.keyFor(companyId);
    return await Promise.all(
      payloads.map(async (payload) => {
        const plain = pack(payload);
        if (plain.length > PAYLOAD_MAX_BYTES)
          throw new Error(
            `A value of ${plain.length} bytes is larger than the ${PAYLOAD_MAX_BYTES} that may pass between steps`,
          );
        if (plain.length <= CLAIM_CHECK_BYTES)
          return {
            metadata: { encoding: SEALED, key: encoding.encode(String(key.version)) },
            data: this.#vault.sealBytes(key, aad(companyId), plain),
          };
        // The key's version is part of the address: a row is never rewritten, so one sealed under an older key keeps its own.
        const sha256 = createHash('sha256').update(`${key.version}\n`).update(plain).digest('hex');
        const bytes = Buffer.from(this.#vault.sealBytes(key, aad(companyId), plain));
        await this.#store.tenant(companyId, (tx) =>
          tx
            .insertInto('blobs')
            .values({ company_id: companyId, sha256, bytes })
            .onConflict((conflict) => conflict.doNothing())
            .execute(),
        );
        return {
          metadata: { encoding: BLOB, key: encoding.encode(String(key.version)) },
          data: encoding.encode(sha256),
        };
      }),
    );
  }

  async decode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    const companyId = companyOf(context);
    return await Promise.all(
      payloads.map(async (payload) => {
        const kind = decoding.decode(payload.metadata?.['encoding'] ?? new Uint8Array());
        if (!kind.startsWith('binary/plumbline-')) return payload;
        if (!companyId || !payload.data) throw new Error('A sealed payload came without the company it belongs to');
        const key = await this.#vault.keyFor(
          companyId,
          Number(decoding.decode(payload.metadata?.['key'] ?? new Uint8Array())),
        );
        const sealed = kind.endsWith('blob')
          ? await this.#blob(companyId, decoding.decode(payload.data))
          : payload.data;
        return unpack(this.#vault.openBytes(key, aad(companyId), sealed));
      }),
    );
  }

  async #blob(companyId: string, sha256: string): Promise<Uint8Array> {
    const row = await this.#store.tenant(companyId, (tx) =>
      tx
        .selectFrom('blobs')
        .select('bytes')
        .where('company_id', '=', companyId)
        .where('sha256', '=', sha256)
        .executeTakeFirst(),
    );
    if (!row) throw new Error(`The value ${sha256} is missing from the company's store`);
    return row.bytes;
  }
}

function aad(companyId: string): string {
  return `temporal|${companyId}`;
}

/** Metadata and data in one piece: a JSON line, then the bytes. */
function pack(payload: Payload): Uint8Array {
  const metadata = Object.fromEntries(
    Object.entries(payload.metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  );
  // An empty value comes as protobufjs's own empty list, not as bytes.
  return Buffer.concat([Buffer.from(`${JSON.stringify(metadata)}\n`), Buffer.from(payload.data ?? [])]);
}

function unpack(bytes: Uint8Array): Payload {
  const buffer = Buffer.from(bytes);
  const end = buffer.indexOf(10);
  const metadata = JSON.parse(buffer.subarray(0, end).toString()) as Record<string, string>;
  return {
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
    data: buffer.subarray(end + 1),
  };
}
