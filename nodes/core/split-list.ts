import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { itemsOf, listField } from './rows.ts';

/**
 * Cuts a list into batches of a size; the last may be smaller, and an empty list has none.
 * A batch is a group of fields, because a list of lists would flow together in a mapping.
 */
export const node = defineAction({
  id: 'core.split-list',
  title: 'Split into batches',
  description: 'Cuts a long list into parts, for a system that takes only so many at once.',
  category: 'Data',
  icon: 'layers',
  effect: 'none',
  input: z.object({
    list: listField({ title: 'List' }),
    size: z.int().min(1).max(10_000).meta({ title: 'Rows in a batch' }),
  }),
  output: z.object({
    batches: z.array(z.object({ number: z.number(), rows: z.array(z.unknown()), count: z.number() })),
    count: z.number(),
  }),
  example: { list: [1, 2, 3], size: 2 },
  run({ input: { list, size } }) {
    const items = itemsOf(list, 'List');
    const batches = Array.from({ length: Math.ceil(items.length / size) }, (_, at) => {
      const rows = items.slice(at * size, (at + 1) * size);
      return { number: at + 1, rows, count: rows.length };
    });
    return Promise.resolve({ output: { batches, count: batches.length } });
  },
});
