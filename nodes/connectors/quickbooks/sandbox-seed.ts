import type { BooksState, Row } from './sandbox-books.ts';

/** Chart of accounts of a home builder: number, name, type, classification. Ids are their places, from 1. */
const accounts: readonly (readonly [string, string, string, string])[] = [
  ['1000', 'Operating Checking', 'Bank', 'Asset'],
  ['1010', 'Construction Loan Draws', 'Bank', 'Asset'],
  ['1200', 'Accounts Receivable', 'Accounts Receivable', 'Asset'],
  ['1400', 'Work in Process', 'Other Current Asset', 'Asset'],
  ['1410', 'Land Held for Development', 'Other Current Asset', 'Asset'],
  ['1500', 'Vehicles and Equipment', 'Fixed Asset', 'Asset'],
  ['2000', 'Accounts Payable', 'Accounts Payable', 'Liability'],
  ['2100', 'Retainage Payable', 'Other Current Liability', 'Liability'],
  ['2200', 'Customer Deposits', 'Other Current Liability', 'Liability'],
  ['2400', 'Construction Loans', 'Long Term Liability', 'Liability'],
  ['3000', 'Owner Equity', 'Equity', 'Equity'],
  ['3900', 'Retained Earnings', 'Equity', 'Equity'],
  ['4000', 'Home Sales', 'Income', 'Revenue'],
  ['4100', 'Change Orders', 'Income', 'Revenue'],
  ['4200', 'Design Fees', 'Income', 'Revenue'],
  ['5000', 'Land and Site Costs', 'Cost of Goods Sold', 'Expense'],
  ['5010', 'Permits and Fees', 'Cost of Goods Sold', 'Expense'],
  ['5020', 'Excavation and Grading', 'Cost of Goods Sold', 'Expense'],
  ['5100', 'Concrete and Foundations', 'Cost of Goods Sold', 'Expense'],
  ['5110', 'Masonry', 'Cost of Goods Sold', 'Expense'],
  ['5200', 'Framing Labor', 'Cost of Goods Sold', 'Expense'],
  ['5210', 'Lumber and Trusses', 'Cost of Goods Sold', 'Expense'],
  ['5220', 'Windows and Exterior Doors', 'Cost of Goods Sold', 'Expense'],
  ['5300', 'Roofing', 'Cost of Goods Sold', 'Expense'],
  ['5310', 'Siding and Exterior Trim', 'Cost of Goods Sold', 'Expense'],
  ['5400', 'Plumbing', 'Cost of Goods Sold', 'Expense'],
  ['5410', 'HVAC', 'Cost of Goods Sold', 'Expense'],
  ['5420', 'Electrical', 'Cost of Goods Sold', 'Expense'],
  ['5430', 'Insulation', 'Cost of Goods Sold', 'Expense'],
  ['5500', 'Drywall', 'Cost of Goods Sold', 'Expense'],
  ['5510', 'Interior Trim and Doors', 'Cost of Goods Sold', 'Expense'],
  ['5520', 'Cabinets and Countertops', 'Cost of Goods Sold', 'Expense'],
  ['5530', 'Flooring', 'Cost of Goods Sold', 'Expense'],
  ['5540', 'Painting', 'Cost of Goods Sold', 'Expense'],
  ['5600', 'Landscaping', 'Cost of Goods Sold', 'Expense'],
  ['5700', 'Equipment Rental', 'Cost of Goods Sold', 'Expense'],
  ['5710', 'Dumpsters and Cleanup', 'Cost of Goods Sold', 'Expense'],
  ['5900', 'Warranty Costs', 'Cost of Goods Sold', 'Expense'],
  ['6000', 'Office Expense', 'Expense', 'Expense'],
  ['6100', 'Insurance', 'Expense', 'Expense'],
  ['6200', 'Professional Fees', 'Expense', 'Expense'],
];

