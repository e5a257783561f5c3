import { describe, expect, test } from 'vitest';
import {
  changesOfValueMap,
  checkValueMap,
  columnIdFor,
  inOrder,
  keyOf,
  readCell,
  settled,
  valueMapLimits,
  type ValueMapColumn,
  type ValueMapTable,
} from './value-map.ts';

const column = (id: string, more: Partial<ValueMapColumn> = {}): ValueMapColumn => ({
  ...{ id, title: id, type: 'text', key: false },
  ...more,
});
const code = column('code', { key: true });
const account = column('account');
const table = (rows: ValueMapTable['rows'], more: Partial<ValueMapTable> = {}): ValueMapTable => ({
  ...{ columns: [code, account], loose: true, otherwise: null, rows },
  ...more,
});
const codesOf = (given: ValueMapTable) => checkValueMap(given).map((problem) => problem.code);

describe('a key', () => {
  test.each([
    ['03-100', ' 03-100 ', true],
    ['Ärger', 'ÄRGER', true],
    ['Ä', 'A\u0308', true],
    ['Lot  2', 'lot 2', true],
    ['0012', '12', false],
  ])('"%s" and "%s" are the same where capitals and spaces do not matter: %s', (a, b, same) => {
    const shape = { columns: [code], loose: true };
    expect(keyOf(shape, { code: a }) === keyOf(shape, { code: b })).toBe(same);
  });

  test('is taken letter by letter where they do', () => {
    const shape = { columns: [code], loose: false };
    expect(keyOf(shape, { code: 'a' })).not.toBe(keyOf(shape, { code: 'A' }));
  });

  test('of several columns keeps them apart', () => {
    const shape = { columns: [code, column('lot', { key: true })], loose: true };
    expect(keyOf(shape, { code: 'a', lot: 'b c' })).not.toBe(keyOf(shape, { code: 'a b', lot: 'c' }));
    expect(keyOf(shape, { code: 'a' })).toBeUndefined();
  });

  test('of a number column is the number, however it is written', () => {
    const shape = { columns: [column('size', { key: true, type: 'number' })], loose: true };
    expect(keyOf(shape, { size: '12.50' })).toBe(keyOf(shape, { size: 12.5 }));
    expect(keyOf(shape, { size: 'twelve' })).toBeUndefined();
  });
});

describe('a cell', () => {
  test.each([
    ['number', '1,250.50', 1250.5],
    ['number', '12,50', undefined],
    ['number', '12345678901234567', undefined],
    ['number', ' ', null],
    ['boolean', 'Yes', true],
    ['boolean', '0', false],
    ['boolean', 'perhaps', undefined],
    ['text', ' a ', 'a'],
    ['text', 12, '12'],
    ['text', {}, undefined],
  ] as const)('of type %s reads %j as %j', (type, given, read) => {
    expect(readCell(given, type)).toBe(read);
  });
});

describe('what is wrong with a table', () => {
  test('is nothing with a sound one', () => {
    expect(checkValueMap(table([{ code: '03-100', account: '5100' }]))).toEqual([]);
  });

  test.each([
    [
      'row_duplicate',
      table([
        { code: 'A', account: '1' },
        { code: 'a ', account: '2' },
      ]),
    ],
    ['key_missing', table([{ code: ' ', account: '1' }])],
    ['cell_too_long', table([{ code: 'a', account: 'x'.repeat(501) }])],
    ['cell_too_long', table([{ code: 'x'.repeat(201), account: '' }])],
    ['cell_invalid', table([{ code: 'a', account: 'b\u0000' }])],
    ['cell_invalid', table([{ code: 'a', account: '\ud800' }])],
    ['cell_invalid', table([], { columns: [code, column('rate', { type: 'number' })], otherwise: { rate: 'much' } })],
    ['column_invalid', table([], { columns: [account] })],
    ['column_invalid', table([], { columns: [code] })],
    ['column_invalid', table([], { columns: [code, account, column('other', { title: 'Account' })] })],
    ['column_invalid', table([], { columns: [code, ...Array.from({ length: 20 }, (_, at) => column(`c${at}`))] })],
    [
      'column_invalid',
      table([], { columns: [...Array.from({ length: 4 }, (_, at) => column(`k${at}`, { key: true })), account] }),
    ],
  ])('%s', (wanted, given) => {
    expect(codesOf(given)).toEqual([wanted]);
  });

  test('too many rows are one problem, and too many problems a hundred', () => {
    expect(codesOf(table(Array.from({ length: valueMapLimits.rows + 1 }, () => ({}))))).toEqual(['too_many_rows']);
    expect(checkValueMap(table(Array.from({ length: 1_000 }, () => ({ code: 'a' })))).length).toBeLessThanOrEqual(101);
  });

  test('names row and column', () => {
    const [problem] = checkValueMap(
      table([
        { code: 'a', account: '1' },
        { code: 'A', account: '2' },
      ]),
    );
    expect(problem).toMatchObject({
      row: 1,
      message: 'Row 2 has the key "A" again, as row 1 has it. Remove one of the two.',
    });
  });
});

test('what differs between two tables is told by row, and a column that is added changes no row', () => {
  const before = settled(
    table([
      { code: 'b', account: '2' },
      { code: 'a', account: '1' },
      { code: 'c', account: '3' },
    ]),
  );
  const after = settled(
    table(
      [
        { code: 'a', account: '1' },
        { code: 'B', account: '9' },
        { code: 'd', account: '4' },
      ],
      {
        columns: [code, account, column('class')],
      },
    ),
  );
  const { added, changed, removed, same, shape } = changesOfValueMap(before, after);
  expect({
    added: added.map(({ code: key }) => key),
    removed: removed.map(({ code: key }) => key),
    same,
    shape,
  }).toEqual({
    added: ['d'],
    removed: ['c'],
    same: 1,
    shape: true,
  });
  expect(changed).toMatchObject([{ before: { account: '2' }, after: { account: '9' } }]);
});

test('rows stand in the order of their keys as a person reads them', () => {
  const rows = inOrder(
    ['10', '2', '1'].map((key) => ({ code: key, account: '' })),
    [code, account],
  );
  expect(rows.map(({ code: key }) => key)).toEqual(['1', '2', '10']);
});

test('the id of a column comes from its title, and is nobody else’s', () => {
  expect(columnIdFor('Cost code', [])).toBe('cost_code');
  expect(columnIdFor('Cost code', ['cost_code'])).toBe('cost_code_2');
  expect(columnIdFor('1. Größe', [])).toBe('gro_e');
  expect(columnIdFor('§', [])).toBe('column');
  expect(columnIdFor('Constructor', [])).toBe('column');
});
