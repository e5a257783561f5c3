import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';

/** Shapes data once, for several steps to use. */
export const node = defineAction({
  id: 'core.map',
  title: 'Shape data',
  description: 'Computes a value that later steps use.',
  category: 'Data',
  icon: 'braces',
  effect: 'none',
  input: z.object({ value: z.json().meta({ title: 'Value', multiline: true }) }),
  output: z.json(),
  run: ({ input }) => Promise.resolve({ output: input.value }),
});
