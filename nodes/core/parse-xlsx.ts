import { z } from 'zod';
import { readDocument } from '../documents/read-document.ts';
import type { SheetCell, XlsxAnswer } from '../documents/read-xlsx.ts';
import { defineAction } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { asFailure, fileBytes, fileFields } from './file-input.ts';
import { refuseReserved } from './rows.ts';

const cell = z.union([z.string(), z.number(), z.boolean()]).nullable();
const common = { columns: z.array(z.string()), count: z.number(), sheet: z.string(), sheets: z.array(z.string()) };
const records = z.object({ rows: z.array(z.record(z.string(), cell)), ...common });
const lists = z.object({ rows: z.array(z.array(cell)), ...common });
const outputs = { 'first-row': records, none: lists } as const;

/**
 * Reads one sheet of an Excel workbook into rows. Text stays text and numbers come with the fifteen digits that a spreadsheet keeps; what
 * else a number stands for, its format tells: days come as `2026-03-02`, days with a time as `2026-03-02T13:45:00`, times of day as `13:45:00`, and time that
 * has passed, shown as `26:30` by `[h]:mm`, as hours: 26.5. Formulas come as the values they had when the file was saved. Empty rows are left out.
 *
 * A file is read in a process of its own: at most 10 MiB, 100 MiB and 1,000 parts unpacked, 100 times its size, 50,000 rows, 500 columns, 20 seconds.
 *
 * Errors: `file_not_xlsx`, `file_too_large`, `base64_invalid`, `archive_ratio`, `archive_invalid`, `archive_path`, `archive_encrypted`, `sheet_missing`,
 * `sheet_empty`, `cell_error`, `cell_too_large`, `header_empty`, `header_duplicate`, `reserved_key`, `too_many_rows`, `too_many_columns`,
 * `document_too_slow`, `document_too_large`.
 */
export const node = defineAction({
  id: 'core.parse-xlsx',
  title: 'Read Excel',
  description: 'Turns a sheet of an Excel workbook into rows. Durations such as 26:30 come as hours: 26.5.',
  category: 'Data',
  icon: 'file-spreadsheet',
  effect: 'read',
  effectFor: ({ from }) => (from === 'address' ? 'read' : 'none'),
  source: 'https://ecma-international.org/publications-and-standards/standards/ecma-376/',
  input: z.object({
    ...fileFields,
    sheet: z.string().max(31).default('').meta({ title: 'Sheet', description: 'Left empty: the first one.' }),
    header: z
      .enum(['first-row', 'none'])
      .default('first-row')
      .meta({ title: 'Names of columns', labels: { 'first-row': 'In the first row', none: 'There are none' } }),
    headerRow: z.int().min(1).max(1_000).default(1).meta({
      title: 'First row',
      description: 'What stands above it, a title for example, is left out.',
      advanced: true,
    }),
    errors: z
      .enum(['stop', 'empty'])
      .default('stop')
      .meta({
        title: 'Cells with errors',
        labels: { stop: 'Stop and ask', empty: 'Leave them empty' },
        advanced: true,
      }),
  }),
  output: z.union([records, lists]),
  outputFor: ({ header }) => (header === 'first-row' || header === 'none' ? outputs[header] : undefined),
  async run({ input: { header, headerRow, sheet, errors, ...file }, ...context }) {
    const bytes = await fileBytes(file, context);
    const answer: XlsxAnswer = await readDocument(bytes, { kind: 'xlsx', sheet, errors }, context.signal).catch(
      (error: unknown) => {
        throw asFailure(error);
      },
    );
    const table = answer.rows.filter(({ number }) => number >= headerRow);
    const about = { sheet: answer.sheet, sheets: [...answer.sheets] };
    if (header === 'none') {
      const width = table.reduce((most, { cells }) => Math.max(most, cells.length), 0);
      const rows = table.map(({ cells }) => Array.from({ length: width }, (_, at) => cells[at] ?? null));
      return { output: { rows, columns: [], count: rows.length, ...about } };
    }
    const [first, ...rest] = table;
    if (!first)
      throw badInput(
        'sheet_empty',
        `The sheet "${answer.sheet}" has nothing from row ${headerRow} on. Choose another one.`,
      );
    const columns = headerOf(first, rest);
    const rows = rest.map(({ cells }) => Object.fromEntries(columns.map((name, at) => [name, cells[at] ?? null])));
    return { output: { rows, columns, count: rows.length, ...about } };
  },
});

/** Names of the columns that have any; one with cells and no name is refused. */
function headerOf({ cells, number }: XlsxAnswer['rows'][number], rest: XlsxAnswer['rows']): string[] {
  const width = rest.reduce((most, row) => Math.max(most, row.cells.length), cells.length);
  const seen = new Map<string, number>();
  return Array.from({ length: width }, (_, index) => {
    const name = nameOf(cells[index]);
    refuseReserved(name, `Column ${index + 1}`);
    if (name === '')
      throw badInput(
        'header_empty',
        `Column ${index + 1} has no name in row ${number}. Give it one, choose another first row, or read without names.`,
      );
    const before = seen.get(name);
    if (before !== undefined)
      throw badInput(
        'header_duplicate',
        `Columns ${before} and ${index + 1} are both called ${shown(name)}. Rename one of them.`,
      );
    seen.set(name, index + 1);
    return name;
  });
}

function nameOf(value: SheetCell | undefined): string {
  return value === null || value === undefined ? '' : String(value).replace(/\s+/g, ' ').trim();
}
