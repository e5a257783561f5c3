import { z } from 'zod';
import { defineLogic } from '../sdk/index.ts';

/** Two ways on, by a condition. */
export const node = defineLogic({
  id: 'core.if',
  title: 'Condition',
  description: 'Goes one way when something is true, another way otherwise.',
  category: 'Logic',
  icon: 'split',
  input: z.object({
    condition: z
      .boolean()
      .meta({ title: 'Condition', description: 'For example: $moneyCompare(trigger.record.total, "10000") > 0' }),
  }),
  output: z.object({ matched: z.boolean() }),
  ports: [
    { id: 'then', title: 'If true' },
    { id: 'else', title: 'Otherwise' },
  ],
  run: ({ input }) =>
    Promise.resolve({ output: { matched: input.condition }, port: input.condition ? 'then' : 'else' }),
});
