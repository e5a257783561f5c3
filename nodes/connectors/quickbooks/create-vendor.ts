import { z } from 'zod';
import { defineAction } from '../../sdk/index.ts';
import {
  emailField,
  nameField,
  newVendor,
  toVendorOutput,
  vendorByName,
  vendorOutput,
  vendorRemote,
  vendorSource,
  writeVendor,
} from './vendor.ts';

/**
 * Adds a vendor. Fails with `conflict` (6240) when the name is taken, also by a customer or an employee.
 * The same `requestid` is answered with the first answer, so a lost one may be asked for again.
 */
export const createVendor = defineAction({
  id: 'quickbooks.create-vendor',
  title: 'Create a vendor',
  description: 'Adds a vendor to QuickBooks.',
  category: 'Accounting',
  icon: 'user-plus',
  effect: 'create',
  idempotency: 'key',
  source: vendorSource,
  input: z.object({ name: nameField, email: emailField }),
  output: vendorOutput,
  remote: vendorRemote,
  example: { name: 'Biltmore Glass & Mirror', email: 'billing@biltmore-glass.example' },
  run: async ({ http, connection, input, idempotencyKey }) => ({
    output: toVendorOutput(await writeVendor(http, connection, newVendor(input), idempotencyKey)),
  }),
  async findExisting({ http, connection, input }) {
    const vendor = await vendorByName(http, connection, input.name);
    return vendor?.DisplayName === input.name ? { output: toVendorOutput(vendor) } : undefined;
  },
});
