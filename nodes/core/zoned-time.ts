/** A day of the calendar, as numbers; the month counts from 1. */
export interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** What a clock on the wall shows. */
export interface WallTime extends Day {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether the zone is one of the tz database, such as America/Denver. */
export function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** What the clocks of a zone show at a moment. @throws RangeError for an unknown zone */
export function wallTimeAt(instant: Date, zone: string): WallTime {
  const parts = formatOf(zone).formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((candidate) => candidate.type === type)?.value);
  return {
    year: part('year'),
    month: part('month'),
    day: part('day'),
    hour: part('hour'),
    minute: part('minute'),
    second: part('second'),
  };
}

/**
 * The moment at which the clocks of a zone show a time. When clocks go back it is the first of the two;
 * a time that they skip is as much later as they skipped, as in calendars everywhere.
 */
export function instantOf(wall: WallTime, zone: string): Date {
  const asUtc = utcOf(wall);
  const offsets = [asUtc - 86_400_000, asUtc + 86_400_000].map((at) => offsetAt(new Date(at), zone));
  const fitting = offsets
    .map((offset) => asUtc - offset)
    .filter((at) => utcOf(wallTimeAt(new Date(at), zone)) === asUtc);
  // In a gap the offset from before it moves the time past it.
  return new Date(fitting.length > 0 ? Math.min(...fitting) : asUtc - (offsets[0] ?? 0));
}

/** The moment with the zone's offset: `2026-03-02T08:00:00-07:00`. */
export function offsetText(instant: Date, zone: string): string {
  const { year, month, day, hour, minute, second } = wallTimeAt(instant, zone);
  const offset = Math.round(offsetAt(instant, zone) / 60_000);
  const size = Math.abs(offset);
  return `${dayText({ year, month, day })}T${two(hour)}:${two(minute)}:${two(second)}${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** `2026-03-02`. */
export function dayText({ year, month, day }: Day): string {
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function offsetAt(instant: Date, zone: string): number {
  return utcOf(wallTimeAt(instant, zone)) - Math.floor(instant.getTime() / 1_000) * 1_000;
}

function utcOf({ year, month, day, hour, minute, second }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Making one takes a hundred times as long as using it. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  if (formats.size > 500) formats.clear();
  formats.set(zone, format);
  return format;
}
