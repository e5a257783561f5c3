import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { node } from './merge-lists.ts';
import { manyRows, outputOf, run, timed } from './testing.ts';

interface Joined {
  readonly rows: readonly Record<string, unknown>[];
  readonly count: number;
  readonly onlyLeft: number;
  readonly onlyRight: number;
}
const left = [{ code: '03', amount: '10.00' }, { code: '06', amount: '5.00' }, { amount: '1.00' }];
const right = [
  { code: '03', account: '5100', amount: 'x' },
  { code: '09', account: '5900' },
];
const on = [{ left: 'code' }];

describe('joined lists', () => {
  test.each([
    ['left', [{ code: '03', account: '5100', amount: '10.00' }, left[1], left[2]]],
    ['inner', [{ code: '03', account: '5100', amount: '10.00' }]],
    ['outer', [{ code: '03', account: '5100', amount: '10.00' }, left[1], left[2], right[1]]],
  ])('keep rows as "%s" says, and count those that stand alone', async (kind, rows) => {
    expect(await outputOf(node, { left, right, on, kind })).toEqual({
      rows,
      count: rows.length,
      onlyLeft: 2,
      onlyRight: 1,
    });
  });

  test('take the second’s field where both have one, when told', async () => {
    const { rows } = await outputOf<Joined>(node, { left, right, on, clash: 'right' });
    expect(rows[0]).toEqual({ code: '03', account: '5100', amount: 'x' });
  });

  test('go by fields of other names, by several, and by numbers as text', async () => {
    const given = {
      left: [
        { job: 7, code: 'a' },
        { job: 7, code: 'b' },
      ],
      right: [{ project: { id: '7' }, code: 'b', budget: '1' }],
      on: [{ left: 'job', right: 'project.id' }, { left: 'code' }],
      kind: 'inner',
    };
    expect((await outputOf<Joined>(node, given)).rows).toEqual([
      { job: 7, code: 'b', project: { id: '7' }, budget: '1' },
    ]);
  });

  test('do not take rows that both lack the key for a match', async () => {
    const lists = { left: [{ a: 1 }], right: [{ b: 2 }], on, kind: 'outer' };
    expect(await outputOf(node, lists)).toEqual({ rows: [{ a: 1 }, { b: 2 }], count: 2, onlyLeft: 1, onlyRight: 1 });
  });

  test('have one row for each match', async () => {
    const both = [
      { code: '1', a: 1 },
      { code: '1', a: 2 },
    ];
    expect((await outputOf<Joined>(node, { left: [{ code: '1' }], right: both, on })).rows.map(({ a }) => a)).toEqual([
      1, 2,
    ]);
  });

  test('keep every row of the first list when its keys are found once', async () => {
    const codes = fc.uniqueArray(fc.integer({ min: 0, max: 30 }));
    await fc.assert(
      fc.asyncProperty(codes, codes, async (first, second) => {
        const output = await outputOf<Joined>(node, {
          left: first.map((code) => ({ code, l: true })),
          right: second.map((code) => ({ code, r: true })),
          on,
          kind: 'outer',
        });
        const shared = first.filter((code) => second.includes(code)).length;
        expect(output.count).toBe(new Set([...first, ...second]).size);
        expect(output).toMatchObject({ onlyLeft: first.length - shared, onlyRight: second.length - shared });
      }),
    );
  });

  test.each([
    [
      'a key that is a group',
      { left: [{ code: { a: 1 } }], right: [] },
      'key_invalid',
      /^Row 1 of the first list: "code"/,
    ],
    [
      'one in the second list',
      { left: [], right: [{ code: '1' }, { code: [1] }] },
      'key_invalid',
      /^Row 2 of the second list/,
    ],
    ['an entry that is no record', { left: ['x'], right: [] }, 'row_invalid', /^Row 1 of First list is "x"/],
    [
      'matches without end',
      { left: manyRows(() => ({ code: '1' }), 1_000), right: manyRows(() => ({ code: '1' }), 1_000) },
      'result_too_large',
      /100000 rows/,
    ],
  ])('refuse %s', async (_name, lists, code, message) => {
    await expect(run(node, { ...lists, on })).rejects.toMatchObject({
      kind: 'invalid',
      code,
      message: expect.stringMatching(message),
    });
  });

  test('of 100,000 rows each are made within seconds', async () => {
    const rows = manyRows((index) => ({ code: `c${index}`, amount: '1.00' }));
    expect(await timed(() => run(node, { left: rows, right: [...rows].reverse(), on, kind: 'outer' }))).toBeLessThan(
      10_000,
    );
  });
});
