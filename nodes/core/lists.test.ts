import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { node as filter } from './filter-list.ts';
import { node as limit } from './limit-list.ts';
import { node as sort } from './sort-list.ts';
import { node as split } from './split-list.ts';
import { manyRows, outputOf, run, timed } from './testing.ts';
import { node as unique } from './unique-list.ts';

interface Rows {
  readonly rows: readonly unknown[];
  readonly count: number;
  readonly removed: number;
}

const lines = [
  { id: 1, amount: '1000.00', vendor: { name: 'Acme Lumber' }, due: '2026-03-31', paid: true, tags: ['rush'] },
  { id: 2, amount: '999.99', vendor: { name: 'Bolt & Co' }, due: '2026-04-01', memo: ' ' },
  { id: 3, amount: 1000, vendor: { name: 'acme roofing' }, due: '2026-04-15T08:00:00Z', memo: 'Deck', paid: false },
  { id: 4, memo: 'no amount' },
];
const ids = (output: Rows) => output.rows.map((row) => (row as { id: number }).id);

describe('a filter', () => {
  test.each([
    ['amounts by their value', { field: 'amount', operator: 'equals', value: '1000' }, [1, 3]],
    [
      'amounts that differ, and those that are missing',
      { field: 'amount', operator: 'not-equals', value: '1000.0' },
      [2, 4],
    ],
    ['more, exactly', { field: 'amount', operator: 'greater', value: '999.99' }, [1, 3]],
    ['at least', { field: 'amount', operator: 'at-least', value: '999.99' }, [1, 2, 3]],
    ['less', { field: 'amount', operator: 'less', value: 1000 }, [2]],
    ['at most', { field: 'amount', operator: 'at-most', value: '1000' }, [1, 2, 3]],
    [
      'text in a field of a field, capitals or not',
      { field: 'vendor.name', operator: 'contains', value: 'ACME' },
      [1, 3],
    ],
    ['an entry of a list', { field: 'tags', operator: 'contains', value: 'rush' }, [1]],
    ['days before a day', { field: 'due', operator: 'less', value: '2026-04-10' }, [1, 2]],
    ['yes', { field: 'paid', operator: 'equals', value: 'true' }, [1]],
    ['what is empty, blanks included', { field: 'memo', operator: 'empty' }, [1, 2]],
    ['what is filled in', { field: 'memo', operator: 'not-empty' }, [3, 4]],
    ['a field nothing has', { field: 'toString', operator: 'not-empty' }, []],
  ])('keeps %s', async (_name, condition, expected) => {
    const output = await outputOf<Rows>(filter, { list: lines, conditions: [condition] });
    expect(ids(output)).toEqual(expected);
    expect(output).toMatchObject({ count: expected.length, removed: 4 - expected.length });
  });

  test('wants all conditions, or one of them', async () => {
    const conditions = [
      { field: 'amount', operator: 'greater', value: '999.99' },
      { field: 'paid', value: 'true' },
    ];
    expect(ids(await outputOf<Rows>(filter, { list: lines, conditions }))).toEqual([1]);
    expect(ids(await outputOf<Rows>(filter, { list: lines, conditions, match: 'any' }))).toEqual([1, 3]);
  });

  test('takes entries that are no records, by themselves', async () => {
    const conditions = [{ operator: 'greater', value: '9' }];
    expect(await outputOf(filter, { list: ['10', '9', '8.99'], conditions })).toEqual({
      rows: ['10'],
      count: 1,
      removed: 2,
    });
  });

  test.each([
    [
      'an amount with text',
      [{ amount: 'n/a' }],
      { field: 'amount', operator: 'greater', value: '10' },
      'not_comparable',
      'Row 1: "amount"',
    ],
    [
      'a list with an amount',
      [{ amount: 5 }, { amount: [1] }],
      { field: 'amount', operator: 'less', value: '10' },
      'not_comparable',
      'Row 2',
    ],
    ['with nothing', [{ amount: 5 }], { field: 'amount', operator: 'less' }, 'value_missing', '"amount"'],
    ['a reserved field', [{ amount: 5 }], { field: 'a.__proto__.b', operator: 'empty' }, 'reserved_key', '__proto__'],
    [
      'text that cannot be stored',
      [{ amount: 'a\0' }],
      { field: 'amount', operator: 'empty' },
      'unsupported_character',
      'row 1, amount',
    ],
  ])('refuses to compare %s', async (_name, list, condition, code, words) => {
    await expect(run(filter, { list, conditions: [condition] })).rejects.toMatchObject({
      kind: 'invalid',
      code,
      message: expect.stringContaining(words),
    });
  });
});

