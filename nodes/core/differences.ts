import { sameValue } from './comparing.ts';
import { isGroup, readerOf, type Row } from './rows.ts';

/** What two records differ in. */
export interface Differences {
  readonly added: { field: string; after: unknown }[];
  readonly removed: { field: string; before: unknown }[];
  readonly changed: { field: string; before: unknown; after: unknown }[];
}

/** Whether there is no difference. */
export function isSame({
  added,
  removed,
  changed,
}: {
  readonly added: unknown[];
  readonly removed: unknown[];
  readonly changed: unknown[];
}): boolean {
  return added.length + removed.length + changed.length === 0;
}

/** Compares two records field by field, or only by some fields; fields inside fields are named `vendor.name`. */
export function compareRecords(before: Row, after: Row, only: readonly string[]): Differences {
  const parts: Differences = { added: [], removed: [], changed: [] };
  const compare = (field: string, left: unknown, right: unknown): void => {
    if (left === undefined && right === undefined) return;
    if (left === undefined) parts.added.push({ field, after: right });
    else if (right === undefined) parts.removed.push({ field, before: left });
    else if (isGroup(left) && isGroup(right)) inside(`${field}.`, left, right);
    else if (!sameValue(left, right)) parts.changed.push({ field, before: left, after: right });
  };
  const inside = (prefix: string, left: Row, right: Row): void => {
    for (const name of new Set([...Object.keys(left), ...Object.keys(right)]))
      compare(prefix + name, own(left, name), own(right, name));
  };
  if (only.length === 0) inside('', before, after);
  for (const field of only) compare(field, readerOf(field)(before), readerOf(field)(after));
  return parts;
}

/** Not what every object has: a field may be called `toString`. */
function own(record: Row, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
