import { z } from 'zod';

/** What the person who draws decides about set times. */
export const scheduleConfigSchema = z.object({
  cron: z.string().min(9).max(100).meta({
    title: 'Times',
    description: 'Minute, hour, day of month, month, day of week: "0 7 * * 1-5" is 7:00 on working days.',
  }),
  timeZone: z.string().optional().meta({ title: 'Time zone', description: 'The company’s, when left empty.' }),
  catchUp: z
    .enum(['latest', 'all', 'none'])
    .default('latest')
    .meta({
      title: 'Times that were missed',
      description: 'When nothing ran at a time. What is not caught up on is told.',
      labels: {
        latest: 'Catch up on the latest only',
        all: 'Catch up on all, if not too old',
        none: 'Leave them out',
      },
      advanced: true,
    }),
  windowMinutes: z
    .int()
    .min(1)
    .max(1_440)
    .default(60)
    .meta({
      title: 'How old they may be, in minutes',
      shownWhen: { field: 'catchUp', is: ['all'] },
      advanced: true,
    }),
  overlap: z
    .enum(['start', 'skip', 'wait'])
    .default('start')
    .meta({
      title: 'When the last run is still open',
      labels: { start: 'Start anyway', skip: 'Leave the time out', wait: 'Wait until it has ended; one waits' },
      advanced: true,
    }),
});

export type ScheduleConfig = z.infer<typeof scheduleConfigSchema>;
