import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { keyText } from './comparing.ts';
import { compareRecords, isSame } from './differences.ts';
import { groupOf, readerOf, ROWS_MAX, rowsOf, type Row } from './rows.ts';

const change = z.object({ field: z.string(), before: z.unknown(), after: z.unknown() });
const ofRecords = z.object({
  same: z.boolean(),
  added: z.array(z.object({ field: z.string(), after: z.unknown() })),
  removed: z.array(z.object({ field: z.string(), before: z.unknown() })),
  changed: z.array(change),
});
const ofLists = z.object({
  same: z.boolean(),
  added: z.array(z.unknown()),
  removed: z.array(z.unknown()),
  changed: z.array(z.object({ key: z.string(), before: z.unknown(), after: z.unknown(), fields: z.array(change) })),
});
const outputs = { records: ofRecords, lists: ofLists } as const;

/**
 * What is different between two records, or between two lists whose rows are told apart by a key.
 * Amounts are the same by value ("100" and "100.00"); fields inside fields are named `vendor.name`; a list inside is taken as a whole.
 *
 * Errors: `key_missing`, `key_invalid` and `key_duplicate` name the row; `group_invalid`, `row_invalid`.
 */
export const node = defineAction({
  id: 'core.compare',
  title: 'Compare',
  description: 'Finds what was added, removed and changed between two records or lists.',
  category: 'Data',
  icon: 'diff',
  effect: 'none',
  input: z.object({
    what: z
      .enum(['records', 'lists'])
      .default('records')
      .meta({ title: 'Compare', labels: { records: 'Two records', lists: 'Two lists' } }),
    before: z.unknown().meta({ title: 'Before' }),
    after: z.unknown().meta({ title: 'After' }),
    key: z
      .string()
      .max(200)
      .default('')
      .meta({ title: 'Key', description: 'For lists: the field that tells rows apart, for example the number.' }),
    fields: z
      .array(z.object({ field: z.string().min(1).max(200).meta({ title: 'Field' }) }))
      .max(200)
      .default([])
      .meta({ title: 'Only these fields', description: 'Empty for all.', advanced: true }),
  }),
  output: z.union([ofRecords, ofLists]),
  outputFor: ({ what }) => (what === 'records' || what === 'lists' ? outputs[what] : undefined),
  example: { what: 'records', before: { total: '10.00' }, after: { total: '12.00', paid: true } },
  run({ input: { what, before, after, key, fields } }) {
    const names = fields.map(({ field }) => field);
    if (what === 'lists')
      return Promise.resolve({ output: compareLists(listOf(before, 'Before'), listOf(after, 'After'), key, names) });
    const parts = compareRecords(groupOf(before, 'Before'), groupOf(after, 'After'), names);
    return Promise.resolve({ output: { same: isSame(parts), ...parts } });
  },
});

function compareLists(before: readonly Row[], after: readonly Row[], key: string, only: readonly string[]) {
  if (key === '') throw badInput('key_missing', 'Two lists need a key. Name the field that tells rows apart.');
  const left = byKey(before, key, 'Before');
  const right = byKey(after, key, 'After');
  const changed = [];
  for (const [id, row] of left) {
    const now = right.get(id);
    if (!now) continue;
    const parts = compareRecords(row, now, only);
    if (isSame(parts)) continue;
    const fields = [
      ...parts.added.map(({ field, after: value }) => ({ field, before: null, after: value })),
      ...parts.removed.map(({ field, before: value }) => ({ field, before: value, after: null })),
      ...parts.changed,
    ];
    changed.push({ key: id, before: row, after: now, fields });
  }
  const added = [...right].filter(([id]) => !left.has(id)).map(([, row]) => row);
  const removed = [...left].filter(([id]) => !right.has(id)).map(([, row]) => row);
  return { same: isSame({ added, removed, changed }), added, removed, changed };
}

function byKey(rows: readonly Row[], key: string, title: string): Map<string, Row> {
  const read = readerOf(key);
  const found = new Map<string, Row>();
  for (const [index, row] of rows.entries()) {
    const id = keyText(read(row));
    const place = `Row ${index + 1} of ${title}`;
    if (id === null)
      throw badInput('key_missing', `${place} has no "${key}". Fill it in there, or choose another key.`);
    if (id === undefined)
      throw badInput('key_invalid', `${place}: "${key}" is ${shown(read(row))}. Choose a field inside it.`);
    if (found.has(id))
      throw badInput(
        'key_duplicate',
        `${place} has the "${key}" ${shown(id)} again. Remove duplicates first, or choose another key.`,
      );
    found.set(id, row);
  }
  return found;
}

/** A mapping gives a list of one as its row, and a list of none as nothing. */
function listOf(value: unknown, title: string): readonly Row[] {
  const list = Array.isArray(value) ? (value as unknown[]) : value === undefined || value === null ? [] : [value];
  if (list.length > ROWS_MAX)
    throw badInput('list_too_long', `${title} has more than ${ROWS_MAX} rows. Compare it in parts.`);
  return rowsOf(list, title);
}
