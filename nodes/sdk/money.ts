import { z } from 'zod';

declare global {
  interface JSON {
    /** Text that `JSON.stringify` writes as it is. In V8 since Node 21, not yet in TypeScript's library. */
    rawJSON(text: string): object;
  }
}

/** An amount as decimal text with at most two places, e.g. `"1234.50"`. */
export const amount = z.string().regex(/^-?\d{1,12}(\.\d{1,2})?$/, 'must be an amount like 1234.50');

/**
 * A decimal that stands as a JSON number on the wire, digit for digit: `new ExactNumber('1234.10')` is sent as `1234.10`.
 * @throws TypeError when the text is no JSON number in plain notation
 */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    if (!/^-?(0|[1-9]\d*)(\.\d+)?$/.test(text)) throw new TypeError(`"${text}" is not a decimal number`);
    this.text = text;
  }

  toJSON(): object {
    return JSON.rawJSON(this.text);
  }
}

/** `amount` text as it stands on a wire that wants numbers; leading zeros, which JSON refuses, are dropped. */
export function exactAmount(text: string): ExactNumber {
  return new ExactNumber(text.replace(/^(-?)0+(?=\d)/, '$1'));
}

/**
 * Hundredths of an amount. Half a hundredth rounds away from zero.
 * @throws TypeError when the text is no decimal number
 */
export function toCents(text: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match) throw new TypeError(`"${text}" is not an amount`);
  const [, sign, whole = '', fraction = ''] = match;
  const thousandths = BigInt(whole + fraction.padEnd(3, '0').slice(0, 3));
  const cents = (thousandths + 5n) / 10n;
  return sign ? -cents : cents;
}

/** `12345n` → `"123.45"`. */
export function fromCents(cents: bigint): string {
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/**
 * The text of a number that came over the wire, with two places: `80.5` → `"80.50"`.
 * Exact for every amount of up to 15 digits: a JSON number of that length survives being a double.
 */
export function amountText(value: number | string): string {
  return fromCents(toCents(String(value)));
}
