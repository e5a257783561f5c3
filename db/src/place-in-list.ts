import { isUuid } from './uuid.ts';

const time =
  /^([12]\d{3}-[01]\d-[0-3]\d)[ T](?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-4])(?::[0-5]\d)?)$/;

/** Whether this can be where a page of a list ended: a time and an id, as the database itself would read them. */
export function isPlaceInList(at: unknown, id: unknown): boolean {
  if (typeof at !== 'string' || typeof id !== 'string' || !isUuid(id)) return false;
  const day = time.exec(at)?.[1];
  return day !== undefined && isDay(day);
}

/** There is no 30th of February, but a `Date` makes the 2nd of March of it. */
function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
