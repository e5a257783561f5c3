import { z } from 'zod';
import { defineHold } from '../sdk/index.ts';
import { optionalTextField } from './text-field.ts';

const SECONDS = { seconds: 1, minutes: 60, hours: 3_600, days: 86_400 } as const;

/** Lets so many through in each span of time. The rest wait their turn in the order they came, or go another way at once. Waiting is a durable timer. */
export const node = defineHold({
  id: 'core.throttle',
  title: 'At most so many',
  description: 'Lets so many runs through per minute, hour or day; the rest wait their turn, or go another way.',
  category: 'Logic',
  icon: 'gauge',
  input: z.object({
    limit: z.int().min(1).max(10_000).default(10).meta({ title: 'At most' }),
    amount: z.int().min(1).max(400).default(1).meta({ title: 'In' }),
    unit: z.enum(['seconds', 'minutes', 'hours', 'days']).default('minutes').meta({ title: 'Of what' }),
    otherwise: z
      .enum(['wait', 'skip'])
      .default('wait')
      .meta({ title: 'The rest', labels: { wait: 'Waits its turn', skip: 'Goes another way' } }),
    key: optionalTextField({
      max: 400,
      title: 'For each',
      description: 'Left empty, all runs of the flow share the pace; else each value has its own.',
      advanced: true,
    }),
  }),
  output: z.object({ passed: z.boolean() }),
  ports: [
    { id: 'out', title: 'Its turn' },
    { id: 'over', title: 'Too many' },
  ],
  example: { limit: 1, unit: 'minutes' },
  async open({ input, platform }) {
    if (!platform) throw new Error('This step needs the platform');
    const turn = await platform.takeTurn({
      key: input.key ?? '',
      limit: input.limit,
      perSeconds: input.amount * SECONDS[input.unit],
      onlyNow: input.otherwise === 'skip',
    });
    return turn ? { until: turn } : { answer: { over: true } };
  },
  close: (_, end) =>
    end.kind === 'answered' ? { output: { passed: false }, port: 'over' } : { output: { passed: true } },
});