const amounts = fc.integer({ min: -99_999, max: 99_999 }).map((cents) => (cents / 100).toFixed(2));
const cells = fc.oneof(
  amounts,
  fc.integer(),
  fc.string(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('2026-01-01', '2026-01-01T00:00:00+01:00'),
);

describe('a sort', () => {
  test.each([
    ['amounts', [{ field: 'v' }], ['10', '9.99', '-3', '9.990', 2], ['-3', 2, '9.99', '9.990', '10']],
    [
      'text as people read it',
      [{ field: 'v' }],
      ['Lot 10', 'Lot 2', 'apple', 'Zinc'],
      ['apple', 'Lot 2', 'Lot 10', 'Zinc'],
    ],
    [
      'the largest first, and nothing last',
      [{ field: 'v', direction: 'descending' }],
      [null, 1, '', 3, 2],
      [3, 2, 1, null, ''],
    ],
    ['the smallest first, and nothing last', [{ field: 'v' }], [null, 1, '', 3, 2], [1, 2, 3, null, '']],
    [
      'times by the moment',
      [{ field: 'v' }],
      ['2026-03-02T09:00:00Z', '2026-03-02T10:00:00+02:00'],
      ['2026-03-02T10:00:00+02:00', '2026-03-02T09:00:00Z'],
    ],
  ])('orders %s', async (_name, by, values, expected) => {
    const output = await outputOf<Rows>(sort, { list: values.map((v) => ({ v })), by });
    expect(output.rows.map((row) => (row as { v: unknown }).v)).toEqual(expected);
  });

  test('goes by the next field where the first is the same', async () => {
    const list = [
      { a: 1, b: 'x' },
      { a: 1, b: 'y' },
      { a: 0, b: 'z' },
    ];
    const by = [{ field: 'a' }, { field: 'b', direction: 'descending' }];
    expect((await outputOf<Rows>(sort, { list, by })).rows).toEqual([list[2], list[1], list[0]]);
  });

  test('keeps every row, in order, and equal rows as they stood', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(cells, { maxLength: 40 }),
        fc.constantFrom('ascending', 'descending'),
        async (values, direction) => {
          const list = values.map((v, at) => ({ v, at }));
          const once = (await outputOf<Rows>(sort, { list, by: [{ field: 'v', direction }] })).rows as typeof list;
          expect([...once].sort((a, b) => a.at - b.at)).toEqual(list);
          const again = (await outputOf<Rows>(sort, { list: once, by: [{ field: 'v', direction }] })).rows;
          expect(again).toEqual(once);
          const same = once.filter(({ v }) => v === once[0]?.v);
          expect(same).toEqual([...same].sort((a, b) => a.at - b.at));
        },
      ),
    );
  });

  test('refuses a field that is a group, and names the row', async () => {
    const list = [{ v: 1 }, { v: { a: 1 } }];
    await expect(run(sort, { list, by: [{ field: 'v' }] })).rejects.toMatchObject({
      code: 'not_sortable',
      message: expect.stringMatching(/Row 2: "v" is a group of fields/),
    });
  });
});

