import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { textField } from './text-field.ts';

const SECONDS = { minutes: 60, hours: 3_600, days: 86_400 } as const;

/** Lets the first with a key through, and sends whatever comes with the same key within a time another way. A step that is tried again stays what it was. */
export const node = defineAction({
  id: 'core.only-once',
  title: 'Only once',
  description: 'Goes on for the first with a key, and another way for repeats within a time.',
  category: 'Logic',
  effect: 'upsert',
  icon: 'copy-minus',
  input: z.object({
    key: textField({ max: 400, title: 'Key', description: 'What makes two the same: trigger.body.invoiceNumber' }),
    amount: z.number().min(1).max(400).default(30).meta({ title: 'Within' }),
    unit: z.enum(['minutes', 'hours', 'days']).default('days').meta({ title: 'Of what' }),
  }),
  output: z.object({ first: z.boolean() }),
  ports: [
    { id: 'out', title: 'First time' },
    { id: 'repeat', title: 'Repeat' },
  ],
  async run({ input, platform }) {
    if (!platform) throw new Error('This step needs the platform');
    const first = await platform.firstOf(input.key, input.amount * SECONDS[input.unit]);
    return { output: { first }, port: first ? 'out' : 'repeat' };
  },
});
