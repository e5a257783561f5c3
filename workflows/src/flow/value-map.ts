import { z } from 'zod';

/** How large a value map may be. */
export const valueMapLimits = {
  maps: 500,
  rows: 10_000,
  columns: 20,
  keyColumns: 3,
  cell: 500,
  /** Keys are indexed, which has room for this many characters of each of three. */
  keyCell: 200,
} as const;

const columnId = z
  .string()
  .regex(/^(?!constructor$|prototype$)[a-z][a-z0-9_]{0,47}$/, 'Use a lower-case letter, then letters, digits or _');

/** A column; its id is what expressions read, its title what people do. */
export const valueMapColumnSchema = z.strictObject({
  id: columnId,
  title: z.string().trim().min(1).max(80),
  type: z.enum(['text', 'number', 'boolean']),
  /** Rows are found by it. */
  key: z.boolean(),
});
export type ValueMapColumn = z.infer<typeof valueMapColumnSchema>;

/** Null: there is nothing in it. */
export type Cell = string | number | boolean | null;
export type Cells = Readonly<Record<string, Cell>>;

/** What a version of a value map holds. */
export interface ValueMapTable {
  readonly columns: readonly ValueMapColumn[];
  /** Capitals and spaces in keys do not matter. */
  readonly loose: boolean;
  readonly rows: readonly Cells[];
  /** Values for every key without a row; null where there are none. */
  readonly otherwise: Cells | null;
}

export type ValueMapProblemCode =
  'column_invalid' | 'too_many_rows' | 'row_duplicate' | 'key_missing' | 'cell_invalid' | 'cell_too_long';

/** What is wrong with a table, and where. */
export interface ValueMapProblem {
  readonly code: ValueMapProblemCode;
  readonly message: string;
  /** From 0; absent when it is no row's. */
  readonly row?: number;
  readonly column?: string;
}

/** What differs between two tables. */
export interface ValueMapChanges {
  readonly added: readonly Cells[];
  readonly changed: readonly { readonly before: Cells; readonly after: Cells }[];
  readonly removed: readonly Cells[];
  /** Rows that stay as they were. */
  readonly same: number;
  /** Columns, their types, how keys are compared, or the values for all others. */
  readonly shape: boolean;
}

/** A column's name as an id: "Cost code" becomes `cost_code`; unlike those that are taken. */
export function columnIdFor(title: string, taken: readonly string[]): string {
  const plain = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
    .slice(0, 40);
  const base = plain === '' || plain === 'constructor' || plain === 'prototype' ? 'column' : plain;
  let id = base;
  for (let number = 2; taken.includes(id); number++) id = `${base}_${number}`;
  return id;
}

/** What is typed or pasted into a cell, as the column's type has it; undefined when it is none of that type. */
export function readCell(value: unknown, type: ValueMapColumn['type']): Cell | undefined {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const text = String(value).trim();
  if (text === '') return null;
  if (type === 'text') return typeof value === 'string' ? text : String(value);
  if (type === 'boolean') {
    if (/^(true|yes|y|1)$/i.test(text)) return true;
    return /^(false|no|n|0)$/i.test(text) ? false : undefined;
  }
  const plain = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(text) ? text.replaceAll(',', '') : text;
  if (!/^-?\d+(\.\d+)?$/.test(plain)) return undefined;
  // More digits than a number holds would come back as another number.
  return plain.replace(/\D/g, '').replace(/^0+/, '').length > 15 ? undefined : Number(plain);
}

/** A cell as a person writes it. */
export function cellText(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return '';
  return typeof cell === 'boolean' ? (cell ? 'yes' : 'no') : String(cell);
}

/**
 * What a row is found by: its key cells as they are compared. Undefined when one of them has nothing in it, or nothing of its type.
 */
export function keyOf(
  { columns, loose }: Pick<ValueMapTable, 'columns' | 'loose'>,
  values: Readonly<Record<string, unknown>>,
): string | undefined {
  const parts: string[] = [];
  for (const { id, type, key } of columns) {
    if (!key) continue;
    const cell = readCell(values[id], type);
    if (cell === undefined || cell === null) return undefined;
    const text = String(cell).normalize('NFC');
    parts.push(loose ? text.replace(/\s+/g, ' ').trim().toLowerCase() : text);
  }
  return parts.length === 0 ? undefined : parts.join('\u001f');
}

/** Everything that is wrong with a table, up to a hundred things; nothing when it may be saved. */
export function checkValueMap(table: ValueMapTable): ValueMapProblem[] {
  const { columns, rows, otherwise } = table;
  const problems: ValueMapProblem[] = checkColumns(columns);
  if (problems.length > 0) return problems;
  if (rows.length > valueMapLimits.rows)
    return [
      {
        code: 'too_many_rows',
        message: `The table has ${rows.length} rows, and at most ${valueMapLimits.rows} are possible. Split it into several.`,
      },
    ];
  const seen = new Map<string, number>();
  for (const [row, cells] of rows.entries()) {
    if (problems.length >= 100) break;
    const before = problems.length;
    for (const column of columns) problems.push(...checkCell(cells[column.id], column, row));
    if (problems.length > before) continue;
    const key = keyOf(table, cells) ?? '';
    const first = seen.get(key);
    if (first !== undefined)
      problems.push({
        code: 'row_duplicate',
        row,
        message: `Row ${row + 1} has the key ${shownKey(table, cells)} again, as row ${first + 1} has it. Remove one of the two.`,
      });
    else seen.set(key, row);
  }
  for (const column of columns)
    if (otherwise && !column.key) for (const problem of checkCell(otherwise[column.id], column)) problems.push(problem);
  return problems;
}