/** Whom it buys from. Ids follow those of the accounts. */
const vendors: readonly string[] = [
  'Blue Ridge Framing Co.',
  'Asheville Ready Mix',
  'French Broad Plumbing',
  'Pisgah Electric',
  'Mountain Air Mechanical',
  'Swannanoa Lumber & Truss',
  'Black Mountain Roofing',
  'Carolina Drywall Systems',
  'Tunnel Road Flooring',
  'Haywood Cabinet Works',
  'Arden Concrete Pumping',
  'Balsam Insulation',
  'Bent Creek Landscaping',
  'Biltmore Forest Painting',
  'Brevard Stone & Masonry',
  'Buncombe Permit Services',
  'Burnsville Steel Erectors',
  'Candler Excavating',
  'Canton Overhead Doors',
  'Cedar Cliff Surveying',
  'Chimney Rock Fireplaces',
  'Clyde Septic & Well',
  'Craggy Crane Service',
  'Davidson River Windows',
  'Deaverview Gutter Co.',
  'Eagle Ridge Engineering',
  'Enka Equipment Rental',
  'Fairview Fence & Deck',
  'Fletcher Supply House',
  'Flat Rock Tile & Stone',
  'Gap Creek Grading',
  'Glenn Gutter & Siding',
  'Green River Millwork',
  'Hendersonville Glass',
  'Hominy Valley Hardwoods',
  'Ivy Hills Irrigation',
  'Jackson Appliance Center',
  'Laurel Park Lighting',
  'Leicester Stair & Rail',
  'Madison County Gravel',
  'Maple Springs Garage Doors',
  'Marion Sheet Metal',
  'Mills River Nursery',
  'Montford Architects',
  'Mount Mitchell Waterproofing',
  'North Fork Dumpsters',
  'Oakley Trim Carpentry',
  'Old Fort Brick',
  'Reems Creek Countertops',
  'Riceville Pest Control',
  'Sandy Mush Timber',
  'Skyland Security & Low Voltage',
  'Smoky Park Paving',
  'Spruce Pine Cleaning',
  'Sylva Solar',
  'Toe River Trucking',
  'Transylvania Trusses',
  'Weaverville Window Wells',
  'West Asheville Fire Protection',
  'Woodfin Waste Services',
];

/** A vendor that was made inactive, as QuickBooks then calls it. */
const inactiveVendor = 'Ridgeline Tile (deleted)';

/** Companies a person may connect: name by realm id. */
export const companies: Readonly<Record<string, string>> = {
  '4620816365213461000': 'Hartwell Homes LLC',
  '4620816365213461010': 'Hartwell Land Holdings LLC',
};

/** The entities of a new company. Accounts are 1 to 41, vendors follow. */
export function seededEntities(now: Date): Pick<BooksState, 'nextId' | 'entities'> {
  const at = now.toISOString();
  let nextId = 1;
  const row = (fields: Readonly<Record<string, unknown>>): Row => ({
    Id: String(nextId++),
    SyncToken: '0',
    ...fields,
    domain: 'QBO',
    sparse: false,
    MetaData: { CreateTime: at, LastUpdatedTime: at },
  });
  const CurrencyRef = { value: 'USD', name: 'United States Dollar' };
  const Account = accounts.map(([AcctNum, Name, AccountType, Classification]) =>
    row({
      Name,
      FullyQualifiedName: Name,
      AcctNum,
      AccountType,
      Classification,
      Active: true,
      CurrentBalance: 0,
      CurrencyRef,
    }),
  );
  const Vendor = [...vendors, inactiveVendor].map((DisplayName) =>
    row({
      DisplayName,
      PrintOnCheckName: DisplayName,
      PrimaryEmailAddr: { Address: `billing@${slug(DisplayName)}.example` },
      Active: DisplayName !== inactiveVendor,
      Balance: 0,
      Vendor1099: false,
      CurrencyRef,
    }),
  );
  return { nextId, entities: { Account, Vendor, Bill: [], Customer: [] } };
}

function slug(name: string): string {
  return name
    .replace(' (deleted)', '')
    .toLowerCase()
    .replace(/[^a-z]+/g, '-')
    .replace(/^-|-$/g, '');
}
