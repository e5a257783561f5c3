import { sql } from 'kysely';
import { DataError, json } from '../data-error.ts';
import { isPlaceInList } from '../place-in-list.ts';
import { entities, searchText, type Entity, type EntityId } from '../entities/index.ts';
import { invoiceTransitions, type VendorInvoice } from '../entities/vendor-invoice.ts';
import type { Transaction } from '../store.ts';

export interface RecordRow {
  readonly id: string;
  readonly version: number;
  readonly data: Record<string, unknown>;
  readonly updatedAt: Date;
}

export interface ListOptions {
  readonly companyId: string;
  readonly entity: EntityId;
  readonly search?: string;
  readonly status?: string;
  /** From the page before. */
  readonly cursor?: string;
  /** @default 50, at most 200 */
  readonly limit?: number;
}

/** A page of records, newest change first. Served by `records_by_entity`. */
export async function listRecords(
  tx: Transaction,
  options: ListOptions,
): Promise<{ readonly rows: RecordRow[]; readonly next?: string; readonly total: number }> {
  const limit = Math.min(options.limit ?? 50, 200);
  let query = tx.selectFrom('records').where('company_id', '=', options.companyId).where('entity', '=', options.entity);
  if (options.status) query = query.where(sql<string>`data ->> 'status'`, '=', options.status);
  for (const word of (options.search ?? '').toLowerCase().split(/\s+/).filter(Boolean).slice(0, 8))
    query = query.where('search', 'like', `%${word.replace(/[\\%_]/g, '\\$&')}%`);
  const total = await query.select((eb) => eb.fn.countAll<string>().as('count')).executeTakeFirstOrThrow();
  const after = options.cursor ? parseCursor(options.cursor) : undefined;
  if (after)
    query = query.where((eb) =>
      eb(eb.refTuple('updated_at', 'id'), '<', eb.tuple(after.at as unknown as Date, after.id)),
    );
  const rows = await query
    .select(['id', 'version', 'data', 'updated_at', sql<string>`updated_at::text`.as('at')])
    .orderBy('updated_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    rows: page.map((row) => ({ id: row.id, version: row.version, data: row.data, updatedAt: row.updated_at })),
    ...(rows.length > limit && last
      ? { next: Buffer.from(JSON.stringify([last.at, last.id])).toString('base64url') }
      : {}),
    total: Number(total.count),
  };
}

