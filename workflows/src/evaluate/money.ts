/** Exact decimal arithmetic for expressions: amounts are decimal strings, floats never touch them. */

interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

function parse(value: unknown): Decimal {
  const text = typeof value === 'number' ? numberText(value) : typeof value === 'string' ? value.trim() : '';
  const match = /^([+-]?)(\d{1,18})(?:\.(\d{1,12}))?$/.exec(text);
  if (!match) throw new MoneyError(value);
  const fraction = match[3] ?? '';
  const digits = BigInt(`${match[1] === '-' ? '-' : ''}${match[2]}${fraction}`);
  return { digits, scale: fraction.length };
}

/** The shortest text of the number, which is what a person typed; `1e21` and `NaN` are refused by `parse`. */
function numberText(value: number): string {
  return String(value);
}

/** An amount that is no decimal number. */
export class MoneyError extends Error {
  readonly code = 'MONEY';
  constructor(value: unknown) {
    super(`${shown(value)} is not an amount; use a number or text such as "1234.50"`);
  }
}

/** A value as it stands in a message: the start of it, and never a record. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (value === undefined) return 'nothing';
  return value === null || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : Array.isArray(value)
      ? 'a list'
      : 'a group of fields';
}

function align(values: readonly Decimal[]): { digits: bigint[]; scale: number } {
  const scale = Math.max(0, ...values.map((value) => value.scale));
  return { digits: values.map((value) => value.digits * 10n ** BigInt(scale - value.scale)), scale };
}

/** Rounds half away from zero, as invoices do. */
function toText({ digits, scale }: Decimal, places: number): string {
  let scaled = digits;
  if (scale > places) {
    const divisor = 10n ** BigInt(scale - places);
    const half = divisor / 2n;
    scaled = digits < 0n ? (digits - half) / divisor : (digits + half) / divisor;
  } else {
    scaled = digits * 10n ** BigInt(places - scale);
  }
  const negative = scaled < 0n;
  const text = (negative ? -scaled : scaled).toString().padStart(places + 1, '0');
  const whole = text.slice(0, text.length - places);
  return `${negative ? '-' : ''}${whole}${places > 0 ? `.${text.slice(text.length - places)}` : ''}`;
}

/** `"1234.5"` → `"1234.50"`. */
export function money(value: unknown): string {
  return toText(parse(value), 2);
}

/** Sum of amounts, exact: `moneySum([0.1, 0.2])` is `"0.30"`. */
export function moneySum(values: unknown): string {
  const list = values === undefined ? [] : Array.isArray(values) ? values : [values];
  const { digits, scale } = align(list.map(parse));
  return toText({ digits: digits.reduce((sum, value) => sum + value, 0n), scale }, 2);
}

/** `amount × factor`, rounded to cents; the factor may have up to 12 decimals. */
export function moneyMultiply(amount: unknown, factor: unknown): string {
  const a = parse(amount);
  const b = parse(factor);
  return toText({ digits: a.digits * b.digits, scale: a.scale + b.scale }, 2);
}

/** −1, 0 or 1, like a sort. */
export function moneyCompare(left: unknown, right: unknown): number {
  const { digits } = align([parse(left), parse(right)]);
  const [a = 0n, b = 0n] = digits;
  return a < b ? -1 : a > b ? 1 : 0;
}
