import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { delimiterField, delimiters } from './csv-delimiter.ts';
import { refuseReserved, ROWS_MAX } from './rows.ts';

const TEXT_MAX = 5_000_000;
const COLUMNS_MAX = 500;
/** As many as a cell of a spreadsheet holds. */
const CELL_MAX = 32_767;

const records = z.object({
  rows: z.array(z.record(z.string(), z.string())),
  columns: z.array(z.string()),
  count: z.number(),
});
const lists = z.object({ rows: z.array(z.array(z.string())), columns: z.array(z.string()), count: z.number() });
const outputs = { 'first-row': records, none: lists } as const;

/**
 * Reads CSV text into rows. Every cell stays text, so amounts and numbers with leading zeros are kept digit for digit; blank lines are left out.
 * Rows are counted as a spreadsheet shows them, the header included.
 *
 * Errors name row and column: `csv_invalid` for a stray or unclosed quote, `row_length`, `header_empty`, `header_duplicate`, `reserved_key`,
 * `cell_too_large`, `too_many_columns`, `too_many_rows`, `unsupported_character`.
 */
export const node = defineAction({
  id: 'core.parse-csv',
  title: 'Read CSV',
  description: 'Turns the text of a CSV file into rows.',
  category: 'Data',
  icon: 'file-spreadsheet',
  effect: 'none',
  source: 'https://www.rfc-editor.org/rfc/rfc4180',
  input: z.object({
    text: z.string().max(TEXT_MAX).meta({ title: 'Text', multiline: true }),
    header: z
      .enum(['first-row', 'none'])
      .default('first-row')
      .meta({ title: 'Names of columns', labels: { 'first-row': 'In the first row', none: 'There are none' } }),
    delimiter: delimiterField,
    trim: z.boolean().default(false).meta({ title: 'Remove spaces around cells', advanced: true }),
  }),
  output: z.union([records, lists]),
  outputFor: ({ header }) => (header === 'first-row' || header === 'none' ? outputs[header] : undefined),
  example: { text: 'number,total\nA-1,12.50\n' },
  run({ input: { text, header, delimiter, trim } }) {
    const table = read(text, delimiters[delimiter], trim);
    const [first = []] = table;
    for (const [index, row] of table.entries())
      if (row.length !== first.length)
        throw badInput(
          'row_length',
          `Row ${index + 1} has ${cells(row.length)}, but row 1 has ${first.length}. Look for a missing quote or another delimiter there.`,
        );
    if (header === 'none') return Promise.resolve({ output: { rows: table, columns: [], count: table.length } });
    const columns = first.map((name) => name.trim());
    checkHeader(columns);
    const rows = table.slice(1).map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at] ?? ''])));
    return Promise.resolve({ output: { rows, columns, count: rows.length } });
  },
});

function cells(count: number): string {
  return count === 1 ? '1 cell' : `${count} cells`;
}

function read(text: string, delimiter: string, trim: boolean): string[][] {
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

function checkHeader(columns: readonly string[]): void {
  const seen = new Map<string, number>();
  for (const [index, name] of columns.entries()) {
    refuseReserved(name, `Column ${index + 1}`);
    if (name === '')
      throw badInput('header_empty', `Column ${index + 1} has no name in row 1. Give it one, or read without names.`);
    const before = seen.get(name);
    if (before !== undefined)
      throw badInput(
        'header_duplicate',
        `Columns ${before} and ${index + 1} are both called ${shown(name)}. Rename one of them.`,
      );
    seen.set(name, index + 1);
  }
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
