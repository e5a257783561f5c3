import { compareDecimals, readDecimal, type Decimal } from './decimal.ts';
import { isEmpty, isGroup } from './rows.ts';

/** A value as it is put in order: amounts by their exact value, times by the moment, text as a person reads it ("Lot 2" before "Lot 10"). */
export type Sortable =
  | { readonly kind: 'amount'; readonly value: Decimal }
  | { readonly kind: 'time'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'yes or no'; readonly value: boolean };

const ranks = { amount: 0, time: 1, text: 2, 'yes or no': 3 } as const;
const timePattern = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;
const collator = new Intl.Collator('en', { numeric: true });

/** How a value sorts: `empty` when there is nothing in it, undefined when it is a list or a group and so has no place in an order. */
export function sortable(value: unknown): Sortable | 'empty' | undefined {
  if (isEmpty(value)) return 'empty';
  const decimal = readDecimal(value);
  if (decimal) return { kind: 'amount', value: decimal };
  if (typeof value === 'boolean') return { kind: 'yes or no', value };
  if (typeof value !== 'string') return undefined;
  const time = timePattern.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? { kind: 'text', value } : { kind: 'time', value: time };
}

/** −1, 0 or 1. Values of different kinds have an order too, so that a sort is always one. */
export function compareSortable(left: Sortable, right: Sortable): number {
  if (left.kind === 'amount' && right.kind === 'amount') return compareDecimals(left.value, right.value);
  if (left.kind === 'text' && right.kind === 'text') return Math.sign(collator.compare(left.value, right.value));
  if (left.kind === right.kind) return Math.sign(Number(left.value) - Number(right.value));
  return Math.sign(ranks[left.kind] - ranks[right.kind]);
}

/** Whether two values are the same: amounts by their exact value ("100" and "100.00"), lists and groups entry by entry. */
export function sameValue(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left))
    return Array.isArray(right) && left.length === right.length && left.every((item, at) => sameValue(item, right[at]));
  if (isGroup(left) && isGroup(right)) {
    const names = Object.keys(left);
    return (
      names.length === Object.keys(right).length &&
      names.every((name) => Object.hasOwn(right, name) && sameValue(left[name], right[name]))
    );
  }
  const a = readDecimal(left);
  const b = a && readDecimal(right);
  return a !== undefined && b !== undefined && compareDecimals(a, b) === 0;
}

/**
 * Text that is the same for values that are the same key: `12` and `"12"` are, `"0012"` is not.
 * Undefined for a list or a group, `null` when there is nothing in the value.
 */
export function keyText(value: unknown): string | null | undefined {
  if (isEmpty(value)) return null;
  return typeof value === 'object' ? undefined : String(value);
}
