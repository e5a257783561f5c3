import type { ScheduleConfig } from '@plumbline/nodes';

/** A time that is not older than this was not missed: the clock of the scheduler ticks every second, and may be slow for a moment. */
export const ON_TIME_MS = 60_000;

export interface DueTimes {
  /** To start at now, in order. */
  readonly fire: readonly Date[];
  /** That are left out, in order. */
  readonly missed: readonly Date[];
}

/** Divides times that have come into those that are caught up on and those that are not. Pure: the same times and clock give the same answer. */
export function catchUp(
  times: readonly Date[],
  { catchUp: policy, windowMinutes }: Pick<ScheduleConfig, 'catchUp' | 'windowMinutes'>,
  now: Date,
): DueTimes {
  const age = (time: Date): number => now.getTime() - time.getTime();
  const latest = times.at(-1);
  const fires = (time: Date): boolean =>
    age(time) <= ON_TIME_MS ||
    (policy === 'all' && age(time) <= windowMinutes * 60_000) ||
    (policy === 'latest' && time === latest);
  return { fire: times.filter(fires), missed: times.filter((time) => !fires(time)) };
}
