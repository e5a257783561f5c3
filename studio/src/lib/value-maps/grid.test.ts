import { describe, expect, test } from 'vitest';
import type { ValueMapDetail } from '@plumbline/engine/contract';
import {
  addRow,
  differs,
  gridOf,
  paste,
  putColumn,
  readPaste,
  removeColumn,
  removeRow,
  search,
  setCell,
  tableOf,
} from './grid.ts';

const read = {
  columns: [
    { id: 'code', title: 'Code', type: 'text', key: true },
    { id: 'account', title: 'Account', type: 'text', key: false },
    { id: 'taxed', title: 'Taxed', type: 'boolean', key: false },
  ],
  loose: true,
  otherwise: null,
  rows: [
    { code: '03-100', account: '5100', taxed: true },
    { code: '07-200', account: '5200', taxed: null },
  ],
} as unknown as ValueMapDetail;
const grid = gridOf(read);

describe('what comes from a spreadsheet', () => {
  test('is rows of cells, and one cell is only text', () => {
    expect(readPaste('a\tb\r\nc\t\r\n')).toEqual([
      ['a', 'b'],
      ['c', ''],
    ]);
    expect(readPaste('one word')).toBeUndefined();
    expect(readPaste('one\n')).toBeUndefined();
    expect(readPaste('one\ntwo')).toEqual([['one'], ['two']]);
  });

  test('is laid over the cells from one on, and goes on in new rows; what is too far right is left out', () => {
    const laid = paste(grid, { row: 1, column: 'account', shown: [0, 1] }, [
      ['9', 'no', 'far'],
      ['8', 'yes'],
    ]);
    expect(laid.rows.map(({ cells }) => cells)).toEqual([
      { code: '03-100', account: '5100', taxed: 'yes' },
      { code: '07-200', account: '9', taxed: 'no' },
      { account: '8', taxed: 'yes' },
    ]);
  });

  test('with the titles on top fills the rows below them', () => {
    const laid = paste(grid, { row: 0, column: 'code', shown: [0, 1] }, [
      ['code', 'Account'],
      ['a', '1'],
    ]);
    expect(laid.rows.map(({ cells }) => cells['code'])).toEqual(['a', '07-200']);
  });

  test('goes down the rows that are shown, not those between them', () => {
    const three = addRow(grid, { code: '09' });
    const laid = paste(three, { row: 0, column: 'account', shown: [0, 2] }, [['x'], ['y']]);
    expect(laid.rows.map(({ cells }) => cells['account'])).toEqual(['x', '5200', 'y']);
  });
});

test('nothing differs until something does, and an empty row is nothing', () => {
  expect(differs(grid, read)).toBe(false);
  expect(differs(addRow(grid), read)).toBe(false);
  expect(tableOf(addRow(grid)).rows).toHaveLength(2);
  expect(differs(setCell(grid, 1, 'account', '5201'), read)).toBe(true);
  expect(differs(removeRow(grid, 0), read)).toBe(true);
});

test('a new column gets an id of its own, and one that is renamed keeps it', () => {
  const more = putColumn(grid, { title: 'Account', type: 'text', key: false });
  expect(more.columns.at(-1)?.id).toBe('account_2');
  const renamed = putColumn(more, { id: 'account', title: 'G/L account', type: 'number', key: false });
  expect(renamed.columns[1]).toEqual({ id: 'account', title: 'G/L account', type: 'number', key: false });
  expect(removeColumn(renamed, 'account').rows[0]?.cells).toEqual({ code: '03-100', taxed: 'yes' });
});

test('rows are found by all words, wherever they stand', () => {
  expect(search(grid.rows, '5200 07').map(({ id }) => id)).toEqual([1]);
  expect(search(grid.rows, ' ')).toHaveLength(2);
});
