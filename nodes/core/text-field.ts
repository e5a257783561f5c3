import { z } from 'zod';
import { decimalText, readDecimal } from './decimal.ts';

/** What stands for text in JSON: ids and amounts are often numbers there. */
export type Plain = string | number | boolean;

/** The types of a field that takes `Plain`. With them the studio draws one field of text. */
const types = ['string', 'number', 'boolean'] as const;

/** A value as text, a number with all of its digits: never with an exponent. */
export function plainText(value: Plain): string {
  if (typeof value !== 'number') return String(value);
  const decimal = readDecimal(value);
  return decimal ? decimalText(decimal) : String(value);
}

/** An input of text that takes numbers, and yes or no, as well. At least one character; nothing at all is refused. */
export function textField({
  max,
  ...meta
}: {
  readonly max: number;
  readonly title: string;
  readonly description?: string;
  readonly advanced?: boolean;
}) {
  return plain(max).meta({ ...meta, type: [...types] });
}

/** The same, where it may be left empty. Mapped to what is empty it is refused: that is not the same as left empty. */
export function optionalTextField({ max, ...meta }: Parameters<typeof textField>[0]) {
  return plain(max)
    .optional()
    .meta({ ...meta, type: [...types], nothingIsNull: true });
}

function plain(max: number) {
  return z
    .union([z.string().min(1, nothing).max(max), z.number(), z.boolean()], {
      error: ({ input }) => (input === null ? nothing : 'it must be text or a number'),
    })
    .transform(plainText);
}

const nothing = 'what it is mapped to has no value';
