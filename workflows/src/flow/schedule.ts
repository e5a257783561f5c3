import { Cron } from 'croner';
import cronstrue from 'cronstrue';

/** Times in five fields: minute, hour, day of month, month, day of week. Seconds and years are no times of an office. */
const options = { mode: '5-part', paused: true } as const;

/** Why these are no times to start at, or undefined when they are. */
export function scheduleProblem(
  cron: string,
  timeZone?: string,
): { readonly message: string; readonly fix: string } | undefined {
  if (timeZone !== undefined && !isTimeZone(timeZone))
    return {
      message: `"${timeZone}" is no time zone.`,
      fix: 'Use a name like America/New_York, or leave it empty for the company’s.',
    };
  try {
    if (new Cron(cron, options).nextRun() !== null) return undefined;
    return { message: `"${cron}" never comes.`, fix: 'Choose a day that exists, such as "0 7 28 2 *".' };
  } catch {
    return {
      message: `"${cron}" is no time.`,
      fix: 'Write five fields: minute, hour, day of month, month, day of week. "0 7 * * 1-5" is 7:00 on working days.',
    };
  }
}

/**
 * The next times after a moment, in the zone's own clock: an hour that the clocks skip comes when they have jumped, one that they repeat comes once.
 * @throws when `scheduleProblem` has something to say.
 */
export function nextTimes(cron: string, timeZone: string, after: Date, count: number): Date[] {
  return new Cron(cron, { ...options, timezone: timeZone }).nextRuns(count, after);
}

/**
 * Every time after `after` and not later than `until`.
 * @throws when `scheduleProblem` has something to say.
 */
export function timesBetween(cron: string, timeZone: string, after: Date, until: Date): Date[] {
  const times: Date[] = [];
  const pattern = new Cron(cron, { ...options, timezone: timeZone });
  for (let next = pattern.nextRun(after); next && next <= until; next = pattern.nextRun(next)) times.push(next);
  return times;
}

/** Times in words: `0 7 * * 1-5` is "At 7:00 AM, Monday through Friday". Undefined when they are none. */
export function describeTimes(cron: string): string | undefined {
  try {
    return cronstrue.toString(cron).replaceAll(/\b0(\d:\d\d)/g, '$1');
  } catch {
    return undefined;
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
