import { defineConnector } from '../../sdk/index.ts';
import { auth, http } from './api.ts';
import { billChanged } from './bill-changed.ts';
import { companyInfo, readCompanyInfo } from './company-info.ts';
import { createBill } from './create-bill.ts';
import { createVendor } from './create-vendor.ts';
import { ensureVendor } from './ensure-vendor.ts';
import { findVendor } from './find-vendor.ts';
import { listAccounts } from './list-accounts.ts';
import { options } from './options.ts';
import { createQuickBooksSandbox } from './sandbox.ts';
import { updateVendor } from './update-vendor.ts';
import { vendorChanged } from './vendor-changed.ts';

const limitSource = 'https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features#limits-and-throttles';

/** QuickBooks Online, Accounting API v3. */
export const connector = defineConnector({
  id: 'quickbooks',
  title: 'QuickBooks Online',
  category: 'Accounting',
  description: 'Vendors, bills and the chart of accounts of a QuickBooks Online company.',
  monogram: { text: 'QB', color: '#2ca01c' },
  baseUrl: { live: 'https://quickbooks.api.intuit.com' },
  auth,
  // Per company; the second also per application.
  limits: [
    { requests: 500, perSeconds: 60, source: limitSource },
    { requests: 10, perSeconds: 1, source: limitSource },
  ],
  nodes: [
    ensureVendor,
    findVendor,
    createVendor,
    updateVendor,
    createBill,
    companyInfo,
    listAccounts,
    vendorChanged,
    billChanged,
  ],
  options,
  test: async ({ http: client, connection }) => ({
    accountName: (await readCompanyInfo(client, connection)).CompanyName,
  }),
  http,
  sandboxUrls: (origin) => ({
    baseUrl: origin,
    authorizeUrl: `${origin}/connect/oauth2`,
    tokenUrl: `${origin}/oauth2/v1/tokens/bearer`,
    revokeUrl: `${origin}/v2/oauth2/tokens/revoke`,
  }),
  sandbox: createQuickBooksSandbox,
});
