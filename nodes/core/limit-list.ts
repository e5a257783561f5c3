import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { itemsOf, listField, ROWS_MAX } from './rows.ts';

/** Cuts a list to its first or last entries. A list that is shorter passes as it is. */
export const node = defineAction({
  id: 'core.limit-list',
  title: 'Shorten a list',
  description: 'Keeps the first or the last rows.',
  category: 'Data',
  icon: 'list-end',
  effect: 'none',
  input: z.object({
    list: listField({ title: 'List' }),
    count: z.int().min(0).max(ROWS_MAX).meta({ title: 'How many' }),
    from: z
      .enum(['start', 'end'])
      .default('start')
      .meta({ title: 'From', labels: { start: 'The start', end: 'The end' } }),
    skip: z.int().min(0).max(ROWS_MAX).default(0).meta({ title: 'Leave out first', advanced: true }),
  }),
  output: z.object({ rows: z.array(z.unknown()), count: z.number(), removed: z.number() }),
  example: { list: ['a', 'b', 'c'], count: 2 },
  run({ input: { list, count, from, skip } }) {
    const items = itemsOf(list, 'List');
    const end = Math.max(0, items.length - skip);
    const rows = from === 'start' ? items.slice(skip, skip + count) : items.slice(Math.max(0, end - count), end);
    return Promise.resolve({ output: { rows, count: rows.length, removed: items.length - rows.length } });
  },
});
