import type { z } from 'zod';
import { costCode } from './cost-code.ts';
import { project } from './project.ts';
import { purchaseOrder } from './purchase-order.ts';
import { vendor } from './vendor.ts';
import { vendorInvoice } from './vendor-invoice.ts';

export interface Column {
  readonly field: string;
  readonly title: string;
  readonly kind: 'text' | 'money' | 'date' | 'status';
}

export interface Entity {
  readonly id: string;
  readonly title: string;
  readonly plural: string;
  readonly schema: z.ZodObject;
  /** In the order of a list. */
  readonly columns: readonly Column[];
  /** Fields people search by. */
  readonly search: readonly string[];
  /** What one is called: `INV-10412`. */
  readonly label: string;
}

const text = (field: string, title: string): Column => ({ field, title, kind: 'text' });
const status: Column = { field: 'status', title: 'Status', kind: 'status' };

/** The company's own data: one schema per entity. */
export const entities = {
  vendor_invoice: {
    id: 'vendor_invoice',
    title: 'Vendor invoice',
    plural: 'Vendor invoices',
    schema: vendorInvoice,
    columns: [
      text('number', 'Number'),
      text('vendorName', 'Vendor'),
      text('projectName', 'Project'),
      { field: 'invoiceDate', title: 'Date', kind: 'date' },
      { field: 'dueDate', title: 'Due', kind: 'date' },
      { field: 'total', title: 'Total', kind: 'money' },
      status,
    ],
    search: ['number', 'vendorName', 'projectName', 'purchaseOrderNumber', 'memo'],
    label: 'number',
  },
  purchase_order: {
    id: 'purchase_order',
    title: 'Purchase order',
    plural: 'Purchase orders',
    schema: purchaseOrder,
    columns: [
      text('number', 'Number'),
      text('vendorName', 'Vendor'),
      text('projectName', 'Project'),
      text('costCode', 'Cost code'),
      text('description', 'For'),
      { field: 'amount', title: 'Amount', kind: 'money' },
      status,
    ],
    search: ['number', 'vendorName', 'projectName', 'costCode', 'description'],
    label: 'number',
  },
  vendor: {
    id: 'vendor',
    title: 'Vendor',
    plural: 'Vendors',
    schema: vendor,
    columns: [
      text('name', 'Name'),
      text('trade', 'Trade'),
      text('email', 'E-mail'),
      text('phone', 'Phone'),
      text('terms', 'Terms'),
      status,
    ],
    search: ['name', 'trade', 'email', 'phone'],
    label: 'name',
  },
  project: {
    id: 'project',
    title: 'Project',
    plural: 'Projects',
    schema: project,
    columns: [
      text('code', 'Code'),
      text('name', 'Name'),
      text('city', 'City'),
      text('superintendent', 'Superintendent'),
      { field: 'startDate', title: 'Start', kind: 'date' },
      { field: 'budget', title: 'Budget', kind: 'money' },
      status,
    ],
    search: ['code', 'name', 'address', 'city', 'superintendent'],
    label: 'name',
  },
  cost_code: {
    id: 'cost_code',
    title: 'Cost code',
    plural: 'Cost codes',
    schema: costCode,
    columns: [text('code', 'Code'), text('name', 'Name'), text('division', 'Division')],
    search: ['code', 'name', 'division'],
    label: 'name',
  },
} as const satisfies Readonly<Record<string, Entity>>;

export type EntityId = keyof typeof entities;

/** Statuses of an entity, in their order; empty when it has none. */
export function statusesOf(entity: Entity): readonly string[] {
  const schema = entity.schema.shape['status'] as { options?: readonly string[] } | undefined;
  return schema?.options ?? [];
}

/** Lower-case words of a record that people search by. */
export function searchText(entity: Entity, data: Readonly<Record<string, unknown>>): string {
  return entity.search
    .map((field) => data[field])
    .filter((value) => typeof value === 'string')
    .join(' ')
    .toLowerCase();
}
