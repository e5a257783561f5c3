import { z } from 'zod';
import { amountText, defineTrigger } from '../../sdk/index.ts';
import { changesSource, pollChanges } from './changes.ts';
import { billSchema } from './entities.ts';

const changedBill = z.object({
  id: z.string(),
  /** What follows is missing of a bill that was deleted. */
  number: z.string().optional(),
  /** Decimal text with two places. */
  total: z.string().optional(),
  date: z.string().optional(),
  dueDate: z.string().optional(),
  vendorId: z.string().optional(),
  vendorName: z.string().optional(),
  syncToken: z.string().optional(),
});

/** Starts when a bill is entered, changed or deleted in QuickBooks, by whomever; asked every five minutes by change data capture. */
export const billChanged = defineTrigger({
  id: 'quickbooks.bill-changed',
  title: 'A bill changes',
  description: 'Starts when a bill is entered, changed or deleted in QuickBooks.',
  category: 'Triggers',
  icon: 'receipt',
  source: changesSource,
  input: z.object({}),
  output: z.object({ change: z.enum(['created', 'updated', 'deleted']), bill: changedBill }),
  subscription: {
    kind: 'poll',
    everySeconds: () => 300,
    poll: pollChanges({
      entity: 'Bill',
      row: billSchema,
      data: (change, bill, id) => ({ change, bill: bill ? toOutput(bill) : { id } }),
    }),
  },
});

function toOutput(bill: z.infer<typeof billSchema>): z.infer<typeof changedBill> {
  return {
    id: bill.Id,
    number: bill.DocNumber ?? '',
    total: amountText(bill.TotalAmt),
    ...(bill.TxnDate ? { date: bill.TxnDate } : {}),
    ...(bill.DueDate ? { dueDate: bill.DueDate } : {}),
    vendorId: bill.VendorRef.value,
    ...(bill.VendorRef.name ? { vendorName: bill.VendorRef.name } : {}),
    syncToken: bill.SyncToken,
  };
}
