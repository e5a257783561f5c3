import { z } from 'zod';
import { badInput, shown } from './bad-input.ts';

/** One row of a list: a group of fields. */
export type Row = Readonly<Record<string, unknown>>;

/** Most entries a list may have, going in or coming out. */
export const ROWS_MAX = 100_000;
const DEPTH_MAX = 64;
const reserved = new Set(['__proto__', 'constructor', 'prototype']);

/** An input that takes a list. What is in it is looked at by `itemsOf` or `rowsOf`, which name the row. */
export function listField(meta: { readonly title: string; readonly description?: string }) {
  return z.array(z.unknown()).max(ROWS_MAX, `has more than ${ROWS_MAX} entries`).meta(meta);
}

/** An input that takes a group of fields. `z.record` would drop `__proto__` without a word; `groupOf` refuses it. */
export function groupField(meta: { readonly title: string; readonly description?: string }) {
  return z.unknown().meta({ ...meta, type: 'object' });
}

/** The name of a field as a person types it: `amount`, or `vendor.name` for one inside another. */
export const fieldName = z.string().min(1).max(200);

/** Columns of a step that asks for a list of fields. */
export function fieldNames(max: number) {
  return z.array(z.object({ field: fieldName.meta({ title: 'Field' }) })).max(max);
}

/** The entries of a list, of any kind. @throws ConnectorFailure what `checkData` throws */
export function itemsOf(list: readonly unknown[], title: string): readonly unknown[] {
  checkData(list, title);
  return list;
}

/** The rows of a list. @throws ConnectorFailure `row_invalid`, and what `checkData` throws */
export function rowsOf(list: readonly unknown[], title: string): readonly Row[] {
  checkData(list, title);
  for (const [index, item] of list.entries())
    if (!isGroup(item))
      throw badInput(
        'row_invalid',
        `Row ${index + 1} of ${title} is ${shown(item)}, not a group of fields. Give a list of records.`,
      );
  return list as readonly Row[];
}

/** A group of fields. @throws ConnectorFailure `group_invalid`, and what `checkData` throws */
export function groupOf(value: unknown, title: string): Row {
  if (!isGroup(value))
    throw badInput('group_invalid', `${title} is ${shown(value)}, not a group of fields. Give a record.`);
  checkData(value, title);
  return value;
}

/** Whether a value is a group of fields, and not a list. */
export function isGroup(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws ConnectorFailure `reserved_key` for a name that would reach into JavaScript itself */
export function refuseReserved(name: string, where: string): void {
  if (reserved.has(name))
    throw badInput('reserved_key', `${where} is called "${name}", which no field may be. Give it another name.`);
}

/** `checkData`, for a value that is handed on. */
export function checkedData(value: unknown, title: string): unknown {
  checkData(value, title);
  return value;
}

/**
 * Looks through data once: what could not be stored or would be dangerous further on is refused here, with its place.
 * @throws ConnectorFailure `reserved_key`, `too_deep`, `unsupported_character` or `number_not_finite`
 */
export function checkData(value: unknown, title: string): void {
  const trail: (string | number)[] = [];
  const look = (part: unknown): void => {
    if (typeof part === 'string') {
      if (part.includes('\0') || !part.isWellFormed())
        throw badInput(
          'unsupported_character',
          `${place(title, trail)} has a character that cannot be stored. Remove it there, then retry.`,
        );
    } else if (typeof part === 'number') {
      if (!Number.isFinite(part))
        throw badInput('number_not_finite', `${place(title, trail)} is no finite number. Correct it, then retry.`);
    } else if (typeof part === 'object' && part !== null) {
      if (trail.length >= DEPTH_MAX)
        throw badInput(
          'too_deep',
          `${place(title, trail.slice(0, 3))} is nested deeper than ${DEPTH_MAX} levels. Pass on only the part that is needed.`,
        );
      for (const [key, inner] of Array.isArray(part) ? part.entries() : Object.entries(part)) {
        if (typeof key === 'string') refuseReserved(key, `A field of ${place(title, trail)}`);
        trail.push(key);
        look(inner);
        trail.pop();
      }
    }
  };
  look(value);
}

/** `["lines", 2, "amount"]` of "Data" → `Data (lines, row 3, amount)`. */
function place(title: string, trail: readonly (string | number)[]): string {
  if (trail.length === 0) return title;
  return `${title} (${trail.map((step) => (typeof step === 'number' ? `row ${step + 1}` : shownKey(step))).join(', ')})`;
}

function shownKey(key: string): string {
  return key.length > 40 ? `${key.slice(0, 40)}…` : key;
}

/**
 * Reads one field of an item: its own field of that name, or, for `vendor.name`, the field of a field; `''` is the item itself.
 * @throws ConnectorFailure `reserved_key`
 */
export function readerOf(field: string): (item: unknown) => unknown {
  if (field === '') return (item) => item;
  const steps = field.split('.');
  for (const step of steps) refuseReserved(step, 'A field');
  const step = (owner: unknown, name: string): unknown =>
    typeof owner === 'object' && owner !== null && Object.hasOwn(owner, name) ? (owner as Row)[name] : undefined;
  if (steps.length === 1) return (item) => step(item, field);
  return (item) => step(item, field) ?? steps.reduce(step, item);
}

/** Whether there is nothing in a value: missing, blank text, or a list or group without entries. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === 'string') return value.trim() === '';
  return typeof value === 'object' && Object.keys(value).length === 0;
}
