import { Readable } from 'node:stream';
import { documentLimits as limits } from './limits.ts';
import { meaningOf, plainFormats, type Meaning } from './number-format.ts';
import { DocumentRefusal } from './refusal.ts';
import { guardZip, packZip, type ZipPart } from './zip-guard.ts';

export interface XlsxRequest {
  readonly kind: 'xlsx';
  /** Empty: the first that is not hidden. */
  readonly sheet: string;
  /** What a cell becomes that holds an error, or a formula that was never calculated. */
  readonly errors: 'stop' | 'empty';
}

export type SheetCell = string | number | boolean | null;

export interface XlsxAnswer {
  readonly sheet: string;
  readonly sheets: readonly string[];
  /** Rows that have something in them, with their number as the spreadsheet shows it. */
  readonly rows: readonly { readonly number: number; readonly cells: readonly SheetCell[] }[];
}

/**
 * The cells of one sheet. Formulas come as the values they had when the file was saved; nothing is calculated, and nothing outside of the file is asked for.
 * @throws DocumentRefusal `file_not_xlsx`, `sheet_missing`, `cell_error`, `too_many_rows`, `too_many_columns`, `cell_too_large`, and what `guardZip` throws
 */
export async function readXlsx(bytes: Buffer, { sheet: wanted, errors }: XlsxRequest): Promise<XlsxAnswer> {
  const parts = partsOf(bytes);
  const tabs = await tabsOf(parts);
  const shownTabs = tabs.filter(({ hidden }) => !hidden);
  const sheets = shownTabs.map(({ name }) => name);
  const tab =
    wanted === '' ? shownTabs[0] : tabs.find(({ name }) => name.trim().toLowerCase() === wanted.trim().toLowerCase());
  if (!tab)
    throw new DocumentRefusal(
      'sheet_missing',
      wanted === ''
        ? 'The file has no sheet that is shown. Name the one to read.'
        : `The file has no sheet "${wanted.slice(0, 60)}". It has ${sheets.map((name) => `"${name}"`).join(', ') || 'none'}.`,
    );
  const rows: { number: number; cells: SheetCell[] }[] = [];
  let cells = 0;
  const reader = await readerOf([...parts.book, tab.part]);
  for await (const sheet of reader)
    for await (const row of sheet) {
      const values = rowOf(row as ReadRow, { errors, dayZero: dayZeroOf(reader) });
      if (values.length === 0) continue;
      rows.push({ number: row.number, cells: values });
      cells += values.length;
      if (rows.length > limits.rows + 1 || cells > limits.cells)
        throw new DocumentRefusal(
          'too_many_rows',
          `The sheet "${tab.name}" has more than ${rows.length > limits.rows ? `${limits.rows} rows` : `${limits.cells} cells`}. Import it in parts.`,
        );
    }
  return { sheet: tab.name, sheets, rows };
}

interface Parts {
  /** What describes the workbook, in the order in which it is needed: whoever reads from front to back then has it before the first sheet. */
  readonly book: readonly ZipPart[];
  readonly sheets: readonly ZipPart[];
}

const DAY_MS = 86_400_000;
const described = ['xl/workbook.xml', 'xl/_rels/workbook.xml.rels', 'xl/sharedStrings.xml', 'xl/styles.xml'];

/** What is needed of a workbook. Pictures, macros and links to other files are left behind unread. */
function partsOf(bytes: Buffer): Parts {
  // Before 2007, and with a password also after it: a compound document.
  if (bytes.subarray(0, 4).equals(Buffer.from([0xd0, 0xcf, 0x11, 0xe0])))
    throw new DocumentRefusal(
      'file_not_xlsx',
      'The file is an old .xls, or protected by a password. Save it as .xlsx without one.',
    );
  if (!bytes.subarray(0, 2).equals(Buffer.from('PK')))
    throw new DocumentRefusal('file_not_xlsx', 'The file is no .xlsx. Save it as an Excel workbook (.xlsx).');
  const all = guardZip(bytes);
  if (!all.some(({ name }) => name === 'xl/workbook.xml'))
    throw new DocumentRefusal('file_not_xlsx', 'The file is a ZIP and holds no .xlsx workbook. Send the .xlsx itself.');
  const book = described.map(
    (name) =>
      all.find((part) => part.name.toLowerCase() === name.toLowerCase()) ?? {
        name,
        content: () => Buffer.from(name === 'xl/sharedStrings.xml' ? '<sst/>' : '<none/>'),
      },
  );
  const sheets = all.filter(({ name }) => /^xl\/worksheets\/sheet\d+\.xml$/.test(name));
  for (const part of [...book, ...sheets])
    if (/<!(DOCTYPE|ENTITY)/i.test(part.content().toString('latin1', 0, 65_536)))
      throw new DocumentRefusal(
        'archive_invalid',
        `"${part.name}" in the file has a document type, which no workbook has. Save it again with a spreadsheet program.`,
      );
  return { book: book.map(asDescribed), sheets };
}

/** A part under its usual name; formats have nothing in them that is only printed. */
function asDescribed({ name, content }: ZipPart, index: number): ZipPart {
  const known = described[index] ?? name;
  if (known !== 'xl/styles.xml') return { name: known, content };
  return { name: known, content: () => Buffer.from(plainFormats(content().toString())) };
}

interface Tab {
  readonly name: string;
  readonly hidden: boolean;
  readonly part: ZipPart;
}

