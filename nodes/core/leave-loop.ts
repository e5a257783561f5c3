import { z } from 'zod';
import { defineLoop } from '../sdk/index.ts';

/** Ends a whole loop: items that have not begun are skipped. */
export const node = defineLoop({
  id: 'core.leave-loop',
  title: 'Leave the loop',
  description: 'Inside a loop: no more items, on with what comes after it.',
  category: 'Logic',
  icon: 'log-out',
  control: 'break',
  input: z.object({
    value: z.unknown().optional().meta({ title: 'Hand on', description: 'What the loop collects for this item.' }),
  }),
  output: z.object({ value: z.unknown().optional() }),
  example: { value: 'found' },
});
