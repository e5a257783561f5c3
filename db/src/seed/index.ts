import { randomUUID } from 'node:crypto';
import { json } from '../data-error.ts';
import { entities, searchText, type Entity, type EntityId } from '../entities/index.ts';
import type { Transaction } from '../store.ts';
import { pseudoRandom, type Random } from './random.ts';
import { projects, trades, type Trade } from './trades.ts';

/** How many purchase orders and invoices the demo has. */
const sizes = { purchaseOrders: 260, vendorInvoices: 320 } as const;

type Data = Record<string, unknown>;

interface Seeded {
  readonly id: string;
  readonly entity: EntityId;
  readonly data: Data;
  /** When it was last touched. */
  readonly at: Date;
}

/**
 * Gives a company a home builder's year: projects, vendors, cost codes, purchase orders and vendor invoices that agree with each other.
 * The same each time, but for dates, which follow `now`. Makes no events: nothing happened.
 * @returns how many records were made; 0 when the company has records already.
 */
export async function seedDemo(tx: Transaction, companyId: string, now: Date): Promise<number> {
  const found = await tx
    .selectFrom('records')
    .select('id')
    .where('company_id', '=', companyId)
    .limit(1)
    .executeTakeFirst();
  if (found) return 0;
  const records = makeRecords(now);
  for (let at = 0; at < records.length; at += 200) {
    const rows = records.slice(at, at + 200).map(({ id, entity, data, at: time }) => {
      const declared: Entity = entities[entity];
      const checked = declared.schema.parse(data);
      return {
        id,
        company_id: companyId,
        entity,
        data: json(checked),
        search: searchText(declared, checked),
        created_at: time,
        updated_at: time,
      };
    });
    await tx.insertInto('records').values(rows).execute();
  }
  return records.length;
}

function makeRecords(now: Date): Seeded[] {
  const random = pseudoRandom(1_883);
  const day = (ago: number): Date =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), 14) - ago * 86_400_000);
  const jobs = projects.map(([name, address, city, status, superintendent, budget, started], index): Seeded => ({
    id: randomUUID(),
    entity: 'project',
    data: {
      name,
      code: `P-${2_401 + index}`,
      address,
      city,
      status,
      superintendent,
      startDate: isoDay(day(started)),
      budget: `${budget}.00`,
    },
    at: day(started),
  }));
  const vendors = trades.flatMap((trade) =>
    trade.vendors.map((name) => ({ trade, record: makeVendor(name, trade, random, day(random.whole(200, 900))) })),
  );
  const costCodes = trades.flatMap((trade) =>
    trade.costs.map(([code, name]): Seeded => ({
      id: randomUUID(),
      entity: 'cost_code',
      data: { code, name, division: trade.name },
      at: day(900),
    })),
  );
  const open = jobs.filter(({ data }) => data['status'] !== 'planning');
  const pick = () => ({ ...random.one(vendors), job: random.one(open) });

  const orders = Array.from({ length: sizes.purchaseOrders }, (_, index): Seeded & { readonly trade: Trade } => {
    const { trade, record: vendor, job } = pick();
    const [code, , work, low, high] = random.one(trade.costs);
    const ago = random.whole(3, 230);
    return {
      id: randomUUID(),
      entity: 'purchase_order',
      trade,
      data: {
        number: `PO-${4_101 + index}`,
        projectId: job.id,
        projectName: job.data['name'],
        vendorId: vendor.id,
        vendorName: vendor.data['name'],
        costCode: code,
        description: random.one(work),
        amount: dollars(random.whole(low * 4, high * 4) * 25),
        status:
          ago > 120
            ? random.one(['received', 'closed'])
            : ago > 30
              ? random.one(['issued', 'received'])
              : random.one(['draft', 'issued', 'issued']),
        issuedOn: isoDay(day(ago)),
      },
      at: day(ago),
    };
  });

  const invoices = Array.from({ length: sizes.vendorInvoices }, (_, index): Seeded => {
    // The newest come last, and are the ones that wait for approval.
    const ago = Math.floor(((sizes.vendorInvoices - index) / sizes.vendorInvoices) ** 1.6 * 220);
    const order = random.chance(0.6) ? random.one(orders) : undefined;
    const chosen = pick();
    const trade = order?.trade ?? chosen.trade;
    const vendor = order
      ? { id: String(order.data['vendorId']), name: order.data['vendorName'] }
      : { id: chosen.record.id, name: chosen.record.data['name'] };
    const lines = Array.from({ length: random.one([1, 1, 2, 2, 3, 4]) }, () => {
      const [costCode, , work, low, high] = random.one(trade.costs);
      return {
        costCode,
        description: random.one(work),
        cents: random.whole(low * 100, Math.round(((low + high) / 2) * 100)),
      };
    });
    const status =
      ago > 55
        ? random.chance(0.95)
          ? 'paid'
          : 'rejected'
        : ago > 11
          ? random.chance(0.9)
            ? 'approved'
            : 'rejected'
          : 'submitted';
    const approval =
      status === 'approved' || status === 'paid'
        ? {
            approvedBy: random.one(['Dana Hartwell', 'Luis Ortega']),
            approvedAt: day(Math.max(ago - 2, 0)).toISOString(),
          }
        : {};
    return {
      id: randomUUID(),
      entity: 'vendor_invoice',
      data: {
        number: `INV-${10_101 + index}`,
        vendorId: vendor.id,
        vendorName: vendor.name,
        vendorEmail: vendors.find(({ record }) => record.id === vendor.id)?.record.data['email'] ?? '',
        projectId: order ? order.data['projectId'] : chosen.job.id,
        projectName: order ? order.data['projectName'] : chosen.job.data['name'],
        ...(order ? { purchaseOrderNumber: order.data['number'] } : {}),
        status,
        invoiceDate: isoDay(day(ago + 1)),
        dueDate: isoDay(day(ago + 1 - 30)),
        total: dollars(lines.reduce((sum, { cents }) => sum + cents, 0)),
        currency: 'USD',
        lines: lines.map(({ cents, ...line }) => ({ ...line, amount: dollars(cents) })),
        ...approval,
      },
      at: new Date(day(ago).getTime() + index * 1_000),
    };
  });
  return [...jobs, ...vendors.map(({ record }) => record), ...costCodes, ...orders, ...invoices].map(
    ({ id, entity, data, at }) => ({ id, entity, data, at }),
  );
}

function makeVendor(name: string, trade: Trade, random: Random, at: Date): Seeded {
  const domain = name
    .toLowerCase()
    .replace(/&/g, 'and')
    .replace(/[^a-z]+/g, '-')
    .replace(/^-|-$/g, '');
  return {
    id: randomUUID(),
    entity: 'vendor',
    data: {
      name,
      trade: trade.name,
      email: `billing@${domain}.example`,
      phone: `(828) 555-01${String(random.whole(0, 99)).padStart(2, '0')}`,
      taxId: `56-${random.whole(1_000_000, 9_999_999)}`,
      terms: random.one(['Net 30', 'Net 30', 'Net 15', '2% 10, Net 30', 'Due on receipt']),
      status: random.chance(0.96) ? 'active' : 'inactive',
    },
    at,
  };
}

/** Whole cents as an amount. */
function dollars(cents: number): string {
  return `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
}

function isoDay(date: Date): string {
  return date.toISOString().slice(0, 10);
}
