import { z } from 'zod';
import type { ConnectionContext, VendorHttp } from '../../sdk/index.ts';
import { companyPath, MINOR_VERSION } from './api.ts';
import { vendorSchema } from './entities.ts';
import { query, quoted } from './query.ts';

/** Vendor's page in Intuit's reference. */
export const vendorSource = 'https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/vendor';

/** A vendor as our nodes hand it on. */
export const vendorOutput = z.object({
  id: z.string(),
  name: z.string(),
  syncToken: z.string(),
  active: z.boolean(),
  email: z.string().optional(),
});

export const nameField = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^:\t\r\n]*$/, 'may not contain a colon, tab or line break')
  .meta({ title: 'Name', description: 'Unique in QuickBooks among vendors, customers and employees.' });

export const emailField = z.string().max(100).optional().meta({ title: 'E-mail' });

type Vendor = z.infer<typeof vendorSchema>;

export function toVendorOutput(vendor: Vendor): z.infer<typeof vendorOutput> {
  const email = vendor.PrimaryEmailAddr?.Address;
  return {
    id: vendor.Id,
    name: vendor.DisplayName,
    syncToken: vendor.SyncToken,
    active: vendor.Active ?? true,
    ...(email ? { email } : {}),
  };
}

/** What QuickBooks puts behind the name of a vendor that is made inactive. */
const INACTIVE_SUFFIX = ' (deleted)';

/** The vendor of that name: an active one if there is one, else one that was made inactive. */
export async function vendorByName(
  http: VendorHttp,
  connection: ConnectionContext | undefined,
  name: string,
): Promise<Vendor | undefined> {
  const names = [name, `${name}${INACTIVE_SUFFIX}`].map(quoted).join(', ');
  const where = `DisplayName in (${names}) and Active in (true, false)`;
  const found = await query(http, connection, { entity: 'Vendor', where, row: vendorSchema, max: 10 });
  return found.find((vendor) => vendor.Active !== false) ?? found[0];
}

/** Creates a vendor, or with an `Id` and `SyncToken` in it changes the named fields of one. */
export async function writeVendor(
  http: VendorHttp,
  connection: ConnectionContext | undefined,
  json: Readonly<Record<string, unknown>>,
  requestid?: string,
): Promise<Vendor> {
  const answer = await http.send({
    method: 'POST',
    path: companyPath(connection, 'vendor'),
    query: { minorversion: MINOR_VERSION, requestid },
    json,
    answer: z.object({ Vendor: vendorSchema }),
  });
  return answer.Vendor;
}

/** A new vendor's body on the wire. */
export function newVendor(input: { readonly name: string; readonly email?: string | undefined }) {
  return { DisplayName: input.name, ...(input.email ? { PrimaryEmailAddr: { Address: input.email } } : {}) };
}

/** The crosswalk's side of a vendor. */
export const vendorRemote = {
  type: 'vendor',
  entity: 'vendor',
  read: ({ id, syncToken }: z.infer<typeof vendorOutput>) => ({ id, version: syncToken }),
} as const;
