import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { badInput } from './bad-input.ts';
import { readDecimal } from './decimal.ts';
import { ROWS_MAX } from './rows.ts';

const COLUMNS_MAX = 500;
/** As many as a cell of a spreadsheet holds. */
const CELL_MAX = 32_767;

interface CsvOptions {
  readonly delimiter: string;
  readonly trim: boolean;
}

/** A row, and its number as a spreadsheet shows it: blank lines count, and a row whose cells have several lines is one. */
export interface CsvRow {
  readonly number: number;
  readonly cells: string[];
}

/**
 * The rows of CSV text, every cell as text; blank lines are left out.
 * @throws ConnectorFailure what `readCsvRows` throws
 */
export function readCsv(text: string, options: CsvOptions): string[][] {
  return readCsvRows(text, options).map(({ cells }) => cells);
}

/**
 * The rows of CSV text with their numbers, every cell as text; blank lines are left out.
 * @throws ConnectorFailure `csv_invalid`, `cell_too_large`, `too_many_rows`, `too_many_columns`, `unsupported_character`
 */
export function readCsvRows(text: string, { delimiter, trim }: CsvOptions): CsvRow[] {
  try {
    const rows: CsvRow[] = [];
    parse(text, {
      bom: true,
      delimiter,
      trim,
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      // In bytes, four of which a character may take. A quote that is never closed ends here, not at the end of the file.
      max_record_size: 4 * CELL_MAX * 8,
      cast: (cell, at) => checkCell(cell, at),
      on_record(cells, at) {
        rows.push({ cells, number: at.records + at.empty_lines });
        return null;
      },
    });
    return rows;
  } catch (cause) {
    throw explain(cause);
  }
}

/** Where the parser stands: rows and blank lines before, and cells of the row before. */
interface Place {
  readonly records: number;
  readonly empty_lines: number;
  readonly index?: number;
}

/** The number of the row it stands in. */
function rowAt({ records, empty_lines: blank }: Place): number {
  return records + blank + 1;
}

function checkCell(cell: string, at: Place & { readonly index: number }): string {
  const row = rowAt(at);
  const column = at.index + 1;
  const place = `Row ${row}, column ${column}`;
  if (at.records > ROWS_MAX)
    throw badInput('too_many_rows', `The file has more than ${ROWS_MAX} rows. Import it in parts.`);
  if (column > COLUMNS_MAX)
    throw badInput('too_many_columns', `Row ${row} has more than ${COLUMNS_MAX} columns. Check the delimiter.`);
  if (cell.length > CELL_MAX)
    throw badInput('cell_too_large', `${place} has more than ${CELL_MAX} characters. Look for a missing quote there.`);
  if (/[\0\uFFFD]/.test(cell) || !cell.isWellFormed())
    throw badInput(
      'unsupported_character',
      `${place} has a character that is not text, as when a file is not saved as UTF-8. Save it as CSV UTF-8, then retry.`,
    );
  return cell;
}

/** Rows as CSV text, with CRLF at the end of each; `safe` keeps text from running as a formula in a spreadsheet. */
export function writeCsv(
  rows: readonly (readonly string[])[],
  { delimiter, safe, bom }: { readonly delimiter: string; readonly safe: boolean; readonly bom: boolean },
): string {
  return stringify(rows as string[][], {
    bom,
    delimiter,
    record_delimiter: '\r\n',
    quote_record_delimiter: true,
    // A row of one empty cell would otherwise be a blank line, which readers leave out.
    quoted_empty: rows.some((row) => row.length === 1),
    cast: { string: safe ? disarm : (cell) => cell },
  });
}

/** The library's refusals in our words. */
function explain(cause: unknown): unknown {
  if (!(cause instanceof Error) || !('records' in cause) || !('code' in cause)) return cause;
  const { code, index, ...at } = cause as Error & Place & { readonly code: string };
  const place = `Row ${rowAt(at)}${typeof index === 'number' ? `, column ${index + 1}` : ''}`;
  if (code === 'CSV_MAX_RECORD_SIZE')
    return badInput('cell_too_large', `${place}: the row is too long. Look for a quote that is not closed.`, cause);
  if (code === 'CSV_QUOTE_NOT_CLOSED')
    return badInput(
      'csv_invalid',
      `${place}: the quote that opens there is never closed. Close it, then retry.`,
      cause,
    );
  return badInput(
    'csv_invalid',
    `${place} has a quote in the wrong place. Put the whole cell in quotes and double those inside it.`,
    cause,
  );
}

/** An apostrophe before what a spreadsheet would compute. `-12.50` is an amount and stays one. */
function disarm(cell: string): string {
  return /^[=+\-@\t\r]/.test(cell) && !readDecimal(cell) ? `'${cell}` : cell;
}