describe('batches', () => {
  test('put together again are the list, and all but the last are full', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer(), { maxLength: 50 }),
        fc.integer({ min: 1, max: 12 }),
        async (list, size) => {
          const { batches, count } = await outputOf<{
            batches: { number: number; rows: number[]; count: number }[];
            count: number;
          }>(split, { list, size });
          expect(batches.flatMap(({ rows }) => rows)).toEqual(list);
          expect(batches.slice(0, -1).every(({ rows }) => rows.length === size)).toBe(true);
          expect(batches.map(({ number }) => number)).toEqual(batches.map((_, at) => at + 1));
          expect(count).toBe(Math.ceil(list.length / size));
        },
      ),
    );
  });

  test.each([0, -1, 1.5, 10_001])('of %d rows are refused', (size) => {
    expect(split.input.safeParse({ list: [], size }).success).toBe(false);
  });
});

describe('a shortened list', () => {
  test.each([
    [{ count: 2 }, ['a', 'b']],
    [{ count: 2, from: 'end' }, ['c', 'd']],
    [{ count: 2, skip: 1 }, ['b', 'c']],
    [{ count: 2, skip: 1, from: 'end' }, ['b', 'c']],
    [{ count: 9 }, ['a', 'b', 'c', 'd']],
    [{ count: 3, skip: 2, from: 'end' }, ['a', 'b']],
    [{ count: 9, skip: 9, from: 'end' }, []],
    [{ count: 0 }, []],
  ])('by %j has %j', async (options, rows) => {
    expect(await outputOf(limit, { list: ['a', 'b', 'c', 'd'], ...options })).toEqual({
      rows,
      count: rows.length,
      removed: 4 - rows.length,
    });
  });
});

describe('removing duplicates', () => {
  const list = [{ n: 'A-1', at: 0 }, { n: 'A-2', at: 1 }, { n: 'A-1', at: 2 }, { at: 3 }, { at: 4 }];
  test.each([
    ['first', [0, 1, 3, 4]],
    ['last', [1, 2, 3, 4]],
  ])('keeps the %s of each, and every row without a number', async (keep, expected) => {
    const { rows, removed } = await outputOf<Rows>(unique, { list, by: [{ field: 'n' }], keep });
    expect(rows.map((row) => (row as { at: number }).at)).toEqual(expected);
    expect(removed).toBe(1);
  });

  test('of whole entries does not mind the order of fields', async () => {
    const given = [{ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }, { a: 2 }];
    expect((await outputOf<Rows>(unique, { list: given })).rows).toEqual([given[0], given[2]]);
  });

  test('done twice removes nothing more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 9 })), async (given) => {
        const { rows } = await outputOf<Rows>(unique, { list: given });
        expect(new Set(rows)).toEqual(new Set(given));
        expect(await outputOf(unique, { list: rows })).toMatchObject({ rows, removed: 0 });
      }),
    );
  });

  test('refuses a key that is a group', async () => {
    await expect(run(unique, { list: [{ n: {} }, { n: { a: 1 } }], by: [{ field: 'n' }] })).rejects.toMatchObject({
      code: 'key_invalid',
      message: expect.stringMatching(/^Row 2/),
    });
  });
});

test('a list has at most 100,000 entries, and nested ones at most 64 levels', async () => {
  const type = { list: manyRows(() => 1, 100_001), count: 1 };
  expect(limit.input.safeParse(type).success).toBe(false);
  let deep: unknown = 1;
  for (let level = 0; level < 10_000; level++) deep = [deep];
  await expect(run(limit, { list: [deep], count: 1 })).rejects.toMatchObject({ code: 'too_deep' });
});

test.each([
  ['filtered', filter, { conditions: [{ field: 'amount', operator: 'greater', value: '500' }] }],
  ['sorted', sort, { by: [{ field: 'name' }, { field: 'amount', direction: 'descending' }] }],
  ['freed of duplicates', unique, { by: [{ field: 'name' }] }],
  ['split', split, { size: 7 }],
  ['shortened', limit, { count: 5 }],
])('100,000 rows are %s within seconds', async (_name, type, options) => {
  const list = manyRows((index) => ({
    name: `Lot ${(index * 7_919) % 50_000}`,
    amount: ((index * 31) % 1_000).toFixed(2),
  }));
  expect(await timed(() => run(type, { list, ...options }))).toBeLessThan(10_000);
});
