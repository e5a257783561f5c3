import { z } from 'zod';
import { defineAction } from '../../sdk/index.ts';
import { companyPath, MINOR_VERSION } from './api.ts';
import { vendorSchema } from './entities.ts';
import {
  emailField,
  nameField,
  toVendorOutput,
  vendorOutput,
  vendorRemote,
  vendorSource,
  writeVendor,
} from './vendor.ts';

/**
 * Changes a vendor's name or e-mail; what is left empty stays. Writes nothing when nothing would change, so it may be repeated.
 * Fails with `conflict` (5010) when somebody else saved the vendor between our reading and our writing.
 */
export const updateVendor = defineAction({
  id: 'quickbooks.update-vendor',
  title: 'Update a vendor',
  description: 'Changes a vendor’s name or e-mail; what is left empty stays.',
  category: 'Accounting',
  icon: 'user-pen',
  effect: 'upsert',
  source: vendorSource,
  input: z.object({
    vendorId: z.string().min(1).meta({ title: 'Vendor', optionsFrom: 'vendors' }),
    name: nameField.optional(),
    email: emailField,
  }),
  output: vendorOutput,
  remote: vendorRemote,
  example: { vendorId: '45', email: 'ap@pisgah-electric.example' },
  async run({ http, connection, input }) {
    // By id and just before the write: a query may still show an old SyncToken, which would be refused as stale.
    const { Vendor: current } = await http.send({
      method: 'GET',
      path: companyPath(connection, `vendor/${encodeURIComponent(input.vendorId)}`),
      query: { minorversion: MINOR_VERSION },
      answer: z.object({ Vendor: vendorSchema }),
    });
    const changes = {
      ...(input.name && input.name !== current.DisplayName ? { DisplayName: input.name } : {}),
      ...(input.email && input.email !== current.PrimaryEmailAddr?.Address
        ? { PrimaryEmailAddr: { Address: input.email } }
        : {}),
    };
    if (Object.keys(changes).length === 0) return { output: toVendorOutput(current) };
    const { Id, SyncToken } = current;
    return { output: toVendorOutput(await writeVendor(http, connection, { Id, SyncToken, sparse: true, ...changes })) };
  },
});