/** The workbook's tabs from left to right. Each sheet is read empty: only its name is wanted. */
async function tabsOf({ book, sheets }: Parts): Promise<Tab[]> {
  const empty = sheets.map(({ name }) => ({ name, content: () => Buffer.from('<worksheet><sheetData/></worksheet>') }));
  const reader = await readerOf([...book, ...empty]);
  const tabs: Tab[] = [];
  for await (const sheet of reader) {
    const part = sheets[tabs.length];
    const { name = '', state } = sheet as { readonly name?: string; readonly state?: string };
    for await (const _ of sheet) continue;
    if (part) tabs.push({ name, hidden: state === 'hidden' || state === 'veryHidden', part });
  }
  const { model } = reader as unknown as {
    readonly model?: { readonly sheets?: readonly { readonly name?: string }[] };
  };
  const order = (model?.sheets ?? []).map(({ name }) => name ?? '');
  return tabs.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

async function readerOf(parts: readonly ZipPart[]) {
  const { WorkbookReader } = await import('@cj-tech-master/excelts');
  return new WorkbookReader(Readable.from([packZip(parts)]), {
    worksheets: 'emit',
    sharedStrings: 'cache',
    styles: 'cache',
    hyperlinks: 'ignore',
    entries: 'ignore',
  });
}

/** What is needed of the library's rows. */
interface ReadRow {
  readonly number: number;
  eachCell(visit: (cell: { readonly value: unknown; readonly numFmt?: string }, column: number) => void): void;
}

interface Workbook {
  readonly errors: XlsxRequest['errors'];
  /** Day 0, in milliseconds: numbers of days count from there. */
  readonly dayZero: number;
}

interface Place extends Workbook {
  readonly row: number;
  readonly column: number;
  /** How the cell shows its number. */
  readonly meaning: Meaning;
}

/** Workbooks that began on an old Mac count days from 1904. */
function dayZeroOf(reader: unknown): number {
  const { properties } = reader as { readonly properties?: { readonly model?: { readonly date1904?: boolean } } };
  return properties?.model?.date1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, 30);
}

/** Cells from column A on, without the empty ones at the end. */
function rowOf(row: ReadRow, workbook: Workbook): SheetCell[] {
  const cells: SheetCell[] = [];
  row.eachCell(({ value, numFmt }, column) => {
    const cell = cellOf(value, { ...workbook, row: row.number, column, meaning: meaningOf(numFmt ?? '') });
    if (cell === null) return;
    if (column > limits.columns)
      throw new DocumentRefusal(
        'too_many_columns',
        `Row ${row.number} has more than ${limits.columns} columns. Remove what stands far to the right.`,
      );
    while (cells.length < column - 1) cells.push(null);
    cells.push(cell);
  });
  return cells;
}

function cellOf(value: unknown, place: Place): SheetCell {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return amountOf(value, place);
  if (typeof value === 'string') return textOf(value, place);
  if (value instanceof Date) return amountOf((value.getTime() - place.dayZero) / DAY_MS, place);
  const held = value as Readonly<Record<string, unknown>>;
  if (Array.isArray(held['richText']))
    return textOf(held['richText'].map((part: { readonly text?: string }) => part.text ?? '').join(''), place);
  if ('error' in held) return unusable(place, `holds the error ${String(held['error']).slice(0, 20)}`);
  if ('formula' in held || 'sharedFormula' in held) {
    const { result } = held;
    if (result === undefined || result === null) return unusable(place, 'holds a formula that was never calculated');
    return cellOf(result, place);
  }
  return 'text' in held ? cellOf(held['text'], place) : null;
}

function unusable({ row, column, errors }: Place, what: string): null {
  if (errors === 'empty') return null;
  throw new DocumentRefusal(
    'cell_error',
    `Cell ${letters(column)}${row} ${what}. Correct it in the file, or choose to leave such cells empty.`,
  );
}

/** A number as what it stands for: an amount, hours, a time of day, or a day, with a time of it where it has one. Spreadsheets know no time zone. */
function amountOf(value: number, place: Place): number | string | null {
  if (place.meaning === 'number') return numberOf(value);
  const seconds = Math.round(value * 86_400);
  // As thirds of an hour have no end, seconds are what is divided.
  if (place.meaning === 'elapsed') return numberOf(seconds / 3_600);
  const time = new Date(place.dayZero + seconds * 1_000);
  if (Number.isNaN(time.getTime())) return unusable(place, 'holds a date that is none');
  const iso = time.toISOString();
  if (place.meaning === 'time') return iso.slice(11, 19);
  return iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : iso.slice(0, 19);
}

/** A spreadsheet keeps fifteen digits; the rest is how a computer writes them. */
function numberOf(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(15)) : null;
}

function textOf(text: string, { row, column }: Place): string | null {
  if (text.length > limits.cell)
    throw new DocumentRefusal(
      'cell_too_large',
      `Cell ${letters(column)}${row} has more than ${limits.cell} characters. Shorten it.`,
    );
  // What no text may hold, a damaged file does.
  const clean = text.toWellFormed().replaceAll('\0', '');
  return clean === '' ? null : clean;
}

/** 1 is A, 27 is AA. */
function letters(column: number): string {
  let text = '';
  for (let left = column; left > 0; left = Math.floor((left - 1) / 26))
    text = String.fromCharCode(65 + ((left - 1) % 26)) + text;
  return text;
}
