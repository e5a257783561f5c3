import { z } from 'zod';
import { defineWait } from '../sdk/index.ts';
import { badInput } from './bad-input.ts';
import { readDay } from './calendar.ts';
import { instantOf } from './zoned-time.ts';

const MS = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;
const YEAR_MS = 366 * MS.days;

/**
 * Lets time pass, from a minute to a year. Nothing sleeps meanwhile: the wait is a durable timer that survives restarts and updates.
 * A time that has passed already is no wait at all. A day begins at midnight where the company is.
 *
 * Errors: `date_invalid`, `required_missing` when the time to wait for is mapped to null or empty text, `wait_too_long`.
 */
export const node = defineWait({
  id: 'core.wait',
  title: 'Wait',
  description: 'Goes on after some time, or at a time.',
  category: 'Logic',
  icon: 'hourglass',
  input: z.object({
    amount: z.number().min(0).max(100_000).default(1).meta({ title: 'How long' }),
    unit: z.enum(['minutes', 'hours', 'days']).default('hours').meta({ title: 'Of what' }),
    until: z.string().max(40).nullish().meta({
      title: 'Or until',
      description: 'A day or a time with its offset, such as 2026-12-01T07:00:00-05:00. Takes the place of "How long".',
      type: 'string',
      nothingIsNull: true,
    }),
  }),
  output: z.object({ waitedUntil: z.string() }),
  example: { amount: 2, unit: 'days' },
  until: ({ amount, unit, until }, now, { timeZone }) => {
    // Left empty it is undefined; what it is mapped to may be nothing.
    if (until === null || until === '')
      throw badInput(
        'required_missing',
        'The step got no time to wait for. Fill it in where it is taken from, or give the mapping a fallback, then retry.',
      );
    const time = until === undefined ? new Date(now.getTime() + amount * MS[unit]) : readTime(until, timeZone);
    if (time.getTime() - now.getTime() > YEAR_MS)
      throw badInput(
        'wait_too_long',
        `This would wait until ${time.toISOString().slice(0, 10)}, and no wait is longer than a year.`,
      );
    return time;
  },
  resume: (_, until) => ({ waitedUntil: until.toISOString() }),
});

/** A day begins at midnight by the clocks of the company. */
function readTime(text: string, zone: string): Date {
  const day = readDay(text);
  if (day) return instantOf({ ...day, hour: 0, minute: 0, second: 0 }, zone);
  const [date = '', clock] = text.split('T');
  const time =
    clock !== undefined &&
    readDay(date) &&
    /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/.test(clock)
      ? new Date(text)
      : undefined;
  if (time && !Number.isNaN(time.getTime())) return time;
  throw badInput(
    'date_invalid',
    `"${text.slice(0, 60)}" is no time to wait for. Give a day like 2026-12-01, or a time with its offset like 2026-12-01T07:00:00-05:00.`,
  );
}
