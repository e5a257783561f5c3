import { z } from 'zod';
import { defineAction } from '../../sdk/index.ts';
import { nameField, toVendorOutput, vendorByName, vendorOutput, vendorSource } from './vendor.ts';

/** Looks a vendor up by its display name. Leaves by `missing` when there is none; it is no failure. */
export const findVendor = defineAction({
  id: 'quickbooks.find-vendor',
  title: 'Find a vendor',
  description: 'Looks a vendor up by name.',
  category: 'Accounting',
  icon: 'search',
  effect: 'read',
  source: vendorSource,
  input: z.object({ name: nameField }),
  output: vendorOutput.partial(),
  ports: [
    { id: 'found', title: 'Found' },
    { id: 'missing', title: 'Not there' },
  ],
  example: { name: 'Pisgah Electric' },
  async run({ http, connection, input }) {
    const vendor = await vendorByName(http, connection, input.name);
    return vendor ? { output: toVendorOutput(vendor), port: 'found' } : { output: {}, port: 'missing' };
  },
});
