import { isSecretName, namesSecretItself } from '@plumbline/workflows/flow';

/** What stands in place of a secret. */
const MASK = '••••••••';

/** Card numbers as their networks give them out: 13 to 19 digits, with or without gaps; and not the beginning of a UUID. */
const cardLike =
  /(?<![\w.])(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|3[47]\d{2}|3[068]\d{2}|6011|65\d{2})(?:[ -]?\d){9,15}(?![\w.]|-[\da-f]{4}-[\da-f]{12})/gi;

/**
 * A copy without what a person who looks at a run need not see: the texts of fields that are named like secrets, and card numbers wherever they stand, of
 * which the last four digits stay. Numbers and yes/no under such names stay: they are limits and switches.
 */
export function mask<T>(value: T, name = ''): T {
  return hide(value, isSecretName(name)) as T;
}

function hide(value: unknown, secret: boolean): unknown {
  if (typeof value === 'string') return secret ? (value === '' ? '' : MASK) : maskCards(value);
  if (Array.isArray(value)) return value.map((item) => hide(item, secret));
  if (typeof value !== 'object' || value === null) return value;
  // A list of `{ name, value }`, as headers come.
  const named = namesSecretItself(value as Record<string, unknown>);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      hide(item, secret || isSecretName(key) || (named && /^value$/i.test(key))),
    ]),
  );
}

function maskCards(text: string): string {
  return text.replace(cardLike, (found) => {
    const digits = found.replace(/\D/g, '');
    return passesLuhn(digits) ? `•••• ${digits.slice(-4)}` : found;
  });
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    sum += index % 2 === 0 ? digit : digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}

/**
 * What somebody made of a masked value, with what they left masked as it was: so that a secret can be sent on without having been shown.
 */
export function unmask(given: unknown, original: unknown): unknown {
  return restore(given, original, mask(original));
}

function restore(given: unknown, original: unknown, masked: unknown): unknown {
  if (typeof given === 'string') return given === masked ? original : given;
  if (typeof given !== 'object' || given === null || typeof original !== 'object' || original === null) return given;
  const [from, seen] = [original, masked] as Readonly<Record<string, unknown>>[];
  if (Array.isArray(given)) return given.map((item, index) => restore(item, from?.[index], seen?.[index]));
  return Object.fromEntries(
    Object.entries(given).map(([key, item]) =>
      from && Object.hasOwn(from, key) ? [key, restore(item, from[key], seen?.[key])] : [key, item],
    ),
  );
}
