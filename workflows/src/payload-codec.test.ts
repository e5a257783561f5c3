import { randomBytes } from 'node:crypto';
import type { Payload, SerializationContext } from '@temporalio/common';
import { createVault, type Vault } from '@plumbline/db';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../db/src/testing.ts';
import { carrierWorkflowId, CLAIM_CHECK_BYTES, CompanyCodec, PAYLOAD_MAX_BYTES } from './payload-codec.ts';

let database: TestDatabase;
let vault: Vault;
let codec: CompanyCodec;
let company: string;
let other: string;
beforeAll(async () => {
  database = await testDatabase();
  vault = createVault({ masterKeys: [{ id: 'k1', key: Buffer.alloc(32, 7) }], store: database.store });
  codec = new CompanyCodec(database.store, vault);
  [company, other] = [await database.company(), await database.company('Other Homes')];
});
afterAll(() => database.close());

const within = (companyId: string): SerializationContext =>
  ({ type: 'workflow', namespace: 'default', workflowId: carrierWorkflowId(companyId, 'c1') }) as SerializationContext;
const payload = (data: Uint8Array | string): Payload => ({
  metadata: { encoding: Buffer.from('json/plain'), extra: randomBytes(5) },
  data: Buffer.from(data),
});
const plain = (one: Payload) => ({
  metadata: Object.fromEntries(
    Object.entries(one.metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
  ),
  data: Buffer.from(one.data ?? []).toString('hex'),
});
const encodingOf = (one: Payload | undefined) => Buffer.from(one?.metadata?.['encoding'] ?? []).toString();
const blobs = async () => Number((await database.asOwner<{ count: string }>('select count(*) from blobs'))[0]?.count);

describe('the codec', () => {
  test.each([
    ['nothing', ''],
    ['a text', '{"vendor":"Ridge Framing"}'],
    ['bytes', randomBytes(1_000)],
    ['line breaks', '\n\n{"a":1}\n'],
    ['as much as stays inside', randomBytes(CLAIM_CHECK_BYTES - 200)],
    ['a megabyte', randomBytes(1024 * 1024)],
  ])('gives back %s as it was', async (_name, data) => {
    const given = payload(data);
    const encoded = await codec.encode([given], within(company));
    expect((await codec.decode(encoded, within(company))).map(plain)).toEqual([plain(given)]);
  });

  test('shows Temporal neither the value nor what kind it was', async () => {
    const [encoded] = await codec.encode([payload('{"vendor":"Ridge Framing"}')], within(company));
    const seen = `${JSON.stringify(plain(encoded as Payload))}${Buffer.from(encoded?.data ?? []).toString('latin1')}`;
    expect(seen).not.toContain('Ridge');
    expect(seen).not.toContain(Buffer.from('Ridge').toString('hex'));
    expect(seen).not.toContain(Buffer.from('json/plain').toString('hex'));
  });

  test('keeps what is large in our own table, sealed, once, and hands Temporal a reference', async () => {
    const before = await blobs();
    const large = {
      metadata: { encoding: Buffer.from('json/plain') },
      data: Buffer.from(`{"secret":"${'Ridge Framing '.repeat(5_000)}"}`),
    };
    const [first, second] = await codec.encode([large, large], within(company));
    expect(encodingOf(first)).toBe('binary/plumbline-blob');
    expect(first?.data).toHaveLength(64);
    expect(Buffer.from(first?.data ?? []).toString()).toBe(Buffer.from(second?.data ?? []).toString());
    expect(await blobs()).toBe(before + 1);
    const [row] = await database.asOwner<{ bytes: Buffer }>('select bytes from blobs where sha256 = $1', [
      Buffer.from(first?.data ?? []).toString(),
    ]);
    expect(row?.bytes.includes('Ridge Framing')).toBe(false);
  });

  test('opens nothing for another company, sealed or by reference', async () => {
    for (const data of ['small', randomBytes(CLAIM_CHECK_BYTES * 2)]) {
      const encoded = await codec.encode([payload(data)], within(company));
      await expect(codec.decode(encoded, within(other))).rejects.toThrow(/cannot be opened|is missing/);
      await expect(codec.decode(encoded)).rejects.toThrow('without the company');
    }
  });

  test('refuses a payload of which one bit was changed', async () => {
    const [encoded] = await codec.encode([payload('small')], within(company));
    const data = Buffer.from(encoded?.data ?? []);
    data[20] = (data[20] ?? 0) ^ 1;
    await expect(codec.decode([{ ...encoded, data }], within(company))).rejects.toThrow('cannot be opened');
  });

  test('refuses what is larger than may pass', async () => {
    await expect(codec.encode([payload(Buffer.alloc(PAYLOAD_MAX_BYTES))], within(company))).rejects.toThrow(
      'larger than',
    );
  });

  test('leaves what belongs to no company alone', async () => {
    const given = payload('a schedule of Temporal’s own');
    const encoded = await codec.encode([given], {
      type: 'workflow',
      namespace: 'default',
      workflowId: 'temporal-sys-scheduler',
    } as SerializationContext);
    expect(encoded.map(plain)).toEqual([plain(given)]);
    expect((await codec.decode([given], within(company))).map(plain)).toEqual([plain(given)]);
  });

  test('opens what was stored under an older key, and stores the same value anew under the next', async () => {
    const next = randomBytes(32);
    const rotated: Vault = {
      ...vault,
      keyFor: async (companyId, version = 2) =>
        version === 1 ? await vault.keyFor(companyId, 1) : { companyId, version, key: next },
    };
    const after = new CompanyCodec(database.store, rotated);
    const large = payload(randomBytes(CLAIM_CHECK_BYTES * 2));
    const old = await codec.encode([large], within(company));
    const renewed = await after.encode([large], within(company));
    expect(Buffer.from(renewed[0]?.metadata?.['key'] ?? []).toString()).toBe('2');
    for (const encoded of [old, renewed])
      expect((await after.decode(encoded, within(company))).map(plain)).toEqual([plain(large)]);
  });
});
