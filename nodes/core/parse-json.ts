import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput } from './bad-input.ts';
import { compareDecimals, readDecimal } from './decimal.ts';
import { checkData, refuseReserved } from './rows.ts';

const TEXT_MAX = 5_000_000;

/**
 * Reads JSON text. Numbers that would lose digits (a long id, say) are refused rather than rounded; read all numbers as text to keep them.
 *
 * Errors: `json_invalid` says where; `number_inexact`, `reserved_key`, `too_deep`, `unsupported_character`.
 */
export const node = defineAction({
  id: 'core.parse-json',
  title: 'Read JSON',
  description: 'Turns JSON text into fields and lists.',
  category: 'Data',
  icon: 'file-braces',
  effect: 'none',
  source: 'https://www.rfc-editor.org/rfc/rfc8259',
  input: z.object({
    text: z.string().max(TEXT_MAX).meta({ title: 'Text', multiline: true }),
    numbers: z
      .enum(['numbers', 'text'])
      .default('numbers')
      .meta({ title: 'Numbers', labels: { numbers: 'As numbers', text: 'As text, digit for digit' }, advanced: true }),
  }),
  output: z.object({ value: z.unknown() }),
  example: { text: '{"total": 12.5}' },
  run({ input: { text, numbers } }) {
    const json = text.replace(/^\uFEFF/, '');
    if (json.trim() === '') throw badInput('json_invalid', 'The text is empty; there is no JSON in it.');
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch (cause) {
      throw badInput('json_invalid', `The text is not JSON: ${reason(cause)}. Correct it where it comes from.`, cause);
    }
    // Looked at before numbers are read again: the second reading goes as deep as the data, and must not run out of stack.
    checkData(value, 'JSON');
    value = JSON.parse(json, (key, part: unknown, context?: { readonly source?: string }) => {
      refuseReserved(key, 'A field of JSON');
      if (typeof part !== 'number' || context?.source === undefined) return part;
      if (numbers === 'text') return context.source;
      if (!isExact(part, context.source))
        throw badInput(
          'number_inexact',
          `${key === '' ? 'The number' : `"${key}"`} is ${context.source.slice(0, 60)}, which would lose digits as a number. Read numbers as text.`,
        );
      return part;
    });
    return Promise.resolve({ output: { value } });
  },
});

/** V8 says what it met and where, or what stands around it; the rest of the text stays out of it. */
function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message.replace(/ is not valid JSON$/, '').slice(0, 200) : 'it cannot be read';
}

/** Whether a number read from this text is the number that was written. */
function isExact(value: number, source: string): boolean {
  const written = readDecimal(source);
  const read = readDecimal(value);
  // Text with an exponent, or with more digits than an amount has, is compared as what it is: a rough number.
  if (!written || !read) return /e/i.test(source) || !/^-?\d+$/.test(source);
  return compareDecimals(written, read) === 0;
}
