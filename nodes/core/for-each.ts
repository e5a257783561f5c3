import { z } from 'zod';
import { defineLoop } from '../sdk/index.ts';

/** More rounds than this are refused, whatever a flow asks for. */
const MOST = 100_000;

/**
 * Does the steps drawn inside it for every item of a list. Each item is on its own: what it has done stays done whatever happens to the others.
 *
 * Errors: `loop_limit` when the list is longer than allowed; `item_failed` when an item fails and the loop is to stop then.
 */
export const node = defineLoop({
  id: 'core.for-each',
  title: 'For each item',
  description: 'Does the steps inside it for every item of a list, one after another or several at once.',
  category: 'Logic',
  icon: 'repeat',
  control: 'each',
  input: z.object({
    items: z.array(z.unknown()).meta({ title: 'List', description: 'Inside, each item is loop.item.' }),
    concurrency: z
      .int()
      .min(1)
      .max(50)
      .default(1)
      .meta({ title: 'At once', description: 'With 1, one item is done before the next begins.' }),
    batchSize: z.int().min(1).max(1_000).default(1).meta({
      title: 'Items a turn',
      description: 'With more than 1, loop.item is a list of so many.',
      advanced: true,
    }),
    onItemError: z
      .enum(['stop', 'collect', 'skip'])
      .default('stop')
      .meta({
        title: 'When an item fails',
        labels: { stop: 'Stop the loop', collect: 'Go on, and list what failed', skip: 'Go on' },
      }),
    limit: z.int().min(1).max(MOST).default(10_000).meta({ title: 'Most items', advanced: true }),
  }),
  output: z.object({
    /** Turns there were. */
    count: z.int(),
    succeeded: z.int(),
    failed: z.int(),
    skipped: z.int(),
    /** What the turns handed on with "Next item", in the order of the list; null where one handed on nothing. */
    values: z.array(z.unknown()),
    /** Failed items, when they are collected: the first thousand. */
    errors: z.array(z.object({ index: z.int(), code: z.string(), message: z.string() })),
  }),
  example: { items: ['Framing', 'Roofing'] },
});
