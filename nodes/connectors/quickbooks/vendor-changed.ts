import { z } from 'zod';
import { defineTrigger } from '../../sdk/index.ts';
import { changesSource, pollChanges } from './changes.ts';
import { vendorSchema } from './entities.ts';
import { toVendorOutput, vendorOutput } from './vendor.ts';

/** Starts when a vendor is added or changed in QuickBooks, by whomever; asked every five minutes by change data capture. */
export const vendorChanged = defineTrigger({
  id: 'quickbooks.vendor-changed',
  title: 'A vendor changes',
  description: 'Starts when a vendor is added or changed in QuickBooks.',
  category: 'Triggers',
  icon: 'user-pen',
  source: changesSource,
  input: z.object({}),
  output: z.object({ change: z.enum(['created', 'updated', 'deleted']), vendor: vendorOutput }),
  subscription: {
    kind: 'poll',
    everySeconds: () => 300,
    poll: pollChanges({
      entity: 'Vendor',
      row: vendorSchema,
      all: 'Active in (true, false)',
      data: (change, vendor, id) => ({
        change,
        vendor: vendor ? toVendorOutput(vendor) : { id, name: '', syncToken: '', active: false },
      }),
    }),
  },
});
