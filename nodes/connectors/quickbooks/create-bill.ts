import { z } from 'zod';
import { amount, amountText, defineAction, exactAmount, fromCents, toCents } from '../../sdk/index.ts';
import { companyPath, MINOR_VERSION } from './api.ts';
import { billSchema } from './entities.ts';
import { query, quoted } from './query.ts';

const input = z.object({
  vendorId: z.string().min(1).meta({ title: 'Vendor', optionsFrom: 'vendors' }),
  accountId: z.string().min(1).meta({
    title: 'Expense account',
    description: 'For lines that name no account of their own.',
    optionsFrom: 'expenseAccounts',
  }),
  docNumber: z.string().max(21).optional().meta({ title: 'Bill number' }),
  txnDate: z.iso.date().optional().meta({ title: 'Date', description: 'Today, when left empty.' }),
  dueDate: z.iso.date().optional().meta({ title: 'Due' }),
  lines: z
    .array(
      z.object({
        description: z.string().max(4_000).optional().meta({ title: 'Description' }),
        amount: amount.meta({ title: 'Amount' }),
        accountId: z.string().min(1).optional().meta({ title: 'Account', optionsFrom: 'expenseAccounts' }),
      }),
    )
    .min(1)
    .max(500)
    .meta({ title: 'Lines' }),
  privateNote: z.string().max(4_000).optional().meta({ title: 'Memo', multiline: true, advanced: true }),
});

const output = z.object({
  id: z.string(),
  number: z.string(),
  /** Decimal text with two places. */
  total: z.string(),
  vendorId: z.string(),
  syncToken: z.string(),
});

/**
 * Enters a bill. Amounts go out digit for digit; `requestid` makes QuickBooks answer a repeat with the first answer.
 * Fails with `closed_period` (6210) when the books are closed for the date.
 */
export const createBill = defineAction({
  id: 'quickbooks.create-bill',
  title: 'Create a bill',
  description: 'Enters a vendor’s invoice into QuickBooks as a bill to be paid.',
  category: 'Accounting',
  icon: 'receipt',
  effect: 'create',
  idempotency: 'key',
  source: 'https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/bill',
  input,
  output,
  remote: { type: 'bill', entity: 'vendor_invoice', read: ({ id, syncToken }) => ({ id, version: syncToken }) },
  example: {
    vendorId: '45',
    accountId: '28',
    docNumber: 'PE-2041',
    txnDate: '2026-03-02',
    dueDate: '2026-04-01',
    lines: [{ description: 'Rough-in, lot 14', amount: '1234.10' }],
  },
  async run({ http, connection, input: bill, idempotencyKey }) {
    const { Bill } = await http.send({
      method: 'POST',
      path: companyPath(connection, 'bill'),
      query: { minorversion: MINOR_VERSION, requestid: idempotencyKey },
      json: billOnWire(bill),
      answer: z.object({ Bill: billSchema }),
    });
    return { output: toOutput(Bill) };
  },
  /** The bill of that vendor with that number and that total. Without a number there is nothing to look for. */
  async findExisting({ http, connection, input: { docNumber, vendorId, lines } }) {
    if (!docNumber) return undefined;
    const where = `DocNumber = ${quoted(docNumber)} and VendorRef = ${quoted(vendorId)}`;
    const bills = await query(http, connection, { entity: 'Bill', where, row: billSchema, max: 100 });
    const total = fromCents(lines.reduce((sum, line) => sum + toCents(line.amount), 0n));
    const bill = bills.find((candidate) => amountText(candidate.TotalAmt) === total);
    return bill && { output: toOutput(bill) };
  },
  undo: {
    title: 'Deletes the bill',
    /** By id and just before it, for the token of what somebody changed meanwhile. A bill that has been paid is refused by QuickBooks. */
    async run({ http, connection, input: { output: bill }, idempotencyKey }) {
      const { Bill } = await http.send({
        method: 'GET',
        path: companyPath(connection, `bill/${encodeURIComponent(bill.id)}`),
        query: { minorversion: MINOR_VERSION },
        answer: z.object({ Bill: z.object({ Id: z.string(), SyncToken: z.string() }) }),
      });
      await http.send({
        method: 'POST',
        path: companyPath(connection, 'bill'),
        query: { operation: 'delete', minorversion: MINOR_VERSION, requestid: idempotencyKey },
        json: { Id: Bill.Id, SyncToken: Bill.SyncToken },
        answer: z.object({ Bill: z.object({ Id: z.string(), status: z.literal('Deleted') }) }),
      });
    },
  },
});

/** @internal */
export function billOnWire(bill: z.infer<typeof input>) {
  return {
    VendorRef: { value: bill.vendorId },
    ...(bill.docNumber ? { DocNumber: bill.docNumber } : {}),
    ...(bill.txnDate ? { TxnDate: bill.txnDate } : {}),
    ...(bill.dueDate ? { DueDate: bill.dueDate } : {}),
    ...(bill.privateNote ? { PrivateNote: bill.privateNote } : {}),
    Line: bill.lines.map((line) => ({
      ...(line.description ? { Description: line.description } : {}),
      Amount: exactAmount(line.amount),
      DetailType: 'AccountBasedExpenseLineDetail',
      AccountBasedExpenseLineDetail: { AccountRef: { value: line.accountId ?? bill.accountId } },
    })),
  };
}

function toOutput(bill: z.infer<typeof billSchema>): z.infer<typeof output> {
  return {
    id: bill.Id,
    number: bill.DocNumber ?? '',
    total: amountText(bill.TotalAmt),
    vendorId: bill.VendorRef.value,
    syncToken: bill.SyncToken,
  };
}
