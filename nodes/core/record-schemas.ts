import { z } from 'zod';

/** What a record event hands on, by entity. Amounts are decimal text, days are YYYY-MM-DD. */
export const recordSchemas = {
  vendor_invoice: z.object({
    id: z.string(),
    number: z.string(),
    vendorId: z.string(),
    vendorName: z.string(),
    vendorEmail: z.string(),
    projectId: z.string(),
    projectName: z.string(),
    purchaseOrderNumber: z.string().optional(),
    status: z.string(),
    invoiceDate: z.string(),
    dueDate: z.string(),
    total: z.string(),
    currency: z.string(),
    memo: z.string().optional(),
    lines: z.array(z.object({ costCode: z.string(), description: z.string(), amount: z.string() })),
    approvedBy: z.string().optional(),
    approvedAt: z.string().optional(),
  }),
  purchase_order: z.object({
    id: z.string(),
    number: z.string(),
    projectId: z.string(),
    projectName: z.string(),
    vendorId: z.string(),
    vendorName: z.string(),
    costCode: z.string(),
    description: z.string(),
    amount: z.string(),
    status: z.string(),
    issuedOn: z.string(),
  }),
  vendor: z.object({
    id: z.string(),
    name: z.string(),
    trade: z.string(),
    email: z.string(),
    phone: z.string(),
    taxId: z.string(),
    terms: z.string(),
    status: z.string(),
  }),
  project: z.object({
    id: z.string(),
    name: z.string(),
    code: z.string(),
    address: z.string(),
    city: z.string(),
    status: z.string(),
    superintendent: z.string(),
    startDate: z.string(),
    budget: z.string(),
  }),
  cost_code: z.object({ id: z.string(), code: z.string(), name: z.string(), division: z.string() }),
} as const;

/** The company's own records that events are about. */
export type RecordEntity = keyof typeof recordSchemas;

/** What happens to which of them, as a step or a trigger asks for it. */
export const recordChangeFields = {
  entity: z.enum(Object.keys(recordSchemas) as [RecordEntity, ...RecordEntity[]]).meta({
    title: 'Record',
    labels: {
      vendor_invoice: 'Vendor invoice',
      purchase_order: 'Purchase order',
      vendor: 'Vendor',
      project: 'Project',
      cost_code: 'Cost code',
    },
  }),
  change: z.enum(['created', 'updated', 'approved', 'rejected', 'paid']).meta({ title: 'Change' }),
};