function checkColumns(columns: readonly ValueMapColumn[]): ValueMapProblem[] {
  const wrong = (message: string, column?: string): ValueMapProblem[] => [
    { code: 'column_invalid', message, ...(column === undefined ? {} : { column }) },
  ];
  const keys = columns.filter(({ key }) => key).length;
  if (columns.length > valueMapLimits.columns)
    return wrong(`There are ${columns.length} columns, and at most ${valueMapLimits.columns} are possible.`);
  if (keys === 0) return wrong('No column is a key, so no row could be found. Mark the column that rows are found by.');
  if (keys > valueMapLimits.keyColumns)
    return wrong(`${keys} columns are keys, and at most ${valueMapLimits.keyColumns} are possible.`);
  if (keys === columns.length) return wrong('All columns are keys, so nothing would be found. Add one with a value.');
  for (const [index, { id, title }] of columns.entries())
    if (columns.findIndex((other) => other.id === id || other.title.toLowerCase() === title.toLowerCase()) !== index)
      return wrong(`Two columns are called "${title}". Rename one of them.`, id);
  return [];
}

function checkCell(value: unknown, column: ValueMapColumn, row?: number): ValueMapProblem[] {
  const { id, title, type, key } = column;
  const at = { ...(row === undefined ? {} : { row }), column: id };
  const place = row === undefined ? `"${title}" for all others` : `Row ${row + 1}, "${title}"`;
  const cell = readCell(value, type);
  if (cell === undefined)
    return [
      {
        code: 'cell_invalid',
        ...at,
        message: `${place} is no ${type === 'number' ? 'number of up to 15 digits' : type === 'boolean' ? 'yes or no' : 'text'}. Correct it, or let the column hold text.`,
      },
    ];
  if (cell === null)
    return key
      ? [{ code: 'key_missing', ...at, message: `${place} is empty, and rows are found by it. Fill it in.` }]
      : [];
  const max = key ? valueMapLimits.keyCell : valueMapLimits.cell;
  const text = String(cell);
  if (text.length > max)
    return [
      {
        code: 'cell_too_long',
        ...at,
        message: `${place} has ${text.length} characters, and at most ${max} are possible. Shorten it.`,
      },
    ];
  // Control characters come from broken files, and the key is joined by one.
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text) || !text.isWellFormed())
    return [
      { code: 'cell_invalid', ...at, message: `${place} has a character that is not text. Write it again there.` },
    ];
  return [];
}

/** The table as it is kept: cells of its columns and no others, in their types. For one that `checkValueMap` has passed. */
export function settled(table: ValueMapTable): ValueMapTable {
  const cellsOf = (cells: Cells, columns: readonly ValueMapColumn[]): Cells =>
    Object.fromEntries(columns.map(({ id, type }) => [id, readCell(cells[id], type) ?? null]));
  const { columns, loose, rows, otherwise } = table;
  const values = columns.filter(({ key }) => !key);
  const others = otherwise && cellsOf(otherwise, values);
  return {
    columns,
    loose,
    rows: rows.map((cells) => cellsOf(cells, columns)),
    otherwise: others && Object.values(others).some((cell) => cell !== null) ? others : null,
  };
}

const collator = new Intl.Collator('en', { numeric: true });

/** By their keys, as a person reads them: `2` before `10`. */
export function inOrder(rows: readonly Cells[], columns: readonly ValueMapColumn[]): readonly Cells[] {
  const keys = columns.filter(({ key }) => key);
  return rows.toSorted((a, b) => {
    for (const { id } of keys) {
      const order = collator.compare(cellText(a[id]), cellText(b[id]));
      if (order !== 0) return order;
    }
    return 0;
  });
}

/** What it takes to come from one table to another; both settled. Rows are the same row when they have the same key. */
export function changesOfValueMap(before: ValueMapTable, after: ValueMapTable): ValueMapChanges {
  const old = new Map(before.rows.map((cells) => [keyOf(after, cells) ?? keyOf(before, cells) ?? '', cells]));
  const added: Cells[] = [];
  const changed: { before: Cells; after: Cells }[] = [];
  let same = 0;
  for (const cells of after.rows) {
    const key = keyOf(after, cells) ?? '';
    const former = old.get(key);
    old.delete(key);
    if (!former) added.push(cells);
    else if (sameCells(former, cells)) same++;
    else changed.push({ before: former, after: cells });
  }
  return {
    added,
    changed,
    removed: [...old.values()],
    same,
    shape:
      before.loose !== after.loose ||
      shapeOf(before.columns) !== shapeOf(after.columns) ||
      !sameCells(before.otherwise ?? {}, after.otherwise ?? {}),
  };
}

/** As text that is the same whichever way an object's fields are ordered. */
function shapeOf(columns: readonly ValueMapColumn[]): string {
  return JSON.stringify(columns.map(({ id, title, type, key }) => [id, title, type, key]));
}

function sameCells(a: Cells, b: Cells): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((id) => (a[id] ?? null) === (b[id] ?? null));
}

/** A row's key in words: `"03-100"`, or `"03-100", "Oak Ridge"`. */
export function shownKey(
  { columns }: Pick<ValueMapTable, 'columns'>,
  cells: Readonly<Record<string, unknown>>,
): string {
  return columns
    .filter(({ key }) => key)
    .map(({ id }) => {
      const text = cellText(cells[id] as Cell);
      return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
    })
    .join(', ');
}
