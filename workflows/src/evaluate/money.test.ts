import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { money, moneyCompare, MoneyError, moneyMultiply, moneySum } from './money.ts';

/** An amount of cents and how it is written. */
const cents = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });
function write(amount: bigint): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(3, '0');
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

describe('money', () => {
  test.each([
    ['1234.5', '1234.50'],
    [1234.5, '1234.50'],
    [0.1, '0.10'],
    ['-0.004', '0.00'],
    ['1.005', '1.01'],
    ['-1.005', '-1.01'],
    ['+7', '7.00'],
    [' 12 ', '12.00'],
    ['007.10', '7.10'],
    ['999999999999999999.999', '1000000000000000000.00'],
  ])('%j is %s', (given, expected) => {
    expect(money(given)).toBe(expected);
  });

  test.each([
    ['1e5'],
    [1e21],
    [1e-7],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    ['1,234.50'],
    ['$5'],
    [''],
    ['.5'],
    ['5.'],
    [null],
    [undefined],
    [true],
    [{}],
    [[]],
    ['1234567890123456789'],
    ['0.1234567890123'],
  ])('%j is no amount', (given) => {
    expect(() => money(given)).toThrow(MoneyError);
  });

  test('a sum is exact, in whatever order it is made', () => {
    expect(moneySum([0.1, 0.2])).toBe('0.30');
    expect(moneySum('5')).toBe('5.00');
    expect(moneySum(undefined)).toBe('0.00');
    fc.assert(
      fc.property(fc.array(cents, { maxLength: 50 }), (list) => {
        const total = write(list.reduce((sum, amount) => sum + amount, 0n));
        expect(moneySum(list.map(write))).toBe(total);
        expect(moneySum(list.map(write).reverse())).toBe(total);
      }),
    );
  });

  test('a product is rounded once, half away from zero', () => {
    expect(moneyMultiply('0.05', '0.1')).toBe('0.01');
    expect(moneyMultiply('-0.05', '0.1')).toBe('-0.01');
    expect(moneyMultiply('100', '0.333333333333')).toBe('33.33');
    fc.assert(
      fc.property(cents, (amount) => {
        expect(moneyMultiply(write(amount), 1)).toBe(write(amount));
      }),
    );
  });

  test('a comparison is that of the amounts, not of their text', () => {
    expect(moneyCompare('1.10', '1.1')).toBe(0);
    expect(moneyCompare('9', '10')).toBe(-1);
    fc.assert(
      fc.property(cents, cents, (left, right) => {
        expect(moneyCompare(write(left), write(right))).toBe(left < right ? -1 : left > right ? 1 : 0);
      }),
    );
  });
});
