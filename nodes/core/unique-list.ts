import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { keyText } from './comparing.ts';
import { fieldNames, itemsOf, listField, readerOf } from './rows.ts';

/**
 * Keeps one of the entries that are the same by some fields, in their order. Entries without any of the fields are all kept:
 * nothing is known of them that would make them the same.
 *
 * Errors: `key_invalid` where a field is a list or a group.
 */
export const node = defineAction({
  id: 'core.unique-list',
  title: 'Remove duplicates',
  description: 'Keeps one row of those with the same number, name or other field.',
  category: 'Data',
  icon: 'copy-minus',
  effect: 'none',
  input: z.object({
    list: listField({ title: 'List' }),
    by: fieldNames(10).default([]).meta({ title: 'Same by', description: 'Empty to compare the entries themselves.' }),
    keep: z
      .enum(['first', 'last'])
      .default('first')
      .meta({ title: 'Keep', labels: { first: 'The first', last: 'The last' } }),
  }),
  output: z.object({ rows: z.array(z.unknown()), count: z.number(), removed: z.number() }),
  example: { list: [{ number: 'A-1' }, { number: 'A-1' }], by: [{ field: 'number' }] },
  run({ input: { list, by, keep } }) {
    const items = itemsOf(list, 'List');
    const fields = (by.length > 0 ? by.map(({ field }) => field) : ['']).map((field) => ({
      field,
      read: readerOf(field),
    }));
    const chosen = new Map<string, number>();
    for (const [index, item] of items.entries()) {
      const parts = fields.map(({ field, read }) => partOf(read(item), field, index));
      const key = parts.every((part) => part === null) ? `#${index}` : JSON.stringify(parts);
      if (keep === 'last' || !chosen.has(key)) chosen.set(key, index);
    }
    const kept = [...chosen.values()].sort((a, b) => a - b);
    const rows = kept.map((index) => items[index]);
    return Promise.resolve({ output: { rows, count: rows.length, removed: items.length - rows.length } });
  },
});

function partOf(value: unknown, field: string, index: number): string | null {
  const key = keyText(value);
  if (key !== undefined) return key;
  // A whole entry is the same as another when its text is; a field of it has to be simple.
  if (field === '') return canonical(value);
  throw badInput(
    'key_invalid',
    `Row ${index + 1}: "${field}" is ${shown(value)}, which cannot be compared. Choose a field inside it.`,
  );
}

/** JSON with the names in order, so that two records with the same fields are the same text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
