import { z } from 'zod';
import { day, line, money } from './values.ts';

/** A commitment to buy from a vendor for a project. */
export const purchaseOrder = z.strictObject({
  number: line.min(1),
  projectId: z.string(),
  projectName: line,
  vendorId: z.string(),
  vendorName: line,
  costCode: line,
  description: line,
  amount: money,
  status: z.enum(['draft', 'issued', 'received', 'closed']),
  issuedOn: day,
});
