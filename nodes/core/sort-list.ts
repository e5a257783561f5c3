import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { compareSortable, sortable, type Sortable } from './comparing.ts';
import { itemsOf, listField, readerOf } from './rows.ts';

const by = z
  .array(
    z.object({
      field: z.string().max(200).default('').meta({ title: 'Field', description: 'Empty for the entry itself.' }),
      direction: z
        .enum(['ascending', 'descending'])
        .default('ascending')
        .meta({ title: 'Order', labels: { ascending: 'Smallest first', descending: 'Largest first' } }),
    }),
  )
  .min(1)
  .max(10);

/**
 * Puts a list in order. Amounts by their exact value, days and times by the moment, text as people read it ("Lot 2" before "Lot 10");
 * entries without the field come last in either direction, and entries that are equal keep their order.
 *
 * Errors: `not_sortable` where a field is a list or a group.
 */
export const node = defineAction({
  id: 'core.sort-list',
  title: 'Sort a list',
  description: 'Puts rows in order, for example by due date.',
  category: 'Data',
  icon: 'arrow-down-a-z',
  effect: 'none',
  input: z.object({ list: listField({ title: 'List' }), by: by.meta({ title: 'Sort by' }) }),
  output: z.object({ rows: z.array(z.unknown()), count: z.number() }),
  example: {
    list: [{ due: '2026-04-01' }, { due: '2026-03-15' }],
    by: [{ field: 'due' }],
  },
  run({ input }) {
    const list = itemsOf(input.list, 'List');
    const columns = input.by.map(({ field }) => keysOf(list, field));
    const signs = input.by.map(({ direction }) => (direction === 'ascending' ? 1 : -1));
    // Keys are read once a row, not once a comparison; what is moved are positions.
    const order = list.map((_, index) => index);
    order.sort((a, b) => {
      for (const [at, keys] of columns.entries()) {
        const sign = compareKeys(keys[a], keys[b], signs[at] ?? 1);
        if (sign !== 0) return sign;
      }
      return a - b;
    });
    return Promise.resolve({ output: { rows: order.map((index) => list[index]), count: list.length } });
  },
});

type Key = Sortable | 'empty';

function keysOf(list: readonly unknown[], field: string): readonly Key[] {
  const read = readerOf(field);
  return list.map((item, index) => {
    const key = sortable(read(item));
    if (key === undefined)
      throw badInput(
        'not_sortable',
        `Row ${index + 1}: ${field === '' ? 'the entry' : `"${field}"`} is ${shown(read(item))}, which has no order. Sort by a field inside it, for example "vendor.name".`,
      );
    return key;
  });
}

function compareKeys(left: Key | undefined, right: Key | undefined, sign: number): number {
  if (left === undefined || right === undefined || left === 'empty' || right === 'empty')
    return Number(left === 'empty') - Number(right === 'empty');
  return sign * compareSortable(left, right);
}
