import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput } from './bad-input.ts';
import * as calendar from './calendar.ts';
import { formatDate } from './date-format.ts';
import { dateInRange, readDate, readHoliday, type Moment } from './date-input.ts';
import { dayText, instantOf, offsetText, wallTimeAt, type Day } from './zoned-time.ts';

const operations = {
  add: 'Add',
  subtract: 'Subtract',
  'start-of-month': 'First day of the month',
  'end-of-month': 'Last day of the month',
  'working-day': 'That day, or the next working day',
  between: 'Days until another date',
  format: 'Write it in another way',
} as const;
const units = ['days', 'working-days', 'weeks', 'months', 'years', 'hours', 'minutes'] as const;

const input = z.object({
  date: z
    .string()
    .min(1)
    .max(40)
    .meta({ title: 'Date', description: '2026-03-31, or with a time: 2026-03-31T17:00:00Z' }),
  operation: z
    .enum(Object.keys(operations) as [keyof typeof operations])
    .default('add')
    .meta({ title: 'Do', labels: operations }),
  amount: z.int().min(-100_000).max(100_000).default(0).meta({ title: 'How many', description: 'To add or subtract.' }),
  unit: z.enum(units).default('days').meta({ title: 'Of what' }),
  until: z.string().max(40).default('').meta({ title: 'Until', description: 'For the days until another date.' }),
  format: z
    .string()
    .max(100)
    .default('MMM D, YYYY')
    .meta({ title: 'Format', description: 'YYYY MM DD, MMM D, dddd, HH:mm, h:mm A; words in [brackets].' }),
  timeZone: z
    .string()
    .max(60)
    .default('')
    .meta({ title: 'Time zone', description: 'Needed for dates with a time: company.timeZone, or America/Denver.' }),
  holidays: z
    .array(z.object({ day: z.string().max(40).meta({ title: 'Day' }) }))
    .max(1_000)
    .default([])
    .meta({ title: 'Holidays', description: 'Days that are not worked.', advanced: true }),
  saturdays: z.boolean().default(false).meta({ title: 'Saturday is a working day', advanced: true }),
});
type Input = z.infer<typeof input>;

const moved = z.object({ date: z.string(), dateTime: z.string().optional() });
const counted = z.object({ days: z.number() });
const written = z.object({ text: z.string() });
const outputs: Readonly<Record<Input['operation'], z.ZodType>> = {
  ...{ add: moved, subtract: moved, 'start-of-month': moved, 'end-of-month': moved, 'working-day': moved },
  ...{ between: counted, format: written },
};

/**
 * Computes with dates as an office does: whole days, and times by the clocks of the company's time zone. A month after 31 January is
 * 28 February; a day later is the same time on the clock, whatever the clocks did in between. Years 1900 to 2199.
 *
 * Errors: `date_invalid`, `date_out_of_range`, `time_missing`, `time_zone_missing`, `time_zone_unknown`, `format_invalid`, `unit_invalid`.
 */
export const node = defineAction({
  id: 'core.date',
  title: 'Work out a date',
  description: 'Adds days, finds the end of the month or the next working day, or writes a date.',
  category: 'Data',
  icon: 'calendar-days',
  effect: 'none',
  source: 'https://www.rfc-editor.org/rfc/rfc3339',
  input,
  output: z.object({
    date: z.string().optional(),
    dateTime: z.string().optional(),
    text: z.string().optional(),
    days: z.number().optional(),
  }),
  outputFor: ({ operation }) =>
    typeof operation === 'string' && Object.hasOwn(outputs, operation)
      ? outputs[operation as Input['operation']]
      : undefined,
  example: { date: '2026-03-31', operation: 'add', amount: 30, unit: 'days' },
  run: ({ input: given }) => Promise.resolve({ output: compute(given) }),
});

function compute(given: Input): z.infer<typeof moved> | z.infer<typeof counted> | z.infer<typeof written> {
  const value = readDate(given.date, 'The date', given.timeZone);
  const work: calendar.WorkCalendar = {
    holidays: new Set(given.holidays.map(readHoliday)),
    saturdays: given.saturdays,
  };
  const serial = calendar.serialOf(value);
  switch (given.operation) {
    case 'add':
      return move(value, given.amount, given, work);
    case 'subtract':
      return move(value, -given.amount, given, work);
    case 'start-of-month':
      return { date: dayText({ ...value, day: 1 }) };
    case 'end-of-month':
      return { date: dayText({ ...value, day: calendar.daysIn(value.year, value.month) }) };
    case 'working-day':
      return {
        date: dateInRange(
          calendar.dayOf(calendar.isWorkingDay(serial, work) ? serial : calendar.addWorkingDays(serial, 1, work)),
        ),
      };
    case 'format':
      return { text: formatDate(value, given.format) };
    case 'between': {
      const until = calendar.serialOf(readDate(given.until, '"Until"', given.timeZone));
      if (given.unit !== 'days' && given.unit !== 'working-days')
        throw badInput(
          'unit_invalid',
          `The time until another date is counted in days or working days, not in ${given.unit}. Choose one of these.`,
        );
      return { days: given.unit === 'days' ? until - serial : calendar.workingDaysBetween(serial, until, work) };
    }
  }
}

function move(
  value: Day | Moment,
  amount: number,
  { unit, timeZone }: Input,
  work: calendar.WorkCalendar,
): z.infer<typeof moved> {
  if (unit === 'hours' || unit === 'minutes') {
    if (!('instant' in value))
      throw badInput(
        'time_missing',
        `A whole day has no ${unit} to add to. Give a date with a time, such as 2026-03-31T17:00:00Z.`,
      );
    const at = new Date(value.instant.getTime() + amount * (unit === 'hours' ? 3_600_000 : 60_000));
    return { date: dateInRange(wallTimeAt(at, timeZone)), dateTime: offsetText(at, timeZone) };
  }
  const day = moveDay(value, amount, unit, work);
  const date = dateInRange(day);
  return 'hour' in value
    ? { date, dateTime: offsetText(instantOf({ ...value, ...day }, timeZone), timeZone) }
    : { date };
}

function moveDay(
  day: Day,
  amount: number,
  unit: Exclude<Input['unit'], 'hours' | 'minutes'>,
  work: calendar.WorkCalendar,
): Day {
  const serial = calendar.serialOf(day);
  switch (unit) {
    case 'days':
      return calendar.dayOf(serial + amount);
    case 'weeks':
      return calendar.dayOf(serial + 7 * amount);
    case 'working-days':
      return calendar.dayOf(calendar.addWorkingDays(serial, amount, work));
    case 'months':
      return calendar.addMonths(day, amount);
    case 'years':
      return calendar.addMonths(day, 12 * amount);
  }
}
