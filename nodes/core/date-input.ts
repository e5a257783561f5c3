import { badInput, shown } from './bad-input.ts';
import { readDay, serialOf } from './calendar.ts';
import { dayText, isTimeZone, wallTimeAt, type Day, type WallTime } from './zoned-time.ts';

/** A moment, and what the clocks of the chosen zone show at it. */
export type Moment = WallTime & { readonly instant: Date };

/**
 * Reads a whole day, or a time with its offset.
 * @throws ConnectorFailure `date_invalid`, `time_zone_missing` or `time_zone_unknown`
 */
export function readDate(text: string, title: string, zone: string): Day | Moment {
  const day = readDay(text);
  if (day) return day;
  const match =
    /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/.exec(
      text,
    );
  if (!match || !readDay(match[1] ?? ''))
    throw badInput(
      'date_invalid',
      `${title} is ${shown(text)}. Give a day like 2026-03-31, or a time with its offset like 2026-03-31T17:00:00Z.`,
    );
  if (zone === '')
    throw badInput(
      'time_zone_missing',
      `${title} has a time, and on which day it falls depends on the time zone. Fill it in, for example with company.timeZone.`,
    );
  if (!isTimeZone(zone))
    throw badInput('time_zone_unknown', `There is no time zone ${shown(zone)}. Choose one like America/Denver.`);
  const instant = new Date(text);
  return { ...wallTimeAt(instant, zone), instant };
}

/** One entry of a list of holidays, as `serialOf` counts. @throws ConnectorFailure `date_invalid` */
export function readHoliday({ day }: { readonly day: string }, index: number): number {
  const found = readDay(day);
  if (!found) throw badInput('date_invalid', `Holiday ${index + 1} is ${shown(day)}. Give a day like 2026-07-03.`);
  return serialOf(found);
}

/** The day as text. @throws ConnectorFailure `date_out_of_range` */
export function dateInRange(day: Day): string {
  if (!(day.year >= 1900 && day.year <= 2199))
    throw badInput('date_out_of_range', 'The date would be before 1900 or after 2199. Correct how many are added.');
  return dayText(day);
}
