import { z } from 'zod';
import { defineWait } from '../sdk/index.ts';
import { instantOf, isTimeZone, wallTimeAt } from './zoned-time.ts';

const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'use hours and minutes, such as 08:00');
/** Three weeks: any opening there is comes sooner. */
const HORIZON_DAYS = 21;

/**
 * Goes on when the office is open: at once within its hours, else when they next begin. Hours are those of the clocks on the wall, so a change to or from
 * summer time moves nothing.
 */
export const node = defineWait({
  id: 'core.wait-for-hours',
  title: 'Wait for office hours',
  description: 'Goes on at once within office hours, else when they next begin.',
  category: 'Logic',
  icon: 'briefcase-business',
  input: z
    .object({
      days: z
        .array(z.enum(days))
        .min(1)
        .default(['monday', 'tuesday', 'wednesday', 'thursday', 'friday'])
        .meta({ title: 'Days' }),
      from: clock.default('08:00').meta({ title: 'From' }),
      to: clock.default('17:00').meta({ title: 'To' }),
      holidays: z
        .array(z.iso.date())
        .max(400)
        .default([])
        .meta({ title: 'Closed on', description: 'Days such as 2026-12-25.', advanced: true }),
      timeZone: z
        .string()
        .refine((zone) => zone === '' || isTimeZone(zone), 'there is no such time zone')
        .default('')
        .meta({ title: 'Time zone', description: 'The company’s, when left empty.', advanced: true }),
    })
    .refine(({ from, to }) => from < to, { path: ['to'], message: 'office hours end after they begin' }),
  output: z.object({ waitedUntil: z.string() }),
  example: { from: '07:00', to: '16:00' },
  until: ({ days: open, from, to, holidays, timeZone }, now, company) => {
    const zone = timeZone || company.timeZone;
    const [hour = 0, minute = 0] = from.split(':').map(Number);
    const today = wallTimeAt(now, zone);
    for (let ahead = 0; ahead <= HORIZON_DAYS; ahead++) {
      const date = new Date(Date.UTC(today.year, today.month - 1, today.day + ahead));
      const text = date.toISOString().slice(0, 10);
      const weekday = days[(date.getUTCDay() + 6) % 7];
      if (!weekday || !open.includes(weekday) || holidays.includes(text)) continue;
      const wall = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
      const begins = instantOf({ ...wall, hour, minute, second: 0 }, zone);
      const [endHour = 0, endMinute = 0] = to.split(':').map(Number);
      const ends = instantOf({ ...wall, hour: endHour, minute: endMinute, second: 0 }, zone);
      if (now < ends) return now < begins ? begins : now;
    }
    return now;
  },
  resume: (_, until) => ({ waitedUntil: until.toISOString() }),
});
