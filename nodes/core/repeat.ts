import { z } from 'zod';
import { defineLoop } from '../sdk/index.ts';

/**
 * Does the steps drawn inside it again and again, as long as something is true; asked before each round.
 *
 * Errors: `loop_limit` when it is still true after the most rounds allowed; `item_failed` when a round fails.
 */
export const node = defineLoop({
  id: 'core.repeat',
  title: 'Repeat while',
  description: 'Does the steps inside it again and again, as long as a condition holds.',
  category: 'Logic',
  icon: 'refresh-cw',
  control: 'while',
  input: z.object({
    condition: z.boolean().meta({
      title: 'As long as',
      description:
        'Asked before each round. loop.index counts from 0, loop.value is what the last round handed on: $not($exists(loop.value)) or loop.value.hasMore',
    }),
    limit: z.int().min(1).max(10_000).default(100).meta({ title: 'Most rounds' }),
  }),
  output: z.object({
    count: z.int(),
    /** What the last round handed on with "Next item". */
    value: z.unknown(),
    values: z.array(z.unknown()),
  }),
  example: { condition: false },
});
