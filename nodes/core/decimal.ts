/** A decimal number, digit for digit: `digits / 10^scale`. Amounts are computed with these, never with floats. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** No places and nothing in it. */
export const zero: Decimal = { digits: 0n, scale: 0 };

/**
 * The decimal that a value is written as; undefined when it is none.
 * Text with a leading zero (`"0012"`) is a number on paper, not an amount, and is left alone, as are `"1,234.50"` and `"+5"`.
 */
export function readDecimal(value: unknown): Decimal | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const match = /^(-?)(0|[1-9]\d{0,29})(?:\.(\d{1,20}))?$/.exec(String(value));
  if (!match) return typeof value === 'number' ? readExponent(String(value)) : undefined;
  const [, sign = '', whole = '', fraction = ''] = match;
  return { digits: BigInt(sign + whole + fraction), scale: fraction.length };
}

/** `"1.5e-7"`, as JavaScript writes very large and very small numbers. */
function readExponent(text: string): Decimal | undefined {
  const match = /^(-?\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(text);
  if (!match) return undefined;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

/** −1, 0 or 1, like a sort. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  const scale = Math.max(left.scale, right.scale);
  const a = atScale(left, scale);
  const b = atScale(right, scale);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Exact sum, with as many places as the more precise of the two. */
export function addDecimals(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale);
  return { digits: atScale(left, scale) + atScale(right, scale), scale };
}

/** `value / count`, half rounded away from zero, with two places or as many as the value has. */
export function divideDecimal(value: Decimal, count: number): Decimal {
  const scale = Math.max(2, value.scale);
  const digits = atScale(value, scale);
  const divisor = BigInt(count);
  const doubled = (digits < 0n ? -digits : digits) * 2n + divisor;
  const rounded = doubled / (divisor * 2n);
  return { digits: digits < 0n ? -rounded : rounded, scale };
}

/** `{ digits: -1250n, scale: 2 }` → `"-12.50"`. */
export function decimalText({ digits, scale }: Decimal): string {
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  const whole = text.slice(0, text.length - scale);
  return `${digits < 0n ? '-' : ''}${whole}${scale > 0 ? `.${text.slice(text.length - scale)}` : ''}`;
}

function atScale({ digits, scale }: Decimal, wanted: number): bigint {
  return scale === wanted ? digits : digits * 10n ** BigInt(wanted - scale);
}
