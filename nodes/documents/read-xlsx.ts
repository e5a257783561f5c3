import { Readable } from 'node:stream';
import { documentLimits as limits } from './limits.ts';
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
  for await (const sheet of await readerOf([...parts.book, tab.part]))
    for await (const row of sheet) {
      const values = rowOf(row.values as readonly unknown[], row.number, errors);
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
  return { book: book.map((part, index) => ({ ...part, name: described[index] ?? part.name })), sheets };
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

/** Cells from column A on, without the empty ones at the end. */
function rowOf(values: readonly unknown[], row: number, errors: XlsxRequest['errors']): SheetCell[] {
  // The library counts columns from 1.
  const cells = Array.from(values.slice(1), (value, index) => cellOf(value, { row, column: index + 1, errors }));
  while (cells.length > 0 && cells.at(-1) === null) cells.pop();
  if (cells.length > limits.columns)
    throw new DocumentRefusal(
      'too_many_columns',
      `Row ${row} has more than ${limits.columns} columns. Remove what stands far to the right.`,
    );
  return cells;
}

interface Place {
  readonly row: number;
  readonly column: number;
  readonly errors: XlsxRequest['errors'];
}

function cellOf(value: unknown, place: Place): SheetCell {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return numberOf(value);
  if (typeof value === 'string') return textOf(value, place);
  if (value instanceof Date) return timeOf(value, place);
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

/** A day, or a day and a time of it; spreadsheets know no time zone. */
function timeOf(value: Date, place: Place): string | null {
  if (Number.isNaN(value.getTime())) return unusable(place, 'holds a date that is none');
  const iso = new Date(Math.round(value.getTime() / 1_000) * 1_000).toISOString();
  return iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : iso.slice(0, 19);
}

/** 1 is A, 27 is AA. */
function letters(column: number): string {
  let text = '';
  for (let left = column; left > 0; left = Math.floor((left - 1) / 26))
    text = String.fromCharCode(65 + ((left - 1) % 26)) + text;
  return text;
}
