import { z } from 'zod';
import { defineAction } from '../../sdk/index.ts';
import { accountSchema } from './entities.ts';
import { query } from './query.ts';

/** Lists the active accounts, all or of one classification. */
export const listAccounts = defineAction({
  id: 'quickbooks.list-accounts',
  title: 'List accounts',
  description: 'The chart of accounts, or one type of it.',
  category: 'Accounting',
  icon: 'list-tree',
  effect: 'read',
  source: 'https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/account',
  input: z.object({
    classification: z
      .enum(['Asset', 'Equity', 'Expense', 'Liability', 'Revenue'])
      .optional()
      .meta({ title: 'Type', description: 'All types, when left empty.' }),
  }),
  output: z.object({
    accounts: z.array(z.object({ id: z.string(), name: z.string(), number: z.string().optional(), type: z.string() })),
  }),
  example: { classification: 'Expense' },
  async run({ http, connection, input: { classification } }) {
    const where = classification && `Classification = '${classification}'`;
    const rows = await query(http, connection, { entity: 'Account', ...(where ? { where } : {}), row: accountSchema });
    const accounts = rows.map((row) => ({
      id: row.Id,
      name: row.FullyQualifiedName ?? row.Name,
      type: row.AccountType,
      ...(row.AcctNum ? { number: row.AcctNum } : {}),
    }));
    return { output: { accounts } };
  },
});
