import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { delimiterField, delimiters } from './csv-delimiter.ts';
import { writeCsv } from './csv-text.ts';
import { fieldName, listField, readerOf, refuseReserved, rowsOf, type Row } from './rows.ts';

const COLUMNS_MAX = 500;
const TEXT_MAX = 5_000_000;

/**
 * Writes rows as CSV text, with CRLF at the end of each. Text that a spreadsheet would run as a formula gets an apostrophe before it; amounts do not.
 *
 * Errors: `cell_not_text` names row and column; `too_many_columns`, `column_duplicate`, `text_too_large`, `row_invalid`.
 */
export const node = defineAction({
  id: 'core.format-csv',
  title: 'Write CSV',
  description: 'Turns rows into the text of a CSV file.',
  category: 'Data',
  icon: 'sheet',
  effect: 'none',
  source: 'https://owasp.org/www-community/attacks/CSV_Injection',
  input: z.object({
    list: listField({ title: 'List' }),
    columns: z
      .array(
        z.object({
          field: fieldName.meta({ title: 'Field' }),
          title: z
            .string()
            .max(200)
            .default('')
            .meta({ title: 'Heading', description: 'The field’s name, when empty.' }),
        }),
      )
      .max(COLUMNS_MAX)
      .default([])
      .meta({ title: 'Columns', description: 'Empty for all fields, in the order they come.' }),
    delimiter: delimiterField,
    header: z.boolean().default(true).meta({ title: 'Headings in the first row', advanced: true }),
    safe: z.boolean().default(true).meta({
      title: 'Safe to open',
      description: 'Keeps text that begins with = + - @ from running as a formula.',
      advanced: true,
    }),
    bom: z
      .boolean()
      .default(false)
      .meta({ title: 'Mark as UTF-8', description: 'Older Excel needs it.', advanced: true }),
  }),
  output: z.object({ text: z.string(), columns: z.array(z.string()), count: z.number() }),
  example: { list: [{ number: 'A-1', total: '12.50' }] },
  run({ input: { list, columns: wanted, delimiter, header, safe, bom } }) {
    const rows = rowsOf(list, 'List');
    const columns =
      wanted.length > 0
        ? wanted.map(({ field, title }) => ({ title: title || field, read: readerOf(field) }))
        : allColumns(rows);
    const titles = columns.map(({ title }) => title);
    checkTitles(titles);
    const table = rows.map((row, index) => columns.map(({ title, read }) => cellOf(read(row), title, index)));
    const text = writeCsv(header ? [titles, ...table] : table, { delimiter: delimiters[delimiter], safe, bom });
    if (text.length > TEXT_MAX)
      throw badInput(
        'text_too_large',
        `The CSV would be longer than ${TEXT_MAX} characters. Write it in parts, or with fewer columns.`,
      );
    return Promise.resolve({ output: { text, columns: titles, count: rows.length } });
  },
});

function allColumns(rows: readonly Row[]) {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  if (names.size > COLUMNS_MAX)
    throw badInput('too_many_columns', `The rows have more than ${COLUMNS_MAX} different fields. Choose the columns.`);
  return [...names].map((title) => ({
    title,
    read: (row: unknown) => (Object.hasOwn(row as Row, title) ? (row as Row)[title] : undefined),
  }));
}

function checkTitles(titles: readonly string[]): void {
  const seen = new Set<string>();
  for (const title of titles) {
    refuseReserved(title, 'A column');
    if (seen.has(title))
      throw badInput('column_duplicate', `Two columns are called "${title}". Give one of them another heading.`);
    seen.add(title);
  }
}

function cellOf(value: unknown, title: string, index: number): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object')
    throw badInput(
      'cell_not_text',
      `Row ${index + 1}, column "${title}" is ${shown(value)}. Choose a field inside it, for example "vendor.name".`,
    );
  return String(value);
}
