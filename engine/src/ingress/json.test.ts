import { describe, expect, test } from 'vitest';
import { parseJson } from './json.ts';

const parse = (text: string) => parseJson(new TextEncoder().encode(text));

describe('a whole number from outside', () => {
  test.each([
    ['9007199254740993', '9007199254740993'],
    ['-9007199254740993', '-9007199254740993'],
    ['10000000000000000', '10000000000000000'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['9007199254740993.0', '9007199254740993.0'],
    ['12345678901234567891e3', '12345678901234567891e3'],
  ])('that would lose a digit is the text it was written as: %s', (text, kept) => {
    expect(parse(`{"id":${text},"in":[${text}]}`)).toEqual({ id: kept, in: [kept] });
    expect(parse(text)).toBe(kept);
  });

  test.each([
    ['9007199254740991', 9007199254740991],
    ['-9007199254740991', -9007199254740991],
    ['1764268800000', 1764268800000],
    ['1e20', 1e20],
    ['12345678901234567e3', 12345678901234567e3],
    ['1.5E+3', 1500],
    ['-0', -0],
  ])('that is held as it is written stays a number: %s', (text, value) => {
    expect(parse(`[${text}]`)).toEqual([value]);
  });
});

test('fractions stay numbers, as precise as numbers are', () => {
  expect(parse('[1.10,0.10000000000000001,3.14159265358979323846,1e-400]')).toEqual([1.1, 0.1, Math.PI, 0]);
});

test.each(['1e400', '-1E400', `1${'0'.repeat(400)}`])('a number beyond all numbers is refused: %s', (text) => {
  expect(() => parse(`{"amount":${text}}`)).toThrow(
    expect.objectContaining({ code: 'number_not_finite', path: 'amount' }),
  );
});

test('digits and exponents in texts are nobody’s numbers', () => {
  const value = { a: '9007199254740993', b: '1e400', '1e400': 'b01881d1-0c4c-4e83-8316-687490267f8c', c: true };
  expect(parse(JSON.stringify(value))).toEqual(value);
});

test.each(['{"__proto__":1}', '{"a":[{"\\u005f_proto__":{}}]}', '{"__pr\\u006Fto__":1}'])(
  'a key that could reach a prototype is refused, however it is spelt: %s',
  (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'json_invalid' }));
  },
);

test('what is nested too deep or holds too many values is refused before it is parsed', () => {
  expect(() => parse('['.repeat(65) + ']'.repeat(65))).toThrow(expect.objectContaining({ code: 'json_too_deep' }));
  expect(() => parse(`[${'1,'.repeat(200_000)}1]`)).toThrow(expect.objectContaining({ code: 'json_too_large' }));
});
