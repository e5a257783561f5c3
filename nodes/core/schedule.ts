import { z } from 'zod';
import { defineTrigger, scheduleConfigSchema } from '../sdk/index.ts';

/**
 * Starts at set times, each of them once, in the zone's own clock. What was missed while nothing ran, and what falls into a run that is still open, is dealt
 * with as the trigger says; with nothing said as it always was: the latest is caught up on, and runs may overlap.
 */
export const node = defineTrigger({
  id: 'core.schedule',
  title: 'At set times',
  description: 'Every morning, every Friday, on the first of the month …',
  category: 'Triggers',
  icon: 'calendar-clock',
  input: scheduleConfigSchema,
  output: z.object({ scheduledAt: z.string() }),
  subscription: { kind: 'schedule' },
});
