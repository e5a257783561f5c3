import { z } from 'zod';
import { day, line, money } from './values.ts';

/** A bill from a vendor, from the day it comes in to the day it is paid. */
export const vendorInvoice = z.strictObject({
  number: line.min(1),
  vendorId: z.string(),
  vendorName: line,
  vendorEmail: line,
  projectId: z.string(),
  projectName: line,
  purchaseOrderNumber: line.optional(),
  status: z.enum(['submitted', 'approved', 'rejected', 'paid']),
  invoiceDate: day,
  dueDate: day,
  total: money,
  currency: z.string().length(3),
  memo: line.optional(),
  lines: z.array(z.strictObject({ costCode: line, description: line, amount: money })).min(1),
  approvedBy: line.optional(),
  approvedAt: z.iso.datetime({ offset: true }).optional(),
});

export type VendorInvoice = z.infer<typeof vendorInvoice>;

/** Where an invoice may go from where it is. */
export const invoiceTransitions: Readonly<Record<VendorInvoice['status'], readonly VendorInvoice['status'][]>> = {
  submitted: ['approved', 'rejected'],
  approved: ['paid'],
  rejected: [],
  paid: [],
};
