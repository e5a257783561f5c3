import { readCsv, writeCsv } from '@plumbline/nodes';
import {
  cellText,
  changesOfValueMap,
  checkValueMap,
  inOrder,
  keyOf,
  settled,
  type Cells,
  type ValueMapProblem,
  type ValueMapTable,
} from '@plumbline/workflows/flow';
import type { ValueMapImport, ValueMapImported } from '../contract/index.ts';
import { ApiError } from '../problem.ts';

const delimiters = { comma: ',', semicolon: ';', tab: '\t', pipe: '|' } as const;

/** A value map as a spreadsheet opens it: titles first, UTF-8 marked, no text that runs as a formula. */
export function valueMapCsv({ columns, rows }: ValueMapTable): string {
  const table = rows.map((cells) => columns.map(({ id }) => cellText(cells[id])));
  return writeCsv([columns.map(({ title }) => title), ...table], { delimiter: ',', safe: true, bom: true });
}

/**
 * Lays the rows of a file over a value map. Columns are found by title or id in the first row; columns that the file does not have keep their values.
 * @throws ApiError `csv_invalid` for a file that cannot be read, or lacks a key column
 */
export function importCsv(
  table: ValueMapTable,
  { csv, delimiter, mode }: Pick<ValueMapImport, 'csv' | 'delimiter' | 'mode'>,
): Omit<ValueMapImported, 'version'> & { readonly table: ValueMapTable } {
  const [header = [], ...lines] = read(csv, delimiters[delimiter]);
  const names = header.map((name) => name.trim().toLowerCase());
  const places = table.columns.map((column) => ({
    column,
    at: names.findIndex((name) => name === column.title.toLowerCase() || name === column.id),
  }));
  const [missing] = places.filter(({ column, at }) => column.key && at === -1);
  if (missing)
    throw new ApiError('csv_invalid', `The first row of the file has no column "${missing.column.title}".`, {
      fix: `Rows are found by it. Name a column of the file so${delimiter === 'comma' ? ', or look whether its cells stand between semicolons or tabs' : ''}.`,
    });
  const found = places.filter(({ at }) => at !== -1);
  const ignored = header.filter((_, index) => !found.some(({ at }) => at === index));
  const former = new Map(table.rows.map((cells) => [keyOf(table, cells), cells]));
  const seen = new Set<string>();
  const problems: ValueMapProblem[] = [];
  const given = lines.map((line, row): Cells => {
    if (line.length > header.length)
      problems.push({
        code: 'cell_invalid',
        row,
        message: `Row ${row + 1} has ${line.length} cells, and the first row of the file has ${header.length}. Look for a missing quote there.`,
      });
    const cells = Object.fromEntries(found.map(({ column, at }) => [column.id, rearmed(line[at] ?? '')]));
    const key = keyOf(table, cells);
    if (key !== undefined) seen.add(key);
    return { ...(key === undefined ? {} : former.get(key)), ...cells };
  });
  const kept = mode === 'merge' ? table.rows.filter((cells) => !seen.has(keyOf(table, cells) ?? '')) : [];
  const next: ValueMapTable = { ...table, rows: [...given, ...kept] };
  problems.push(...checkValueMap(next));
  if (problems.length > 0)
    return { table: next, rows: [], changes: { ...nothing, same: 0 }, problems: problems.slice(0, 100), ignored };
  const sound = settled(next);
  return {
    table: sound,
    rows: inOrder(sound.rows, sound.columns),
    changes: changesOfValueMap(table, sound),
    problems,
    ignored,
  };
}

const nothing = { added: [], changed: [], removed: [], shape: false } as const;

function read(csv: string, delimiter: string): string[][] {
  try {
    return readCsv(csv, { delimiter, trim: true });
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new ApiError('csv_invalid', cause.message, { fix: 'Correct it and choose the file again.', cause });
  }
}

/** Takes away the apostrophe that keeps a cell of our own file from running as a formula. */
function rearmed(cell: string): string {
  return /^'[=+\-@]/.test(cell) ? cell.slice(1) : cell;
}
