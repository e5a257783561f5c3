import type { ValueMapDetail } from '@plumbline/engine/contract';
import { cellText, columnIdFor, type Cells, type ValueMapColumn, type ValueMapTable } from '@plumbline/workflows/flow';

/** A row while it is edited: cells as text, and a number that stays with it. */
export interface GridRow {
  readonly id: number;
  readonly cells: Readonly<Record<string, string>>;
}

/** A table while it is edited. */
export interface Grid {
  readonly columns: readonly ValueMapColumn[];
  readonly loose: boolean;
  readonly rows: readonly GridRow[];
  /** Values for all others; empty where there are none. */
  readonly otherwise: Readonly<Record<string, string>>;
  /** The next row's number. */
  readonly next: number;
}

export function gridOf({ columns, loose, rows, otherwise }: ValueMapTable): Grid {
  const textsOf = (cells: Cells): Record<string, string> =>
    Object.fromEntries(columns.map(({ id }) => [id, cellText(cells[id])]));
  return {
    columns,
    loose,
    rows: rows.map((cells, id) => ({ id, cells: textsOf(cells) })),
    otherwise: otherwise ? textsOf(otherwise) : {},
    next: rows.length,
  };
}

/** As it is saved; rows with nothing in them are nobody's. */
export function tableOf({ columns, loose, rows, otherwise }: Grid): ValueMapTable {
  return {
    columns,
    loose,
    rows: filled(rows).map(({ cells }) => cells),
    otherwise: Object.values(otherwise).some((text) => text.trim() !== '') ? otherwise : null,
  };
}

export function filled(rows: readonly GridRow[]): readonly GridRow[] {
  return rows.filter(({ cells }) => Object.values(cells).some((text) => text.trim() !== ''));
}

export function setCell(grid: Grid, row: number, column: string, text: string): Grid {
  return {
    ...grid,
    rows: grid.rows.map((one) => (one.id === row ? { ...one, cells: { ...one.cells, [column]: text } } : one)),
  };
}

export function addRow(grid: Grid, cells: Readonly<Record<string, string>> = {}): Grid {
  return { ...grid, rows: [...grid.rows, { id: grid.next, cells }], next: grid.next + 1 };
}

export function removeRow(grid: Grid, row: number): Grid {
  return { ...grid, rows: grid.rows.filter(({ id }) => id !== row) };
}

/** What a spreadsheet puts on the clipboard as rows of cells; undefined for text that is one cell. */
export function readPaste(text: string): readonly (readonly string[])[] | undefined {
  const lines = text.replace(/\r\n?/g, '\n').replace(/\n$/, '').split('\n');
  if (lines.length === 1 && !text.includes('\t')) return undefined;
  return lines.map((line) => line.split('\t').map((cell) => cell.trim()));
}

/**
 * Lays pasted cells over the table from one cell on, down the rows that are shown and beyond them as new rows; what is too far right is left out.
 * A first line that repeats the titles is one of titles.
 */
export function paste(
  grid: Grid,
  at: { readonly row: number; readonly column: string; readonly shown: readonly number[] },
  given: readonly (readonly string[])[],
): Grid {
  const from = grid.columns.findIndex(({ id }) => id === at.column);
  const columns = grid.columns.slice(Math.max(0, from));
  const isHeader = given[0]?.every((text, index) => columns[index]?.title.toLowerCase() === text.toLowerCase());
  const lines = isHeader ? given.slice(1) : given;
  const below = at.shown.slice(Math.max(0, at.shown.indexOf(at.row)));
  const laid = new Map(
    lines
      .slice(0, below.length)
      .map((line, index) => [
        below[index],
        Object.fromEntries(line.flatMap((text, place) => (columns[place] ? [[columns[place].id, text]] : []))),
      ]),
  );
  let next = grid.next;
  const added = lines.slice(below.length).map((line) => ({
    id: next++,
    cells: Object.fromEntries(line.flatMap((text, place) => (columns[place] ? [[columns[place].id, text]] : []))),
  }));
  const rows = grid.rows.map((row) => {
    const cells = laid.get(row.id);
    return cells ? { ...row, cells: { ...row.cells, ...cells } } : row;
  });
  return { ...grid, rows: [...rows, ...added], next };
}

/** Puts a column in place of one, or at the end; a new one gets its id from its title, which it keeps. */
export function putColumn(grid: Grid, column: Omit<ValueMapColumn, 'id'> & { readonly id?: string }): Grid {
  const { id, ...rest } = column;
  if (id !== undefined) return { ...grid, columns: grid.columns.map((one) => (one.id === id ? { id, ...rest } : one)) };
  const made = columnIdFor(
    rest.title,
    grid.columns.map((one) => one.id),
  );
  return { ...grid, columns: [...grid.columns, { id: made, ...rest }] };
}

export function removeColumn(grid: Grid, id: string): Grid {
  const without = (cells: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(cells).filter(([column]) => column !== id));
  return {
    ...grid,
    columns: grid.columns.filter((column) => column.id !== id),
    rows: grid.rows.map((row) => ({ ...row, cells: without(row.cells) })),
    otherwise: without(grid.otherwise),
  };
}

/** Rows in which every word stands somewhere. */
export function search(rows: readonly GridRow[], typed: string): readonly GridRow[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter(({ cells }) => {
    const text = Object.values(cells).join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Whether anything differs from what was read. */
export function differs(grid: Grid, read: ValueMapDetail): boolean {
  return JSON.stringify(plain(tableOf(grid))) !== JSON.stringify(plain(tableOf(gridOf(read))));
}

function plain({ columns, loose, rows, otherwise }: ValueMapTable): unknown {
  const textsOf = (cells: Cells) => columns.map(({ id }) => String(cells[id] ?? ''));
  return [
    columns.map(({ id, title, type, key }) => [id, title, type, key]),
    loose,
    rows.map(textsOf),
    otherwise && textsOf(otherwise),
  ];
}
