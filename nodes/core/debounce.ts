import { z } from 'zod';
import { defineHold } from '../sdk/index.ts';
import { optionalTextField } from './text-field.ts';

const MS = { seconds: 1_000, minutes: 60_000, hours: 3_600_000 } as const;

/** Waits until nothing more has come for a while, and goes on with the last; those before it go another way as soon as a newer one comes. */
export const node = defineHold({
  id: 'core.debounce',
  title: 'Wait for quiet',
  description: 'Goes on with the last of many, once nothing more has come for a while.',
  category: 'Logic',
  icon: 'timer-reset',
  input: z.object({
    amount: z.int().min(1).max(1_000).default(5).meta({ title: 'Quiet for' }),
    unit: z.enum(['seconds', 'minutes', 'hours']).default('minutes').meta({ title: 'Of what' }),
    key: optionalTextField({
      max: 400,
      title: 'For each',
      description: 'What belongs together, such as trigger.record.projectId; left empty, all runs of the flow do.',
    }),
  }),
  output: z.object({ last: z.boolean() }),
  ports: [
    { id: 'out', title: 'The last one' },
    { id: 'newer', title: 'A newer one came' },
  ],
  example: { amount: 5, unit: 'minutes' },
  async open({ input, platform, now }) {
    if (!platform) throw new Error('This step needs the platform');
    await platform.waitForQuiet(input.key ?? '');
    return { until: new Date(now().getTime() + input.amount * MS[input.unit]) };
  },
  close: (_, end) =>
    end.kind === 'answered' ? { output: { last: false }, port: 'newer' } : { output: { last: true } },
});
