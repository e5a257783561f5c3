import { describe, expect, test } from 'vitest';
import { amount, amountText, exactAmount, ExactNumber, fromCents, toCents } from './money.ts';

describe('amounts go out digit for digit', () => {
  test.each(['1234.10', '0.10', '0.00', '-0.05', '999999999999.99', '100', '1.005'])('%s', (text) => {
    expect(JSON.stringify({ Amount: exactAmount(text) })).toBe(`{"Amount":${text}}`);
  });

  test('leading zeros, which JSON does not know, are dropped', () => {
    expect(JSON.stringify([exactAmount('007.50'), exactAmount('-00.50'), exactAmount('0')])).toBe('[7.50,-0.50,0]');
  });

  test.each(['', '1e3', '1,5', 'NaN', '0x10', '.5', '5.', '--1', '1}', '1 '])('%j is no number to send', (text) => {
    expect(() => new ExactNumber(text)).toThrow(TypeError);
  });

  test('text that looks like one stays text', () => {
    expect(JSON.stringify({ Description: '\u0001exact:5', Amount: exactAmount('5.00') })).toBe(
      '{"Description":"\\u0001exact:5","Amount":5.00}',
    );
  });
});

test.each([
  [80.5, '80.50'],
  [1234.1, '1234.10'],
  [0.1 + 0.2, '0.30'],
  [-0.05, '-0.05'],
  [0, '0.00'],
  [-0.004, '0.00'],
  [1.005, '1.01'],
  ['1.005', '1.01'],
  [-1.005, '-1.01'],
  [999_999_999_999.99, '999999999999.99'],
  [100, '100.00'],
])('%s on the wire is %s', (value, text) => expect(amountText(value)).toBe(text));

test.each([1e21, 1e-7, Number.NaN, Number.POSITIVE_INFINITY, '', 'abc', '1.2.3'])('%s is no amount', (value) => {
  expect(() => amountText(value)).toThrow(TypeError);
});

test('cents add up where doubles do not', () => {
  expect(fromCents(['0.10', '0.20', '1234.10'].reduce((sum, text) => sum + toCents(text), 0n))).toBe('1234.40');
});

test('the field takes at most two places and twelve digits', () => {
  for (const good of ['0', '-1.5', '123456789012.99']) expect(amount.safeParse(good).success).toBe(true);
  for (const bad of ['1.234', '1234567890123', '1,5', '$5', '', ' 1', '1\n', '+1'])
    expect(amount.safeParse(bad).success).toBe(false);
});
