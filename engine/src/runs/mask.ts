import { canonicalJson, isSecretName, namesSecretItself } from '@plumbline/workflows/flow';
import { ApiError } from '../problem.ts';

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

/** What a text holds that was shown masked. */
const maskIn = /•{8}|•••• \d{4}/;

/** What stood at a place, and what was shown of it. */
interface Place {
  readonly original: unknown;
  readonly shown: unknown;
}

/**
 * What somebody made of a masked value, with what they left masked as it was: so that a secret can be sent on without having been shown. Fields are known by
 * their names, items of a list by what was shown of them, wherever they stand now. A mask is never sent on as a value, and nothing gets the secret of another.
 * @throws ApiError `invalid_input`, naming the field, where a mask is left and it is not certain what it stands for.
 */
export function unmask<T>(given: T, original: unknown): T {
  return restore(given, { original, shown: mask(original) }, 'input') as T;
}

function restore(given: unknown, place: Place, path: string): unknown {
  if (typeof given === 'string') {
    if (given === place.shown) return place.original;
    if (given !== place.original && maskIn.test(given)) throw stillMasked(path);
    return given;
  }
  if (typeof given !== 'object' || given === null) return given;
  if (Array.isArray(given)) return restoreItems(given, place, path);
  return Object.fromEntries(
    Object.entries(given).map(([key, item]) => [key, restore(item, fieldOf(place, key), `${path}.${key}`)]),
  );
}

function restoreItems(given: readonly unknown[], place: Place, path: string): readonly unknown[] {
  if (!holdsMask(given)) return given;
  const { original, shown } = (Array.isArray(place.original) ? place : { original: [], shown: [] }) as {
    readonly original: readonly unknown[];
    readonly shown: readonly unknown[];
  };
  const [now, before] = [given.map(canonicalJson), shown.map(canonicalJson)];
  const givenLike = Map.groupBy(now.keys(), (index) => now[index]);
  const shownLike = Map.groupBy(before.keys(), (index) => before[index]);
  const valuesLike = new Map(
    [...shownLike].map(([look, indexes]) => [look, new Set(indexes.map((index) => canonicalJson(original[index])))]),
  );
  const sameLength = given.length === shown.length;
  const onlyOneEdited = sameLength && now.filter((look, index) => look !== before[index]).length === 1;
  return given.map((item, index) => {
    if (!holdsMask(item)) return item;
    const look = now[index];
    const alike = shownLike.get(look);
    if (alike) {
      if (valuesLike.get(look)?.size === 1) return original[alike[0] ?? index];
      // Of several that look the same one may have gone: which is left is not to be seen.
      const allThere = sameLength || givenLike.get(look)?.length === alike.length;
      if (look === before[index] && allThere) return original[index];
    }
    // An edited item is known by its place, as long as nothing else has moved. Otherwise no mask in it is anything that was shown.
    const known = !alike && onlyOneEdited;
    const was = { original: original[index], shown: known ? shown[index] : original[index] };
    return restore(item, was, `${path}.${index}`);
  });
}

function fieldOf({ original, shown }: Place, key: string): Place {
  if (typeof original !== 'object' || original === null || Array.isArray(original) || !Object.hasOwn(original, key))
    return { original: undefined, shown: undefined };
  const [from, seen] = [original, shown] as Readonly<Record<string, unknown>>[];
  return { original: from?.[key], shown: seen?.[key] };
}

function holdsMask(value: unknown): boolean {
  if (typeof value === 'string') return maskIn.test(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsMask);
}

function stillMasked(path: string): ApiError {
  const field = path.replace(/^input\.?/, '') || 'input';
  return new ApiError('invalid_input', `"${field}" is still masked, and it is not certain what it was.`, {
    path,
    fix: 'Write this value anew: only what was left where it was, as it was shown, can be kept.',
  });
}
