import type { Day } from './zoned-time.ts';

/** Which days are worked. */
export interface WorkCalendar {
  /** Days as `serialOf` counts them. */
  readonly holidays: ReadonlySet<number>;
  readonly saturdays: boolean;
}

/** Days since 1970-01-01. Years 1900 to 2199; `dayOf` is the way back. */
export function serialOf({ year, month, day }: Day): number {
  return Date.UTC(year, month - 1, day) / 86_400_000;
}

/** The day with that number. */
export function dayOf(serial: number): Day {
  const date = new Date(serial * 86_400_000);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** `YYYY-MM-DD` of a day that exists, from 1900 to 2199. */
export function readDay(text: string): Day | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number);
  const fits = year >= 1900 && year <= 2199 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  return fits ? { year, month, day } : undefined;
}

/** How many days a month has. */
export function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** The same day of another month, or its last day: a month after 31 January is 28 February. */
export function addMonths({ year, month, day }: Day, months: number): Day {
  const index = year * 12 + (month - 1) + months;
  const moved = { year: Math.floor(index / 12), month: (((index % 12) + 12) % 12) + 1 };
  return { ...moved, day: Math.min(day, daysIn(moved.year, moved.month)) };
}

/** Monday to Friday, and Saturday where it is worked; never a holiday. */
export function isWorkingDay(serial: number, { holidays, saturdays }: WorkCalendar): boolean {
  // Day 0 was a Thursday.
  const weekday = (((serial + 4) % 7) + 7) % 7;
  return weekday !== 0 && (weekday !== 6 || saturdays) && !holidays.has(serial);
}

/** So many working days on, or back when negative; 0 stays where it is, worked or not. */
export function addWorkingDays(serial: number, count: number, calendar: WorkCalendar): number {
  const step = Math.sign(count);
  let at = serial;
  for (let left = Math.abs(count); left > 0;) {
    at += step;
    if (isWorkingDay(at, calendar)) left -= 1;
  }
  return at;
}

/** Working days after one day, up to and with another; negative when that comes first. */
export function workingDaysBetween(from: number, until: number, calendar: WorkCalendar): number {
  const step = Math.sign(until - from);
  let count = 0;
  for (let at = from; at !== until;) {
    at += step;
    if (isWorkingDay(at, calendar)) count += step;
  }
  return count;
}
