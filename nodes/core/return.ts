import { z } from 'zod';
import { defineLogic } from '../sdk/index.ts';

/** Hands values back to the flow that called this one. Where several steps do, the last one counts. */
export const node = defineLogic({
  id: 'core.return',
  title: 'Hand back',
  description: 'Gives the flow that called this one its result.',
  category: 'Logic',
  icon: 'corner-up-left',
  input: z.object({
    values: z
      .record(z.string(), z.unknown())
      .default({})
      .meta({ title: 'Result', description: 'An object with named values.' }),
  }),
  output: z.object({ values: z.record(z.string(), z.unknown()) }),
  async run({ input, platform }) {
    await platform?.handBack(input.values);
    return { output: input };
  },
});
