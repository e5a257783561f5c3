import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createVault } from './crypto.ts';
import { isDatabaseAway } from './database-away.ts';
import { createPool } from './pool.ts';
import { appendAudit, verifyAudit } from './queries/audit.ts';
import { changeInvoiceStatus, createRecord, listRecords } from './queries/records.ts';
import { testDatabase, type TestDatabase } from './testing.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const invoice = {
  number: 'INV-1',
  vendorId: 'v',
  vendorName: 'Ridge Framing',
  vendorEmail: 'ap@ridge.example',
  projectId: 'p',
  projectName: 'Lot 4',
  status: 'submitted',
  invoiceDate: '2026-11-01',
  dueDate: '2026-12-01',
  total: '120.00',
  currency: 'USD',
  lines: [{ costCode: '06-100', description: 'Framing', amount: '120.00' }],
};

test('an approval writes the record, its change and its event together', async () => {
  const companyId = await database.company();
  const now = new Date();
  const created = await database.store.tenant(companyId, (tx) =>
    createRecord(tx, { companyId, entity: 'vendor_invoice', actor: 'Dana', now, data: invoice }),
  );
  await database.store.tenant(companyId, (tx) =>
    changeInvoiceStatus(tx, { companyId, id: created.id, to: 'approved', actor: 'Dana', now }),
  );
  const events = await database.asOwner('select key, status, data from events where company_id = $1 order by seq', [
    companyId,
  ]);
  expect(events.map((event) => event['key'])).toEqual(['vendor_invoice.created', 'vendor_invoice.approved']);
  const { rows, total } = await database.store.tenant(companyId, (tx) =>
    listRecords(tx, { companyId, entity: 'vendor_invoice', status: 'approved', search: 'ridge' }),
  );
  expect(total).toBe(1);
  expect(rows[0]?.data['approvedBy']).toBe('Dana');
  await expect(
    database.store.tenant(companyId, (tx) =>
      changeInvoiceStatus(tx, { companyId, id: created.id, to: 'rejected', actor: 'Dana', now }),
    ),
  ).rejects.toMatchObject({ code: 'invalid_transition' });
});

test('the audit chain holds, and shows where it was tampered with', async () => {
  const companyId = await database.company();
  await database.store.tenant(companyId, async (tx) => {
    for (let index = 0; index < 5; index++)
      await appendAudit(tx, { actor: 'Dana', action: 'flow.published', targetType: 'flow', targetId: String(index) });
  });
  expect(await database.store.tenant(companyId, verifyAudit)).toBeNull();
  await expect(
    database.asOwner('update audit_log set actor = $2 where company_id = $1', [companyId, 'Mallory']),
  ).rejects.toThrow('append-only');
  await database.asOwner('alter table audit_log disable trigger audit_log_append_only');
  await database.asOwner(`update audit_log set actor = 'Mallory' where company_id = $1 and number = 3`, [companyId]);
  await database.asOwner('alter table audit_log enable trigger audit_log_append_only');
  expect(await database.store.tenant(companyId, verifyAudit)).toBe(3);
});

test('a sealed value opens only where it was sealed', async () => {
  const [companyId, other] = [await database.company(), await database.company()];
  const vault = createVault({ masterKeys: [{ id: 'k1', key: Buffer.alloc(32, 7) }], store: database.store });
  const place = { companyId, table: 'integrations', rowId: 'r1', column: 'config' };
  const sealed = await vault.seal(place, { accessToken: 'secret' });
  expect(await vault.open(place, sealed)).toEqual({ accessToken: 'secret' });
  expect(JSON.stringify(sealed)).not.toContain('secret');
  for (const elsewhere of [
    { ...place, companyId: other },
    { ...place, table: 'webhooks' },
    { ...place, rowId: 'r2' },
    { ...place, column: 'secret' },
  ])
    await expect(vault.open(elsewhere, sealed)).rejects.toThrow('cannot be opened');
  const text = Buffer.from(sealed.ct, 'base64');
  for (let index = 0; index < text.length; index++) {
    const flipped = Buffer.from(text);
    flipped[index] = (flipped[index] ?? 0) ^ 1;
    await expect(vault.open(place, { ...sealed, ct: flipped.toString('base64') })).rejects.toThrow('cannot be opened');
  }
});

test('a rotated master key rewraps the company keys, and the data still opens without the old one', async () => {
  const companyId = await database.company();
  const old = { id: 'old', key: Buffer.alloc(32, 1) };
  const next = { id: 'new', key: Buffer.alloc(32, 2) };
  const place = { companyId, table: 'subscriptions', rowId: 's', column: 'secret' };
  const sealed = await createVault({ masterKeys: [old], store: database.store }).seal(place, 'whsec');
  await expect(createVault({ masterKeys: [next], store: database.store }).open(place, sealed)).rejects.toThrow(
    'cannot be opened',
  );
  expect(await createVault({ masterKeys: [next, old], store: database.store }).rewrap(companyId)).toBe(1);
  expect(await createVault({ masterKeys: [next], store: database.store }).open(place, sealed)).toBe('whsec');
});

test('a connection that breaks between two statements costs its transaction, and nothing else', async () => {
  const companyId = await database.company();
  const broken = database.store.tenant(companyId, async (tx) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
    const pid = rows[0]?.pid;
    await database.asOwner('select pg_terminate_backend($1)', [pid]);
    // An answer after it came on another connection, so the end of this one is on its way too.
    while ((await database.asOwner('select 1 from pg_stat_activity where pid = $1', [pid])).length > 0);
    await sql`select 1`.execute(tx);
  });
  await expect(broken).rejects.toSatisfy(isDatabaseAway);
  await expect(database.store.ping()).resolves.toBeUndefined();
});

test('a database that says nothing for too long is given up, and asked anew', async () => {
  const pool = createPool(database.urls.app, { silenceMs: 300 });
  try {
    await expect(pool.query('select pg_sleep(30)')).rejects.toSatisfy(isDatabaseAway);
    await expect(pool.query('select 1')).resolves.toMatchObject({ rowCount: 1 });
  } finally {
    await pool.end();
  }
});
