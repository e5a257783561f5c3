import { z } from 'zod';
import { defineHold } from '../sdk/index.ts';
import { optionalTextField } from './text-field.ts';

const MS = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;
const answer = z.union([z.object({ items: z.array(z.unknown()) }), z.object({ joined: z.string() })]);

/**
 * Gathers what many runs bring, and goes on once with all of it: when there are enough, or when the first has waited long enough. The first run goes on; the
 * others end here, their items with it.
 */
export const node = defineHold({
  id: 'core.collect',
  title: 'Collect',
  description: 'Gathers what many runs bring and goes on once with all of it.',
  category: 'Logic',
  icon: 'layers',
  input: z.object({
    item: z.unknown().meta({ title: 'What to collect' }),
    count: z.int().min(1).max(1_000).default(100).meta({ title: 'Until there are' }),
    amount: z.number().min(0).max(1_000).default(1).meta({ title: 'Or after' }),
    unit: z.enum(['minutes', 'hours', 'days']).default('hours').meta({ title: 'Of what' }),
    key: optionalTextField({
      max: 400,
      title: 'For each',
      description: 'What belongs together, such as trigger.record.vendorId; left empty, all of it does.',
    }),
  }),
  output: z.object({ items: z.array(z.unknown()), count: z.int() }),
  ports: [
    { id: 'out', title: 'All together' },
    { id: 'joined', title: 'Went with others' },
  ],
  example: { item: 'Pisgah Electric', count: 1 },
  async open({ input, platform, now }) {
    if (!platform) throw new Error('This step needs the platform');
    const collected = await platform.collect({ key: input.key ?? '', item: input.item, count: input.count });
    if (collected.role === 'joined') return { answer: { joined: collected.runId } };
    if (collected.role === 'full') return { answer: { items: collected.items } };
    return { until: new Date(now().getTime() + input.amount * MS[input.unit]) };
  },
  async expire({ platform }) {
    return { items: (await platform?.closeCollected()) ?? [] };
  },
  close: (_, end) => {
    const came = answer.parse(end.kind === 'answered' ? end.answer : { items: [] });
    return 'joined' in came
      ? { output: { items: [], count: 0 }, port: 'joined' }
      : { output: { items: came.items, count: came.items.length } };
  },
});
