import { z } from 'zod';
import { defineWait } from '../sdk/index.ts';
import { badInput } from './bad-input.ts';
import { instantOf, isTimeZone, wallTimeAt, type Day, type WallTime } from './zoned-time.ts';

const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'use hours and minutes, such as 08:00');
/** So far ahead an opening is looked for at least. */
const HORIZON_DAYS = 400;

/**
 * Goes on when the office is open: at once within its hours, else when they next begin. Hours are those of the clocks on the wall, so a change to or from
 * summer time moves nothing.
 *
 * Errors: `office_closed`.
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
    const closed = new Set(holidays);
    const { year, month, day: first } = wallTimeAt(now, zone);
    // A holiday closes one opening, and on one weekday a week is one of them each week.
    const horizon = HORIZON_DAYS + 7 * (holidays.length + 1);
    for (let ahead = 0; ahead <= horizon; ahead++) {
      const date = new Date(Date.UTC(year, month - 1, first + ahead));
      const weekday = days[(date.getUTCDay() + 6) % 7];
      if (!weekday || !open.includes(weekday) || closed.has(date.toISOString().slice(0, 10))) continue;
      const day = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
      if (now >= instantOf(onClock(day, to), zone)) continue;
      const begins = instantOf(onClock(day, from), zone);
      return now < begins ? begins : now;
    }
    throw badInput(
      'office_closed',
      `The office is not open on any of the next ${horizon} days. Correct its days, or the days it is closed on.`,
    );
  },
  resume: (_, until) => ({ waitedUntil: until.toISOString() }),
});

/** A day at a time such as 08:00. */
function onClock(day: Day, time: string): WallTime {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return { ...day, hour, minute, second: 0 };
}
