import { z } from 'zod';
import { defineAction, isConnectorFailure } from '../../sdk/index.ts';
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

const DUPLICATE_NAME = '6240';

/**
 * Takes the vendor of that name; makes it active again when it was made inactive; adds one when there is none. May be repeated.
 * Fails with `conflict` (6240) when the name belongs to a customer or an employee.
 */
export const ensureVendor = defineAction({
  id: 'quickbooks.ensure-vendor',
  title: 'Find or create a vendor',
  description: 'Takes the vendor of that name, active or not, and adds one when there is none.',
  category: 'Accounting',
  icon: 'user-check',
  effect: 'upsert',
  source: vendorSource,
  input: z.object({ name: nameField, email: emailField }),
  output: vendorOutput.extend({ created: z.boolean() }),
  remote: vendorRemote,
  example: { name: 'Biltmore Glass & Mirror', email: 'billing@biltmore-glass.example' },
  async run({ http, connection, input, idempotencyKey }) {
    const found = async () => {
      const vendor = await vendorByName(http, connection, input.name);
      if (!vendor || vendor.Active !== false) return vendor;
      const { Id, SyncToken } = vendor;
      const revived = { Id, SyncToken, sparse: true, Active: true, DisplayName: input.name };
      return await writeVendor(http, connection, revived);
    };
    const existing = await found();
    if (existing) return { output: { ...toVendorOutput(existing), created: false } };
    try {
      const vendor = await writeVendor(http, connection, newVendor(input), idempotencyKey);
      return { output: { ...toVendorOutput(vendor), created: true } };
    } catch (error) {
      if (!isConnectorFailure(error) || error.code !== DUPLICATE_NAME) throw error;
      // Two runs for one new vendor: the other was first.
      const other = await found();
      if (!other) throw error;
      return { output: { ...toVendorOutput(other), created: false } };
    }
  },
});
