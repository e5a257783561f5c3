import { z } from 'zod';
import { defineAction, type ConnectionContext, type VendorHttp } from '../../sdk/index.ts';
import { companyPath, MINOR_VERSION, realmOf } from './api.ts';
import { companyInfoSchema } from './entities.ts';

/** Reads the connected company's own facts. */
export async function readCompanyInfo(http: VendorHttp, connection: ConnectionContext | undefined) {
  const answer = await http.send({
    method: 'GET',
    path: companyPath(connection, `companyinfo/${encodeURIComponent(realmOf(connection))}`),
    query: { minorversion: MINOR_VERSION },
    answer: z.object({ CompanyInfo: companyInfoSchema }),
  });
  return answer.CompanyInfo;
}

/** Reads the name and country of the connected company. */
export const companyInfo = defineAction({
  id: 'quickbooks.company-info',
  title: 'Read the company',
  description: 'Name and country of the connected QuickBooks company.',
  category: 'Accounting',
  icon: 'building',
  effect: 'read',
  source: 'https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/companyinfo',
  input: z.object({}),
  output: z.object({ name: z.string(), legalName: z.string().optional(), country: z.string().optional() }),
  example: {},
  async run({ http, connection }) {
    const { CompanyName, LegalName, Country } = await readCompanyInfo(http, connection);
    return {
      output: {
        name: CompanyName,
        ...(LegalName ? { legalName: LegalName } : {}),
        ...(Country ? { country: Country } : {}),
      },
    };
  },
});
