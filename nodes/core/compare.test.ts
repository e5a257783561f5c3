import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { node } from './compare.ts';
import { manyRows, outputOf, run, timed } from './testing.ts';

const nothing = { same: true, added: [], removed: [], changed: [] };

describe('two records', () => {
  test.each([
    ['an added field', { a: 1 }, { a: 1, b: 2 }, { added: [{ field: 'b', after: 2 }] }],
    ['a removed field', { a: 1, b: 2 }, { a: 1 }, { removed: [{ field: 'b', before: 2 }] }],
    ['a changed field', { a: 'x' }, { a: 'y' }, { changed: [{ field: 'a', before: 'x', after: 'y' }] }],
    [
      'a field of a field',
      { v: { name: 'A', id: 1 } },
      { v: { name: 'B', id: 1 } },
      { changed: [{ field: 'v.name', before: 'A', after: 'B' }] },
    ],
    ['a cent', { a: '10.00' }, { a: '10.01' }, { changed: [{ field: 'a', before: '10.00', after: '10.01' }] }],
    ['a list, as a whole', { a: [1] }, { a: [1, 2] }, { changed: [{ field: 'a', before: [1], after: [1, 2] }] }],
    ['a field that became nothing', { a: 1 }, { a: null }, { changed: [{ field: 'a', before: 1, after: null }] }],
    ['a field that every object has', { toString: 'x' }, {}, { removed: [{ field: 'toString', before: 'x' }] }],
  ])('differ in %s', async (_name, before, after, expected) => {
    expect(await outputOf(node, { before, after })).toEqual({ ...nothing, same: false, ...expected });
  });

  test('are the same where amounts have the same value, or where only the chosen fields count', async () => {
    expect(await outputOf(node, { before: { a: '10' }, after: { a: '10.00' } })).toEqual(nothing);
    const fields = [{ field: 'v.id' }];
    expect(await outputOf(node, { before: { a: 1, v: { id: 1 } }, after: { a: 2, v: { id: 1 } }, fields })).toEqual(
      nothing,
    );
  });

  test('that are one record differ in nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.jsonValue()), async (record) => {
        const text = JSON.stringify(record);
        fc.pre(!/__proto__|constructor|prototype|\\u/.test(text));
        const value = JSON.parse(text) as unknown;
        expect(await outputOf(node, { before: value, after: structuredClone(value) })).toEqual(nothing);
      }),
    );
  });
});

describe('two lists', () => {
  const before = [
    { no: 'A', total: '1.00' },
    { no: 'B', total: '2.00', memo: 'x' },
  ];
  const after = [
    { no: 'C', total: '3.00' },
    { no: 'B', total: '2.50', due: '2026-03-31' },
  ];

  test('differ in rows added, removed and changed', async () => {
    expect(await outputOf(node, { what: 'lists', key: 'no', before, after })).toEqual({
      same: false,
      added: [after[0]],
      removed: [before[0]],
      changed: [
        {
          key: 'B',
          before: before[1],
          after: after[1],
          fields: [
            { field: 'due', before: null, after: '2026-03-31' },
            { field: 'memo', before: 'x', after: null },
            { field: 'total', before: '2.00', after: '2.50' },
          ],
        },
      ],
    });
  });

  test('are the same in another order; a list of one may come as its row', async () => {
    expect(await outputOf(node, { what: 'lists', key: 'no', before, after: [...before].reverse() })).toEqual(nothing);
    expect(await outputOf(node, { what: 'lists', key: 'no', before: before[0], after: [before[0]] })).toEqual(nothing);
  });

  test('turned around, swap what was added and what was removed', async () => {
    const list = fc.uniqueArray(fc.record({ no: fc.integer({ min: 0, max: 20 }), v: fc.integer({ min: 0, max: 2 }) }), {
      selector: ({ no }) => no,
    });
    interface Lists {
      added: unknown[];
      removed: unknown[];
      changed: unknown[];
    }
    await fc.assert(
      fc.asyncProperty(list, list, async (a, b) => {
        const there = await outputOf<Lists>(node, { what: 'lists', key: 'no', before: a, after: b });
        const back = await outputOf<Lists>(node, { what: 'lists', key: 'no', before: b, after: a });
        expect(there.added).toEqual(back.removed);
        expect(there.removed).toEqual(back.added);
        expect(there.changed).toHaveLength(back.changed.length);
        expect(a.length - there.removed.length).toBe(b.length - there.added.length);
      }),
    );
  });

  test.each([
    ['no key', { before: [], after: [] }, 'key_missing', /Name the field/],
    [
      'a row without the key',
      { key: 'no', before, after: [{ total: 1 }] },
      'key_missing',
      /^Row 1 of After has no "no"/,
    ],
    [
      'a key twice',
      { key: 'no', before: [before[0], before[0]], after },
      'key_duplicate',
      /^Row 2 of Before has the "no" "A" again/,
    ],
    ['a key that is a list', { key: 'no', before: [{ no: [1] }], after }, 'key_invalid', /^Row 1 of Before/],
    ['an entry that is no record', { key: 'no', before: [1], after }, 'row_invalid', /^Row 1 of Before is 1/],
  ])('are refused with %s', async (_name, input, code, message) => {
    await expect(run(node, { what: 'lists', ...input })).rejects.toMatchObject({
      kind: 'invalid',
      code,
      message: expect.stringMatching(message),
    });
  });

  test('of 100,000 rows are compared within seconds', async () => {
    const rows = manyRows((index) => ({ no: index, total: '1.00' }));
    const input = { what: 'lists', key: 'no', before: rows, after: [...rows].reverse() };
    expect(await timed(() => run(node, input))).toBeLessThan(10_000);
  });
});

test.each([
  ['a list', []],
  ['nothing', null],
  ['text', 'x'],
])('%s is no record to compare', async (_name, after) => {
  await expect(run(node, { before: {}, after })).rejects.toMatchObject({
    code: 'group_invalid',
    message: expect.stringMatching(/^After is/),
  });
});