function parseCursor(cursor: string): { readonly at: string; readonly id: string } {
  try {
    const [at, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (isPlaceInList(at, id)) return { at: String(at), id: String(id) };
  } catch {
    // answered below
  }
  throw new DataError('invalid_input', 'The cursor is not one of ours. Start from the first page.');
}

export async function countRecords(tx: Transaction, companyId: string): Promise<Readonly<Record<string, number>>> {
  const rows = await tx
    .selectFrom('records')
    .select((eb) => ['entity', eb.fn.countAll<string>().as('count')])
    .where('company_id', '=', companyId)
    .groupBy('entity')
    .execute();
  return Object.fromEntries(rows.map((row) => [row.entity, Number(row.count)]));
}

export async function readRecord(
  tx: Transaction,
  companyId: string,
  entity: string,
  id: string,
): Promise<RecordRow | undefined> {
  const row = await tx
    .selectFrom('records')
    .select(['id', 'version', 'data', 'updated_at'])
    .where('company_id', '=', companyId)
    .where('entity', '=', entity)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && { id: row.id, version: row.version, data: row.data, updatedAt: row.updated_at };
}

export interface Change {
  readonly companyId: string;
  readonly entity: EntityId;
  readonly actor: string;
  /** `created`, `updated`, `approved` … : with the entity it is the event's key. */
  readonly change: string;
  readonly now: Date;
}

/** Stores a new record, its change and its event in the caller's transaction. @throws DataError `invalid_input` */
export async function createRecord(
  tx: Transaction,
  input: Omit<Change, 'change'> & { readonly data: unknown },
): Promise<RecordRow> {
  const entity: Entity = entities[input.entity];
  const data = parseRecord(entity, input.data);
  const row = await tx
    .insertInto('records')
    .values({ company_id: input.companyId, entity: entity.id, data: json(data), search: searchText(entity, data) })
    .returning(['id', 'version', 'data', 'updated_at'])
    .executeTakeFirstOrThrow();
  await writeChange(tx, { ...input, change: 'created' }, { id: row.id, version: 1, before: null, after: data });
  return { id: row.id, version: row.version, data: row.data, updatedAt: row.updated_at };
}

/**
 * Replaces a record's data when it is still at `version`, and writes the change and its event with it.
 * @throws DataError `not_found`, `version_conflict`, `invalid_input`
 */
export async function updateRecord(
  tx: Transaction,
  input: Change & { readonly id: string; readonly version: number; readonly data: unknown },
): Promise<RecordRow> {
  const entity: Entity = entities[input.entity];
  const data = parseRecord(entity, input.data);
  const before = await tx
    .selectFrom('records')
    .select(['version', 'data'])
    .where('company_id', '=', input.companyId)
    .where('entity', '=', entity.id)
    .where('id', '=', input.id)
    .forUpdate()
    .executeTakeFirst();
  if (!before) throw new DataError('not_found', `There is no such ${entity.title.toLowerCase()}.`);
  if (before.version !== input.version)
    throw new DataError(
      'version_conflict',
      `This ${entity.title.toLowerCase()} was changed meanwhile. Look at it again and repeat your change.`,
    );
  const row = await tx
    .updateTable('records')
    .set({ data: json(data), search: searchText(entity, data), version: input.version + 1, updated_at: input.now })
    .where('company_id', '=', input.companyId)
    .where('id', '=', input.id)
    .returning(['id', 'version', 'data', 'updated_at'])
    .executeTakeFirstOrThrow();
  await writeChange(tx, input, { id: row.id, version: row.version, before: before.data, after: data });
  return { id: row.id, version: row.version, data: row.data, updatedAt: row.updated_at };
}

/**
 * Approves, rejects or pays a vendor invoice.
 * @throws DataError `not_found`, `invalid_transition`
 */
export async function changeInvoiceStatus(
  tx: Transaction,
  input: {
    readonly companyId: string;
    readonly id: string;
    readonly to: 'approved' | 'rejected' | 'paid';
    readonly actor: string;
    readonly now: Date;
  },
): Promise<RecordRow> {
  const current = await readRecord(tx, input.companyId, 'vendor_invoice', input.id);
  if (!current) throw new DataError('not_found', 'There is no such vendor invoice.');
  const invoice = current.data as VendorInvoice;
  if (!invoiceTransitions[invoice.status].includes(input.to))
    throw new DataError(
      'invalid_transition',
      `Invoice ${invoice.number} is ${invoice.status}; it cannot become ${input.to}.`,
    );
  const approval = input.to === 'approved' ? { approvedBy: input.actor, approvedAt: input.now.toISOString() } : {};
  return await updateRecord(tx, {
    companyId: input.companyId,
    entity: 'vendor_invoice',
    id: input.id,
    version: current.version,
    change: input.to,
    actor: input.actor,
    now: input.now,
    data: { ...invoice, ...approval, status: input.to },
  });
}

function parseRecord(entity: Entity, data: unknown): Record<string, unknown> {
  const parsed = entity.schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new DataError(
    'invalid_input',
    `${entity.title}, ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}.`,
  );
}

/** The change feed and the outbox: both in the transaction that changes the record, so neither can be missing. */
async function writeChange(
  tx: Transaction,
  change: Change,
  record: {
    readonly id: string;
    readonly version: number;
    readonly before: unknown;
    readonly after: Record<string, unknown>;
  },
): Promise<void> {
  const { companyId, entity, actor, now } = change;
  await tx
    .insertInto('record_changes')
    .values({
      company_id: companyId,
      record_id: record.id,
      entity,
      change: change.change,
      version: record.version,
      before: record.before === null ? null : json(record.before),
      after: json(record.after),
      actor,
      at: now,
    })
    .execute();
  const type = `${entity}.${change.change}`;
  const dedupe = `${record.id}:${record.version}`;
  await tx
    .insertInto('events')
    .values({
      company_id: companyId,
      kind: 'record',
      key: type,
      dedupe_key: dedupe,
      subject_entity: entity,
      subject_id: record.id,
      data: json({
        event: { id: dedupe, type, occurredAt: now.toISOString() },
        record: { id: record.id, ...record.after },
        actor,
      }),
      reason: null,
      dispatched_at: null,
    })
    .execute();
}
