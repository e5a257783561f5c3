import { z } from 'zod';
import { defineLoop } from '../sdk/index.ts';

/** Ends this turn of a loop and hands a value on; the loop goes on with the next. */
export const node = defineLoop({
  id: 'core.next-item',
  title: 'Next item',
  description: 'Inside a loop: done with this item, on with the next.',
  category: 'Logic',
  icon: 'corner-down-left',
  control: 'next',
  input: z.object({
    value: z.unknown().optional().meta({ title: 'Hand on', description: 'What the loop collects for this item.' }),
  }),
  output: z.object({ value: z.unknown().optional() }),
  example: { value: 'done' },
});
