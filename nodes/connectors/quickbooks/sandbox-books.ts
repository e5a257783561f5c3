import { fromCents, toCents } from '../../sdk/index.ts';
import { seededEntities } from './sandbox-seed.ts';

/** An entity as it is stored and answered. */
export type Row = Record<string, unknown> & { readonly Id: string; readonly SyncToken: string };

/** Entities by the lower-case name that stands in their path. */
export const entityNames = { vendor: 'Vendor', bill: 'Bill', account: 'Account', customer: 'Customer' } as const;

export type EntityName = (typeof entityNames)[keyof typeof entityNames];

/** One company's books, JSON-able. */
export interface BooksState {
  nextId: number;
  readonly entities: Record<EntityName, Row[]>;
  /** Stubs of what was deleted, for change data capture. */
  readonly deleted: (Row & { readonly entity: EntityName })[];
  /** Answers of successful writes by requestid. */
  readonly requests: Record<string, unknown>;
}

/** Why a write was refused, in Intuit's codes. */
export class Rejected extends Error {
  readonly code: string;
  readonly detail: string;
  readonly element: string | undefined;

  constructor(code: string, message: string, detail: string, element?: string) {
    super(message);
    this.code = code;
    this.detail = detail;
    this.element = element;
  }
}

/** Transactions before this day are in closed books. */
export const CLOSED_BEFORE = '2025-01-01';

const INACTIVE_SUFFIX = ' (deleted)';

/** The books of a new company. */
export function newBooks(now: Date): BooksState {
  return { ...seededEntities(now), deleted: [], requests: {} };
}

/**
 * Creates a row, or changes the one whose `Id` and current `SyncToken` are given; `sparse` keeps what is not named.
 * @throws Rejected
 */
export function writeRow(books: BooksState, name: EntityName, body: Readonly<Record<string, unknown>>, now: Date): Row {
  const rows = books.entities[name];
  const current = body['Id'] === undefined ? undefined : currentRow(rows, body);
  const { sparse, ...given } = body;
  const row: Record<string, unknown> = current && sparse === true ? { ...current, ...given } : { ...given };
  if (name === 'Bill') settleBill(books, row, now);
  else if (name === 'Account') requireText(row, 'Name');
  else settleName(books, row, current);
  const at = now.toISOString();
  const created = (current?.['MetaData'] as { readonly CreateTime: string } | undefined)?.CreateTime ?? at;
  const saved: Row = {
    domain: 'QBO',
    sparse: false,
    ...row,
    Id: current?.Id ?? String(books.nextId++),
    SyncToken: current ? String(Number(current.SyncToken) + 1) : '0',
    MetaData: { CreateTime: created, LastUpdatedTime: at },
  };
  if (current) rows[rows.indexOf(current)] = saved;
  else rows.push(saved);
  return saved;
}

/** Deletes a transaction. @throws Rejected */
export function deleteRow(
  books: BooksState,
  name: EntityName,
  body: Readonly<Record<string, unknown>>,
  now: Date,
): Row {
  const rows = books.entities[name];
  const current = currentRow(rows, body);
  if (name !== 'Bill')
    throw new Rejected('500', 'Unsupported Operation', `Operation delete is not supported for ${name}.`);
  rows.splice(rows.indexOf(current), 1);
  const { Id, SyncToken } = current;
  const stub: Row = {
    Id,
    SyncToken,
    domain: 'QBO',
    status: 'Deleted',
    MetaData: { LastUpdatedTime: now.toISOString() },
  };
  books.deleted.push({ ...stub, entity: name });
  return stub;
}

function currentRow(rows: readonly Row[], body: Readonly<Record<string, unknown>>): Row {
  const current = rows.find((row) => row.Id === String(body['Id']));
  if (!current)
    throw new Rejected(
      '610',
      'Object Not Found',
      'Object Not Found : Something you’re trying to use has been made inactive.',
    );
  if (String(body['SyncToken']) !== current.SyncToken)
    throw new Rejected(
      '5010',
      'Stale Object Error',
      `Stale Object Error : You and another user were working on this at the same time. The other user finished before you did, so your work was not saved.`,
    );
  return current;
}

/** Names are one space over vendors and customers, inactive ones included; going inactive changes the name. */
function settleName(books: BooksState, row: Record<string, unknown>, current: Row | undefined): void {
  const name = requireText(row, 'DisplayName');
  if (/[:\t\r\n]/.test(name))
    throw new Rejected('2040', 'Invalid String', 'The name contains a colon, tab or newline', 'DisplayName');
  if (name.length > 500)
    throw new Rejected('2050', 'Invalid String', 'String length is longer than 500', 'DisplayName');
  row['Active'] ??= true;
  if (row['Active'] === false && current?.['Active'] !== false) row['DisplayName'] = name + INACTIVE_SUFFIX;
  if (row['Active'] === true && current?.['Active'] === false && name.endsWith(INACTIVE_SUFFIX))
    row['DisplayName'] = name.slice(0, -INACTIVE_SUFFIX.length);
  const wanted = String(row['DisplayName']).toLowerCase();
  const others = [...books.entities.Vendor, ...books.entities.Customer].filter((other) => other.Id !== current?.Id);
  if (others.some((other) => String(other['DisplayName']).toLowerCase() === wanted))
    throw new Rejected('6240', 'Duplicate Name Exists Error', 'The name supplied already exists. : null');
  row['PrintOnCheckName'] ??= name;
  row['Balance'] ??= 0;
}

