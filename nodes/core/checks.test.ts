import { describe, expect, test } from 'vitest';
import { node as lookup } from './lookup.ts';
import { manyRows, run, timed } from './testing.ts';
import { node as validate } from './validate.ts';

describe('a look-up', () => {
  const table = [
    { from: '03-100', to: '5100' },
    { from: 'Lumber', to: 5200 },
  ];

  test.each([
    ['03-100', '5100'],
    [' lumber ', 5200],
  ])('of %j is %j', async (value, to) => {
    expect(await run(lookup, { value, table })).toEqual({ output: { value: to, found: true, from: value } });
  });

  test('that finds nothing gives the default, or leaves by "missing", or stops', async () => {
    const value = '99';
    expect(await run(lookup, { value, table, otherwise: 'default', default: '5999' })).toEqual({
      output: { value: '5999', found: false, from: '99' },
    });
    expect(await run(lookup, { value, table, otherwise: 'port' })).toEqual({
      output: { found: false, from: '99' },
      port: 'missing',
    });
    await expect(run(lookup, { value, table })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'lookup_missing',
      message: expect.stringMatching(/"99".*Add it to the table/),
    });
  });

  test('minds capitals when told to', async () => {
    await expect(run(lookup, { value: 'lumber', table, ignoreCase: false })).rejects.toMatchObject({
      code: 'lookup_missing',
    });
  });

  test.each([
    ['a name that every object has', { value: 'constructor', table }, 'lookup_missing'],
    ['nothing', { value: null, table }, 'lookup_missing'],
    ['a list', { value: ['a'], table }, 'value_invalid'],
    [
      'a value that is in the table twice',
      { value: 'x', table: [...table, { from: 'LUMBER', to: '1' }] },
      'row_duplicate',
    ],
    ['a default that is not there', { value: 'x', table, otherwise: 'default' }, 'default_missing'],
  ])('refuses %s', async (_name, input, code) => {
    await expect(run(lookup, input)).rejects.toMatchObject({ kind: 'invalid', code });
  });
});

describe('a check', () => {
  const bill = {
    number: 'INV-7',
    total: '1250.00',
    due: '2026-03-31',
    vendor: { email: 'a@example.com' },
    zip: '80202',
    status: 'open',
    memo: ' ',
  };

  test.each([
    ['required', 'number', '', true],
    ['required', 'memo', '', false],
    ['required', 'nothing', '', false],
    ['amount', 'total', '', true],
    ['amount', 'number', '', false],
    ['date', 'due', '', true],
    ['date', 'total', '', false],
    ['email', 'vendor.email', '', true],
    ['email', 'number', '', false],
    ['matches', 'number', '^INV-\\d+$', true],
    ['matches', 'zip', '^\\d{4}$', false],
    ['at-least', 'total', '1250', true],
    ['at-least', 'total', '1250.01', false],
    ['at-most', 'due', '2026-03-31', true],
    ['at-most', 'due', '2026-03-30', false],
    ['at-most', 'number', '10', false],
    ['at-least', 'number', '10', false],
    ['longest', 'zip', '5', true],
    ['longest', 'zip', '4', false],
    ['one-of', 'status', 'open, paid', true],
    ['one-of', 'status', 'paid', false],
    ['amount', 'memo', '', true],
  ])('"%s" of "%s" by "%s" holds: %s', async (rule, field, value, holds) => {
    const { port, output } = await run(validate, { data: bill, rules: [{ field, rule, value }] });
    expect(port).toBe(holds ? 'valid' : 'invalid');
    expect(output).toMatchObject({
      data: bill,
      count: holds ? 0 : 1,
      problems: holds ? [] : [{ field, rule, message: expect.stringMatching(/^".*\.?$/) }],
    });
  });

  test('lists every problem of every row, in our words or in those given', async () => {
    const rules = [
      { field: 'number' },
      { field: 'total', rule: 'at-least', value: 0, message: 'A bill is not negative.' },
    ];
    const { output, port } = await run(validate, { data: [{ number: 'A', total: '1' }, { total: '-1' }], rules });
    expect(port).toBe('invalid');
    expect(output).toMatchObject({
      count: 2,
      problems: [
        { row: 2, field: 'number', rule: 'required', message: '"number" is empty; it needs a value.' },
        { row: 2, field: 'total', rule: 'at-least', message: 'A bill is not negative.' },
      ],
    });
  });

  test.each([
    ['a pattern that needs a backtracking engine', { rule: 'matches', value: '(a)\\1' }, 'rule_invalid'],
    ['a pattern that is broken', { rule: 'matches', value: '(' }, 'rule_invalid'],
    ['no pattern', { rule: 'matches' }, 'rule_invalid'],
    ['no limit', { rule: 'at-least' }, 'rule_invalid'],
    ['a length that is no number', { rule: 'longest', value: 'x' }, 'rule_invalid'],
  ])('with %s is refused', async (_name, rule, code) => {
    await expect(run(validate, { data: {}, rules: [{ field: 'number', ...rule }] })).rejects.toMatchObject({
      kind: 'invalid',
      code,
      message: expect.stringMatching(/^Rule 1 on "number"/),
    });
  });

  test.each([
    ['text', 'x'],
    ['a list of text', [{}, 'x']],
  ])('of %s is refused', async (_name, data) => {
    await expect(run(validate, { data, rules: [{ field: 'a' }] })).rejects.toMatchObject({ code: 'data_invalid' });
  });

  test('takes no longer for a pattern that is made to', async () => {
    const data = manyRows(() => ({ a: `${'a'.repeat(40)}!` }), 1_000);
    expect(
      await timed(() => run(validate, { data, rules: [{ field: 'a', rule: 'matches', value: '^(a+)+$' }] })),
    ).toBeLessThan(5_000);
  });

  test('of 100,000 rows is done within seconds, and lists the first thousand problems', async () => {
    const data = manyRows((index) => ({ total: String(-index) }));
    const rules = [{ field: 'total', rule: 'at-least', value: '0' }, { field: 'number' }];
    let result: unknown;
    expect(await timed(async () => (result = (await run(validate, { data, rules })).output))).toBeLessThan(10_000);
    expect(result).toMatchObject({ count: 199_999 });
    expect((result as { problems: unknown[] }).problems).toHaveLength(1_000);
  });
});
