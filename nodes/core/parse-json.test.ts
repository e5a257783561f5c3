import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { node } from './parse-json.ts';
import { outputOf, run, timed } from './testing.ts';

describe('JSON text', () => {
  test.each([
    ['{"a": [1, "x", null, true]}', { a: [1, 'x', null, true] }],
    ['"text"', 'text'],
    ['\uFEFF[1]', [1]],
    ['12.50', 12.5],
    ['{"toString": 1}', { toString: 1 }],
    ['9007199254740991', 9_007_199_254_740_991],
    ['[0.1, -0, 1e3, 1.5E-3]', [0.1, 0, 1000, 0.0015]],
  ])('%s is read', async (text, value) => {
    expect(await outputOf(node, { text })).toEqual({ value });
  });

  test('has its numbers as text, digit for digit, when asked', async () => {
    const text = '{"id": 9007199254740993, "total": 12.50, "rate": 1e-3, "name": "7"}';
    expect(await outputOf(node, { text, numbers: 'text' })).toEqual({
      value: { id: '9007199254740993', total: '12.50', rate: '1e-3', name: '7' },
    });
  });

  test('is read as it was written, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const text = JSON.stringify(value);
        fc.pre(!/__proto__|\\u0000|constructor|prototype|\\ud[89a-f]/i.test(text));
        expect(await outputOf(node, { text })).toEqual({ value: JSON.parse(text) as unknown });
      }),
    );
  });

  test.each([
    ['nothing', ' ', 'json_invalid', /empty/],
    ['text', 'hello', 'json_invalid', /not JSON/],
    ['a comma too many', '{"a":1,}', 'json_invalid', /not JSON: .*position 7/],
    ['an end too early', '{"a":1', 'json_invalid', /line 1 column 7/],
    ['a reserved key', '{"a":{"__proto__":{"b":1}}}', 'reserved_key', /^A field of JSON \(a\) is called "__proto__"/],
    ['another, deep in a list', '[[{"constructor":1}]]', 'reserved_key', /row 1, row 1/],
    ['an id that would be rounded', '{"id": 9007199254740993}', 'number_inexact', /"id" is 9007199254740993.*as text/],
    ['a number beyond all numbers', '[1e400]', 'number_not_finite', /row 1/],
    ['an amount with too many digits', '{"a": 123456789012345.678901}', 'number_inexact', /"a"/],
    ['a NUL', '{"a": "x\\u0000"}', 'unsupported_character', /\(a\)/],
    ['half a character', '["\\ud800"]', 'unsupported_character', /row 1/],
    ['10,000 lists in lists', '['.repeat(10_000) + ']'.repeat(10_000), 'too_deep', /64 levels/],
  ])('with %s is refused', async (_name, text, code, message) => {
    await expect(run(node, { text })).rejects.toMatchObject({
      kind: 'invalid',
      code,
      message: expect.stringMatching(message),
    });
    expect(({} as Record<string, unknown>)['b']).toBeUndefined();
  });

  test('of a few megabytes is read within seconds', async () => {
    const text = JSON.stringify(Array.from({ length: 100_000 }, (_, id) => ({ id, total: 12.5, name: 'Acme' })));
    expect(await timed(() => run(node, { text }))).toBeLessThan(10_000);
    expect(node.input.safeParse({ text: 'x'.repeat(5_000_001) }).success).toBe(false);
  });
});
