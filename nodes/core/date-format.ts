import { badInput, shown } from './bad-input.ts';
import { serialOf } from './calendar.ts';
import type { Day, WallTime } from './zoned-time.ts';

const months = 'January February March April May June July August September October November December'.split(' ');
const weekdays = 'Thursday Friday Saturday Sunday Monday Tuesday Wednesday'.split(' ');

const ofDay: Readonly<Record<string, (day: Day) => string>> = {
  YYYY: ({ year }) => String(year),
  YY: ({ year }) => String(year).slice(-2),
  MMMM: ({ month }) => months[month - 1] ?? '',
  MMM: ({ month }) => (months[month - 1] ?? '').slice(0, 3),
  MM: ({ month }) => two(month),
  M: ({ month }) => String(month),
  DD: ({ day }) => two(day),
  D: ({ day }) => String(day),
  dddd: (day) => weekday(day),
  ddd: (day) => weekday(day).slice(0, 3),
};
const ofTime: Readonly<Record<string, (time: WallTime) => string>> = {
  HH: ({ hour }) => two(hour),
  H: ({ hour }) => String(hour),
  hh: ({ hour }) => two(hour % 12 || 12),
  h: ({ hour }) => String(hour % 12 || 12),
  mm: ({ minute }) => two(minute),
  ss: ({ second }) => two(second),
  A: ({ hour }) => (hour < 12 ? 'AM' : 'PM'),
};

/**
 * A day, or a time, by a pattern such as `MMM D, YYYY` or `dddd [the] D`; words stand in brackets.
 * @throws ConnectorFailure `format_invalid` for a letter that means nothing, `time_missing` for the time of a whole day
 */
export function formatDate(value: Day | WallTime, pattern: string): string {
  return pattern.replace(/\[([^\]]*)\]|([A-Za-z])\2*/g, (token, literal?: string) => {
    if (literal !== undefined) return literal;
    if (Object.hasOwn(ofDay, token)) return ofDay[token]?.(value) ?? '';
    if (!Object.hasOwn(ofTime, token))
      throw badInput(
        'format_invalid',
        `The format has ${shown(token)}, which stands for nothing. Put words in brackets: [due] MMM D, YYYY.`,
      );
    if (!('hour' in value))
      throw badInput(
        'time_missing',
        `The format asks for ${shown(token)}, but the date is a whole day. Leave the time out, or give a date with a time.`,
      );
    return ofTime[token]?.(value) ?? '';
  });
}

function weekday(day: Day): string {
  return weekdays[((serialOf(day) % 7) + 7) % 7] ?? '';
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
