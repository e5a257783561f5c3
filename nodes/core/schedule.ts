import { z } from 'zod';
import { defineTrigger } from '../sdk/index.ts';

/** Starts at set times. */
export const node = defineTrigger({
  id: 'core.schedule',
  title: 'At set times',
  description: 'Every morning, every Friday, on the first of the month …',
  category: 'Triggers',
  icon: 'calendar-clock',
  input: z.object({
    cron: z.string().min(9).max(100).meta({
      title: 'Times',
      description: 'Minute, hour, day of month, month, day of week: "0 7 * * 1-5" is 7:00 on working days.',
    }),
    timeZone: z.string().optional().meta({ title: 'Time zone', description: 'The company’s, when left empty.' }),
  }),
  output: z.object({ scheduledAt: z.string() }),
  subscription: { kind: 'schedule' },
});
