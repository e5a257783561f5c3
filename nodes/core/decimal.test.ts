import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareSortable, keyText, sameValue, sortable } from './comparing.ts';
import { addDecimals, compareDecimals, decimalText, divideDecimal, readDecimal, zero } from './decimal.ts';

const cents = fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n });
const textOf = (digits: bigint) => decimalText({ digits, scale: 2 });

describe('a decimal', () => {
  test.each([
    ['12.50', '12.50'],
    ['-0.05', '-0.05'],
    ['0', '0'],
    [0.1, '0.1'],
    [1e21, '1000000000000000000000'],
    [1.5e-7, '0.00000015'],
    [-2.5, '-2.5'],
    ['123456789012345678901234567890.12', '123456789012345678901234567890.12'],
  ])('is read from %j digit for digit', (value, text) => {
    expect(decimalText(readDecimal(value) ?? zero)).toBe(text);
  });

  test.each([
    '',
    ' ',
    '0012',
    '+5',
    '1,234.50',
    '1e3',
    '.5',
    '5.',
    '12.50 ',
    'NaN',
    '$5',
    true,
    null,
    undefined,
    [],
    {},
    Number.NaN,
    Infinity,
  ])('is not read from %j', (value) => {
    expect(readDecimal(value)).toBeUndefined();
  });

  test('adds and compares as whole cents do', () => {
    fc.assert(
      fc.property(cents, cents, (a, b) => {
        const [left, right] = [readDecimal(textOf(a)) ?? zero, readDecimal(textOf(b)) ?? zero];
        expect(decimalText(addDecimals(left, right))).toBe(textOf(a + b));
        expect(compareDecimals(left, right)).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  test.each([
    ['10.00', 3, '3.33'],
    ['20.00', 3, '6.67'],
    ['-20.00', 3, '-6.67'],
    ['0.01', 2, '0.01'],
    ['-0.01', 2, '-0.01'],
    ['1', 8, '0.13'],
    ['0.0001', 2, '0.0001'],
  ])('%s divided by %i is %s, half rounded away from zero', (value, count, text) => {
    expect(decimalText(divideDecimal(readDecimal(value) ?? zero, count))).toBe(text);
  });
});

describe('two values', () => {
  test.each([
    ['100', '100.00', true],
    [100, '100.00', true],
    ['0012', '12', false],
    [{ a: ['1.0'] }, { a: [1] }, true],
    [{ a: 1 }, { a: 1, b: undefined }, false],
    [[1, 2], [2, 1], false],
    [null, '', false],
    [{ toString: 'x' }, {}, false],
  ])('%j and %j: the same is %s', (left, right, same) => {
    expect(sameValue(left, right)).toBe(same);
    expect(sameValue(right, left)).toBe(same);
  });

  test.each([
    ['9.99', '10'],
    ['Lot 2', 'Lot 10'],
    ['2026-03-02T10:00:00+02:00', '2026-03-02T09:00:00Z'],
    ['2026-03-02', '2026-03-10'],
    [false, true],
    ['10', 'ten'],
    ['-5', '3'],
  ])('%j comes before %j', (left, right) => {
    const [a, b] = [sortable(left), sortable(right)];
    if (!a || !b || a === 'empty' || b === 'empty') throw new Error('both have an order');
    expect(compareSortable(a, b)).toBe(-1);
    expect(compareSortable(b, a)).toBe(1);
  });

  test('12 and "12" are one key, "0012" is another, and nothing is none', () => {
    expect(keyText(12)).toBe(keyText('12'));
    expect(keyText('0012')).not.toBe(keyText('12'));
    expect([keyText(null), keyText(''), keyText(undefined)]).toEqual([null, null, null]);
    expect(keyText({ a: 1 })).toBeUndefined();
  });
});
