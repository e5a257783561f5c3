import { describe, expect, test } from 'vitest';
import { describeTimes, nextTimes, scheduleProblem, timesBetween } from './schedule.ts';

describe('times', () => {
  test.each(['0 7 * * 1-5', '*/5 * * * *', '30 16 L * *', '0 6 1 JAN,JUL *'])('%s is one', (cron) => {
    expect(scheduleProblem(cron, 'America/New_York')).toBeUndefined();
  });

  test.each([
    ['', 'is no time'],
    ['every morning', 'is no time'],
    ['0 7 * *', 'is no time'],
    ['*/5 * * * * *', 'is no time'],
    ['61 7 * * *', 'is no time'],
    ['0 7 31 2 *', 'never comes'],
  ])('"%s" is none', (cron, message) => {
    expect(scheduleProblem(cron)?.message).toContain(message);
  });

  test('a zone that does not exist is named', () => {
    expect(scheduleProblem('0 7 * * *', 'Mars/Olympus')?.message).toBe('"Mars/Olympus" is no time zone.');
  });

  test('are those of the zone’s own clock, over the change of it', () => {
    const times = nextTimes('30 7 * * *', 'America/New_York', new Date('2026-03-07T00:00:00Z'), 3);
    expect(times.map((time) => time.toISOString())).toEqual([
      '2026-03-07T12:30:00.000Z',
      '2026-03-08T11:30:00.000Z',
      '2026-03-09T11:30:00.000Z',
    ]);
  });

  test('an hour that is skipped comes after the jump, one that is repeated comes once', () => {
    const skipped = nextTimes('30 2 * * *', 'America/New_York', new Date('2026-03-08T05:00:00Z'), 2);
    expect(skipped).toHaveLength(2);
    expect(skipped[0]?.toISOString().slice(0, 10)).toBe('2026-03-08');
    const repeated = nextTimes('30 1 * * *', 'America/New_York', new Date('2026-11-01T04:00:00Z'), 2);
    expect(repeated.map((time) => time.toISOString().slice(0, 10))).toEqual(['2026-11-01', '2026-11-02']);
  });

  test('every hour comes once an hour, also where the clocks jump', () => {
    const gaps = (from: string, to: string) => {
      const times = timesBetween('0 * * * *', 'America/New_York', new Date(from), new Date(to));
      return [
        times.length,
        new Set(times.slice(1).map((time, index) => time.getTime() - (times[index]?.getTime() ?? 0))),
      ];
    };
    expect(gaps('2026-03-08T00:00:00Z', '2026-03-09T00:00:00Z')).toEqual([24, new Set([3_600_000])]);
  });

  test('are listed up to a moment, that moment with them', () => {
    const times = timesBetween(
      '*/10 * * * *',
      'UTC',
      new Date('2026-11-24T12:00:00Z'),
      new Date('2026-11-24T12:30:00Z'),
    );
    expect(times.map((time) => time.toISOString().slice(11, 16))).toEqual(['12:10', '12:20', '12:30']);
  });

  test.each([
    ['0 7 * * 1-5', 'At 7:00 AM, Monday through Friday'],
    ['*/5 * * * *', 'Every 5 minutes'],
    ['30 16 L * *', 'At 4:30 PM, on the last day of the month'],
    ['never', undefined],
  ])('%s in words', (cron, words) => {
    expect(describeTimes(cron)).toBe(words);
  });
});
