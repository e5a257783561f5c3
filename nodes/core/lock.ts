import { z } from 'zod';
import { defineHold } from '../sdk/index.ts';
import { textField } from './text-field.ts';

/**
 * Waits until this run may go on alone, or with few others, under a name that flows share; in the order they came. Given back by "Let others in", or when
 * the run ends, however it ends.
 */
export const node = defineHold({
  id: 'core.lock',
  title: 'One at a time',
  description: 'Waits until no other run is between here and "Let others in".',
  category: 'Logic',
  icon: 'lock',
  input: z.object({
    name: textField({
      max: 400,
      title: 'Name',
      description: 'Runs with the same name wait for each other, in all flows: "month-end", or a vendor’s id.',
    }),
    permits: z.int().min(1).max(100).default(1).meta({ title: 'At once' }),
  }),
  output: z.object({ name: z.string() }),
  example: { name: 'month-end' },
  async open({ input, platform }) {
    if (!platform) throw new Error('This step needs the platform');
    const held = await platform.getInLine(input.name, input.permits);
    return held ? { answer: { held } } : {};
  },
  close: ({ name }) => ({ output: { name } }),
});