function settleBill(books: BooksState, bill: Record<string, unknown>, now: Date): void {
  const vendor = referred(books.entities.Vendor, bill['VendorRef'], 'VendorRef', 'Vendors');
  if (vendor['Active'] === false)
    throw new Rejected(
      '610',
      'Object Not Found',
      'Object Not Found : Something you’re trying to use has been made inactive.',
      'VendorRef',
    );
  bill['TxnDate'] ??= now.toISOString().slice(0, 10);
  for (const field of ['TxnDate', 'DueDate'])
    if (bill[field] !== undefined && !/^\d{4}-\d\d-\d\d$/.test(String(bill[field])))
      throw new Rejected('2030', 'Invalid Date', 'Date must be YYYY-MM-DD', field);
  if (String(bill['TxnDate']) < CLOSED_BEFORE)
    throw new Rejected(
      '6210',
      'Account Period Closed, Cannot Update Through Services API',
      'The account period has closed and the account books cannot be updated through through the QBO Services API. Please use the QBO website to make these changes.',
    );
  if (typeof bill['DocNumber'] === 'string' && bill['DocNumber'].length > 21)
    throw new Rejected('2050', 'Invalid String', 'String length is longer than 21', 'DocNumber');
  const lines: unknown = bill['Line'];
  if (!Array.isArray(lines) || lines.length === 0) throw missing('Line');
  const settled = lines.map((line: Record<string, unknown>, index) => settleLine(books, line, index + 1));
  const total = settled.reduce((sum, line) => sum + toCents(String(line['Amount'])), 0n);
  if (total < 0n)
    throw new Rejected(
      '6000',
      'A business validation error has occurred while processing your request',
      'Business Validation Error: Transaction amount must be 0 or greater.',
    );
  const amount = Number(fromCents(total));
  Object.assign(bill, {
    Line: settled,
    VendorRef: { value: vendor.Id, name: vendor['DisplayName'] },
    APAccountRef: bill['APAccountRef'] ?? { value: '7', name: 'Accounts Payable' },
    CurrencyRef: bill['CurrencyRef'] ?? { value: 'USD', name: 'United States Dollar' },
    DueDate: bill['DueDate'] ?? bill['TxnDate'],
    TotalAmt: amount,
    Balance: amount,
  });
}

function settleLine(
  books: BooksState,
  line: Readonly<Record<string, unknown>>,
  number: number,
): Record<string, unknown> {
  const detail = line['AccountBasedExpenseLineDetail'] as Record<string, unknown> | undefined;
  if (line['DetailType'] === undefined) throw missing('DetailType');
  if (line['DetailType'] !== 'AccountBasedExpenseLineDetail' || !detail)
    throw new Rejected('2090', 'Invalid Line Detail', `Line ${number}: the detail does not fit its type`, 'Line');
  const amount = line['Amount'];
  if (typeof amount !== 'number' || !/^-?\d{1,12}(\.\d{1,2})?$/.test(String(amount))) throw missing('Amount');
  const account = referred(books.entities.Account, detail['AccountRef'], 'AccountRef', 'Accounts');
  return {
    ...line,
    Id: String(number),
    LineNum: number,
    AccountBasedExpenseLineDetail: {
      BillableStatus: 'NotBillable',
      TaxCodeRef: { value: 'NON' },
      ...detail,
      AccountRef: { value: account.Id, name: account['Name'] },
    },
  };
}

function referred(rows: readonly Row[], ref: unknown, element: string, what: string): Row {
  if (typeof ref !== 'object' || ref === null) throw missing(element);
  const row = rows.find(({ Id }) => Id === (ref as { readonly value?: unknown }).value);
  if (row) return row;
  throw new Rejected('2500', 'Invalid Reference Id', `Invalid Reference Id : ${what} element id not found`, element);
}

function requireText(row: Readonly<Record<string, unknown>>, element: string): string {
  const value = row[element];
  if (typeof value !== 'string' || value.trim() === '') throw missing(element);
  return value;
}

function missing(element: string): Rejected {
  return new Rejected(
    '2020',
    'Required param missing, need to supply the required value for the API',
    `Required parameter ${element} is missing in the request`,
    element,
  );
}
