import type { Choice, ConnectionContext, Connector, VendorHttp } from '../../sdk/index.ts';
import { accountSchema, vendorSchema } from './entities.ts';
import { query } from './query.ts';

interface OptionsContext {
  readonly http: VendorHttp;
  readonly connection: ConnectionContext;
}

/** What forms offer to choose from: `accounts`, `expenseAccounts` and `vendors`, active ones only. */
export const options: Connector['options'] = {
  accounts: (context) => accountChoices(context),
  expenseAccounts: (context) => accountChoices(context, "Classification = 'Expense'"),
  async vendors({ http, connection }) {
    const rows = await query(http, connection, { entity: 'Vendor', row: vendorSchema });
    return byLabel(
      rows.map((row) => ({
        value: row.Id,
        label: row.DisplayName,
        ...(row.PrimaryEmailAddr?.Address ? { hint: row.PrimaryEmailAddr.Address } : {}),
      })),
    );
  },
};

async function accountChoices({ http, connection }: OptionsContext, where?: string): Promise<readonly Choice[]> {
  const rows = await query(http, connection, { entity: 'Account', ...(where ? { where } : {}), row: accountSchema });
  return byLabel(
    rows.map((row) => ({
      value: row.Id,
      label: [row.AcctNum, row.FullyQualifiedName ?? row.Name].filter(Boolean).join(' '),
      hint: row.AccountType,
    })),
  );
}

function byLabel(choices: Choice[]): readonly Choice[] {
  return choices.sort((a, b) => a.label.localeCompare(b.label, 'en'));
}
