import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { badInput } from './bad-input.ts';
import { readDecimal } from './decimal.ts';
import { ROWS_MAX } from './rows.ts';

const COLUMNS_MAX = 500;
/** As many as a cell of a spreadsheet holds. */
const CELL_MAX = 32_767;

/**
 * The rows of CSV text, every cell as text; blank lines are left out. A row's place is counted as a spreadsheet shows it.
 * @throws ConnectorFailure `csv_invalid`, `cell_too_large`, `too_many_rows`, `too_many_columns`, `unsupported_character`
 */
export function readCsv(
  text: string,
  { delimiter, trim }: { readonly delimiter: string; readonly trim: boolean },
): string[][] {
  try {
    return parse(text, {
      bom: true,
      delimiter,
      trim,
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      // In bytes, four of which a character may take. A quote that is never closed ends here, not at the end of the file.
      max_record_size: 4 * CELL_MAX * 8,
      cast: (cell, { records: done, index }) => checkCell(cell, done + 1, index + 1),
    });
  } catch (cause) {
    throw explain(cause);
  }
}

function checkCell(cell: string, row: number, column: number): string {
  const place = `Row ${row}, column ${column}`;
  if (row > ROWS_MAX + 1)
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

/** The library's refusals in our words; its `records` are the rows before, its `column` the cells before. */
function explain(cause: unknown): unknown {
  if (!(cause instanceof Error) || !('records' in cause) || !('code' in cause)) return cause;
  const { records: done, code, index } = cause as Error & { records: number; code: string; index?: number };
  const place = `Row ${done + 1}${typeof index === 'number' ? `, column ${index + 1}` : ''}`;
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
