import { z } from 'zod';

/** A reference to another entity, as it stands in every transaction. */
export const refSchema = z.object({ value: z.string(), name: z.string().optional() });

/** @see https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/vendor */
export const vendorSchema = z.object({
  Id: z.string(),
  SyncToken: z.string(),
  DisplayName: z.string(),
  Active: z.boolean().optional(),
  PrimaryEmailAddr: z.object({ Address: z.string().optional() }).optional(),
});

/** @see https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/account */
export const accountSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  FullyQualifiedName: z.string().optional(),
  AcctNum: z.string().optional(),
  AccountType: z.string(),
  Classification: z.string().optional(),
  Active: z.boolean().optional(),
});

/** @see https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/bill */
export const billSchema = z.object({
  Id: z.string(),
  SyncToken: z.string(),
  DocNumber: z.string().optional(),
  TotalAmt: z.number(),
  TxnDate: z.string().optional(),
  DueDate: z.string().optional(),
  VendorRef: refSchema,
});

/** @see https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/companyinfo */
export const companyInfoSchema = z.object({
  CompanyName: z.string(),
  LegalName: z.string().optional(),
  Country: z.string().optional(),
});
