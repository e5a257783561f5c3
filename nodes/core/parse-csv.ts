import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { delimiterField, delimiters } from './csv-delimiter.ts';
import { readCsvRows } from './csv-text.ts';
import { refuseReserved } from './rows.ts';

const TEXT_MAX = 5_000_000;

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
    const rowsRead = readCsvRows(text, { delimiter: delimiters[delimiter], trim });
    const table = rowsRead.map(({ cells }) => cells);
    const [first] = rowsRead;
    for (const { number, cells } of rowsRead)
      if (first && cells.length !== first.cells.length)
        throw badInput(
          'row_length',
          `Row ${number} has ${cellCount(cells.length)}, but row ${first.number} has ${first.cells.length}. Look for a missing quote or another delimiter there.`,
        );
    if (header === 'none') return Promise.resolve({ output: { rows: table, columns: [], count: table.length } });
    const columns = first?.cells.map((name) => name.trim()) ?? [];
    checkHeader(columns, first?.number ?? 1);
    const rows = table.slice(1).map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at] ?? ''])));
    return Promise.resolve({ output: { rows, columns, count: rows.length } });
  },
});

function cellCount(count: number): string {
  return count === 1 ? '1 cell' : `${count} cells`;
}

function checkHeader(columns: readonly string[], row: number): void {
  const seen = new Map<string, number>();
  for (const [index, name] of columns.entries()) {
    refuseReserved(name, `Column ${index + 1}`);
    if (name === '')
      throw badInput(
        'header_empty',
        `Column ${index + 1} has no name in row ${row}. Give it one, or read without names.`,
      );
    const before = seen.get(name);
    if (before !== undefined)
      throw badInput(
        'header_duplicate',
        `Columns ${before} and ${index + 1} are both called ${shown(name)}. Rename one of them.`,
      );
    seen.set(name, index + 1);
  }
}
