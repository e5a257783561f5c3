import { formFieldsSchema } from '../sdk/index.ts';
import { recordSchemas, type RecordEntity } from './record-schemas.ts';

/** The fields a trigger declares; a record is one of the company's own. */
export const formFields = formFieldsSchema(Object.keys(recordSchemas) as [RecordEntity, ...RecordEntity[]], {
  vendor_invoice: 'Vendor invoice',
  purchase_order: 'Purchase order',
  vendor: 'Vendor',
  project: 'Project',
  cost_code: 'Cost code',
});

/** What flows get of the records that fields name. */
export { recordSchemas as formRecords };
