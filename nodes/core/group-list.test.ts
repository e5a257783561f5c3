import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimalText } from './decimal.ts';
import { node } from './group-list.ts';
import { manyRows, outputOf, run, timed } from './testing.ts';

interface Groups {
  readonly groups: readonly Record<string, unknown>[];
  readonly count: number;
}
const lines = [
  { code: '03-100', amount: '10.10', vendor: { name: 'Acme' } },
  { code: '06-200', amount: 5 },
  { code: '03-100', amount: '0.20', vendor: { name: 'Bolt' } },
  { code: '03-100', vendor: { name: 'Acme' } },
  { amount: '1.005' },
];
const sum = { name: 'total', operation: 'sum', field: 'amount' };

describe('groups', () => {
  test('come in the order of their first row; a row without the field is in a group of its own', async () => {
    expect(await outputOf(node, { list: lines, by: [{ field: 'code' }], calculations: [sum] })).toEqual({
      groups: [
        { code: '03-100', total: '10.30' },
        { code: '06-200', total: '5' },
        { code: null, total: '1.005' },
      ],
      count: 3,
    });
  });

  test('may be one total of all rows', async () => {
    expect(await outputOf(node, { list: lines, calculations: [sum] })).toEqual({
      groups: [{ total: '16.305' }],
      count: 1,
    });
  });

  test('of no rows are one total when nothing is grouped by, else none', async () => {
    const calculations = [
      sum,
      { name: 'lines', operation: 'count' },
      { ...sum, name: 'most', operation: 'max' },
      { ...sum, name: 'mean', operation: 'average' },
    ];
    expect(await outputOf(node, { list: [], calculations })).toEqual({
      groups: [{ total: '0', lines: 0, most: null, mean: null }],
      count: 1,
    });
    expect(await outputOf(node, { list: [], calculations, withRows: true })).toMatchObject({ groups: [{ rows: [] }] });
    expect(await outputOf(node, { list: [], by: [{ field: 'code' }], calculations })).toEqual({ groups: [], count: 0 });
  });

  test.each([
    ['sum', 'amount', '10.30'],
    ['average', 'amount', '5.15'],
    ['count', 'amount', 2],
    ['count', '', 3],
    ['min', 'amount', '0.20'],
    ['max', 'amount', '10.10'],
    ['max', 'vendor.name', 'Bolt'],
    ['min', 'nothing', null],
    ['average', 'nothing', null],
    ['sum', 'nothing', '0'],
  ])('compute the %s of "%s"', async (operation, field, expected) => {
    const { groups } = await outputOf<Groups>(node, {
      list: lines,
      by: [{ field: 'code' }],
      calculations: [{ name: 'value', operation, field }],
    });
    expect(groups[0]).toEqual({ code: '03-100', value: expected });
  });

  test('go by several fields, and hand on their rows when asked', async () => {
    const { groups } = await outputOf<Groups>(node, {
      list: lines,
      by: [{ field: 'code' }, { field: 'vendor.name' }],
      withRows: true,
    });
    expect(groups).toHaveLength(4);
    expect(groups[0]).toEqual({ code: '03-100', 'vendor.name': 'Acme', rows: [lines[0], lines[3]] });
  });

  test('of several fields are not taken for one another', async () => {
    const list = [
      { a: 'x,y', b: 'z' },
      { a: 'x', b: 'y,z' },
    ];
    expect(await outputOf(node, { list, by: [{ field: 'a' }, { field: 'b' }] })).toEqual({ groups: list, count: 2 });
  });

  test('of amounts add up to the sum of all, to the cent', async () => {
    const row = fc.record({
      code: fc.constantFrom('a', 'b', 'c'),
      cents: fc.integer({ min: -9_999_999, max: 9_999_999 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1 }), async (rows) => {
        const list = rows.map(({ code, cents }) => ({
          code,
          amount: decimalText({ digits: BigInt(cents), scale: 2 }),
        }));
        const { groups } = await outputOf<Groups>(node, { list, by: [{ field: 'code' }], calculations: [sum] });
        const all = rows.reduce((total, { cents }) => total + cents, 0);
        const ofGroups = groups.reduce((total, { total: text }) => total + Number(String(text).replace('.', '')), 0);
        expect(ofGroups).toBe(all);
      }),
    );
  });

  test.each([
    [
      'an amount with a comma',
      { list: [{ amount: '5' }, { amount: '1,234.50' }], calculations: [sum] },
      'amount_invalid',
      /^Row 2: "amount" is "1,234.50", not an amount/,
    ],
    [
      'the largest of amounts and text',
      { list: [{ amount: '5' }, { amount: 'x' }], calculations: [{ ...sum, operation: 'max' }] },
      'not_comparable',
      /^Row 2/,
    ],
    ['a sum of no field', { list: [], calculations: [{ name: 'total' }] }, 'field_missing', /"total"/],
    [
      'a group by a list',
      { list: [{ code: [1] }], by: [{ field: 'code' }] },
      'key_invalid',
      /^Row 1: "code" is a list/,
    ],
    [
      'two fields of one name',
      { list: [], by: [{ field: 'total' }], calculations: [sum] },
      'name_duplicate',
      /"total"/,
    ],
    ['a reserved name', { list: [], calculations: [{ ...sum, name: '__proto__' }] }, 'reserved_key', /__proto__/],
    [
      'an entry that is no record',
      { list: [{ amount: '1' }, 7], calculations: [sum] },
      'row_invalid',
      /^Row 2 of List is 7/,
    ],
  ])('refuse %s', async (_name, input, code, message) => {
    await expect(run(node, input)).rejects.toMatchObject({
      kind: 'invalid',
      code,
      message: expect.stringMatching(message),
    });
  });

  test('of 100,000 rows are made within seconds', async () => {
    const list = manyRows((index) => ({ code: `c${index % 20_000}`, amount: '0.01' }));
    const calculations = [
      sum,
      { ...sum, name: 'max', operation: 'max' },
      { ...sum, name: 'average', operation: 'average' },
    ];
    expect(await timed(() => run(node, { list, by: [{ field: 'code' }], calculations }))).toBeLessThan(10_000);
  });
});
