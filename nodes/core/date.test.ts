import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dayOf, readDay, serialOf } from './calendar.ts';
import { node } from './date.ts';
import { outputOf, run } from './testing.ts';
import { dayText, instantOf, offsetText, wallTimeAt } from './zoned-time.ts';

const holidays = [{ day: '2026-07-03' }, { day: '2026-12-25' }];
const zone = 'America/Denver';

describe('a day', () => {
  test.each([
    ['2026-03-31', { amount: 30, unit: 'days' }, '2026-04-30'],
    ['2026-01-31', { amount: 1, unit: 'months' }, '2026-02-28'],
    ['2028-01-31', { amount: 1, unit: 'months' }, '2028-02-29'],
    ['2026-03-31', { operation: 'subtract', amount: 1, unit: 'months' }, '2026-02-28'],
    ['2026-01-15', { operation: 'subtract', amount: 13, unit: 'months' }, '2024-12-15'],
    ['2028-02-29', { amount: 1, unit: 'years' }, '2029-02-28'],
    ['2026-12-28', { amount: 1, unit: 'weeks' }, '2027-01-04'],
    ['2026-03-31', { amount: -1 }, '2026-03-30'],
    ['2026-02-10', { operation: 'start-of-month' }, '2026-02-01'],
    ['2026-02-10', { operation: 'end-of-month' }, '2026-02-28'],
    ['2026-07-01', { amount: 1, unit: 'working-days' }, '2026-07-02'],
    ['2026-07-01', { amount: 2, unit: 'working-days', holidays }, '2026-07-06'],
    ['2026-07-01', { amount: 3, unit: 'working-days', holidays, saturdays: true }, '2026-07-06'],
    ['2026-07-06', { operation: 'subtract', amount: 1, unit: 'working-days', holidays }, '2026-07-02'],
    ['2026-07-04', { amount: 0, unit: 'working-days' }, '2026-07-04'],
    ['2026-07-03', { operation: 'working-day', holidays }, '2026-07-06'],
    ['2026-07-02', { operation: 'working-day', holidays }, '2026-07-02'],
    ['1999-12-31', { amount: 1 }, '2000-01-01'],
  ])('%s with %j is %s', async (date, options, expected) => {
    expect(await outputOf(node, { date, ...options })).toEqual({ date: expected });
  });

  test.each([
    ['2026-07-01', '2026-07-06', 'days', 5],
    ['2026-07-06', '2026-07-01', 'days', -5],
    ['2026-07-01', '2026-07-06', 'working-days', 2],
    ['2026-07-06', '2026-07-01', 'working-days', -2],
    ['2026-07-01', '2026-07-01', 'working-days', 0],
    // 1 July still in Denver: the day of a time is the day there.
    ['2026-07-01', '2026-07-02T05:00:00Z', 'days', 0],
  ])('from %s until %s there are, in %s, %i', async (date, until, unit, days) => {
    const options = { operation: 'between', unit, holidays, timeZone: zone };
    expect(await outputOf(node, { date, until, ...options })).toEqual({ days });
  });

  test.each([
    ['MMM D, YYYY', 'Jul 3, 2026'],
    ['dddd, MMMM DD', 'Friday, July 03'],
    ['ddd M/D/YY', 'Fri 7/3/26'],
    ['[Due on the] D', 'Due on the 3'],
    ['YYYY-MM-DD', '2026-07-03'],
  ])('written as %j is %j', async (format, text) => {
    expect(await outputOf(node, { date: '2026-07-03', operation: 'format', format })).toEqual({ text });
  });

  test('counted on and back is the same day', () => {
    fc.assert(
      fc.property(fc.integer({ min: -25_567, max: 84_005 }), (serial) => {
        const text = dayText(dayOf(serial));
        expect(serialOf(readDay(text) ?? { year: 0, month: 0, day: 0 })).toBe(serial);
      }),
    );
  });
});

describe('a time', () => {
  test.each([
    // Clocks go forward on 8 March 2026 and back on 1 November.
    [
      'a day later is the same time on the clock',
      '2026-03-07T17:00:00-07:00',
      { amount: 1 },
      '2026-03-08T17:00:00-06:00',
    ],
    ['24 hours later is not', '2026-03-07T17:00:00-07:00', { amount: 24, unit: 'hours' }, '2026-03-08T18:00:00-06:00'],
    [
      'a time that clocks skip is an hour later',
      '2026-03-07T02:30:00-07:00',
      { amount: 1 },
      '2026-03-08T03:30:00-06:00',
    ],
    ['a time that comes twice is the first', '2026-10-31T01:30:00-06:00', { amount: 1 }, '2026-11-01T01:30:00-06:00'],
    [
      'minutes go over the hour',
      '2026-11-01T01:59:00-06:00',
      { amount: 2, unit: 'minutes' },
      '2026-11-01T01:01:00-07:00',
    ],
    ['another offset is read', '2026-07-01T23:00:00Z', { amount: 0 }, '2026-07-01T17:00:00-06:00'],
    ['a month is a month there', '2026-02-01T05:00:00Z', { amount: 1, unit: 'months' }, '2026-02-28T22:00:00-07:00'],
    [
      'the next working day',
      '2026-07-02T12:00:00-06:00',
      { amount: 1, unit: 'working-days', holidays },
      '2026-07-06T12:00:00-06:00',
    ],
  ])('%s', async (_name, date, options, dateTime) => {
    expect(await outputOf(node, { date, timeZone: zone, ...options })).toEqual({
      date: dateTime.slice(0, 10),
      dateTime,
    });
  });

  test('falls on the day that it is in the company’s time zone', async () => {
    const date = '2026-04-01T03:00:00Z';
    expect(await outputOf(node, { date, operation: 'end-of-month', timeZone: zone })).toEqual({ date: '2026-03-31' });
    expect(await outputOf(node, { date, operation: 'end-of-month', timeZone: 'UTC' })).toEqual({ date: '2026-04-30' });
    const format = 'YYYY-MM-DD HH:mm, h:mm A';
    expect(await outputOf(node, { date, operation: 'format', format, timeZone: zone })).toEqual({
      text: '2026-03-31 21:00, 9:00 PM',
    });
    expect(
      await outputOf(node, {
        date: '2026-04-01T06:05:09Z',
        operation: 'format',
        format: 'H:mm:ss h A',
        timeZone: zone,
      }),
    ).toEqual({ text: '0:05:09 12 AM' });
  });

  test('on the clocks of any zone is the same moment again', () => {
    const zones = fc.constantFrom(
      'America/Denver',
      'Europe/Berlin',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
      'Pacific/Apia',
      'UTC',
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 7_000_000_000 }), zones, (seconds, timeZone) => {
        const at = new Date(seconds * 1_000);
        const wall = wallTimeAt(at, timeZone);
        const again = instantOf(wall, timeZone);
        // Only the second of two equal times on the clock is another moment: the first.
        expect(wallTimeAt(again, timeZone)).toEqual(wall);
        expect(again.getTime()).toBeLessThanOrEqual(at.getTime());
        expect(Date.parse(offsetText(at, timeZone))).toBe(at.getTime());
      }),
    );
  });
});

test.each([
  ['a day that is not', { date: '2026-02-29' }, 'date_invalid', /^The date is "2026-02-29"/],
  ['month 0', { date: '0000-00-00' }, 'date_invalid', /2026-03-31/],
  ['the year 275760', { date: '+275760-09-13' }, 'date_invalid', /date/],
  ['24:00', { date: '2026-03-31T24:00:00Z', timeZone: zone }, 'date_invalid', /date/],
  ['a leap second', { date: '2016-12-31T23:59:60Z', timeZone: zone }, 'date_invalid', /date/],
  ['a time without an offset', { date: '2026-03-31T10:00:00', timeZone: zone }, 'date_invalid', /offset/],
  ['the American order', { date: '3/31/2026' }, 'date_invalid', /date/],
  ['a time on a day that is not', { date: '2026-02-30T10:00:00Z', timeZone: zone }, 'date_invalid', /date/],
  ['a time without a zone', { date: '2026-03-31T10:00:00Z' }, 'time_zone_missing', /company\.timeZone/],
  ['a zone that is none', { date: '2026-03-31T10:00:00Z', timeZone: 'Denver' }, 'time_zone_unknown', /"Denver"/],
  ['hours of a day', { date: '2026-03-31', amount: 1, unit: 'hours' }, 'time_missing', /hours/],
  ['the time of a day', { date: '2026-03-31', operation: 'format', format: 'HH:mm' }, 'time_missing', /"HH"/],
  ['a format with words', { date: '2026-03-31', operation: 'format', format: 'due MMM D' }, 'format_invalid', /"d"/],
  [
    'a format that is a name of JavaScript',
    { date: '2026-03-31', operation: 'format', format: 'constructor' },
    'format_invalid',
    /"c"/,
  ],
  ['the year 2300', { date: '2026-03-31', amount: 300, unit: 'years' }, 'date_out_of_range', /2199/],
  [
    'the year −98000',
    { date: '2026-03-31', operation: 'subtract', amount: 100_000, unit: 'years' },
    'date_out_of_range',
    /1900/,
  ],
  [
    'a holiday that is none',
    { date: '2026-03-31', holidays: [{ day: '2026-12-25' }, { day: 'Christmas' }] },
    'date_invalid',
    /^Holiday 2 is "Christmas"/,
  ],
  ['days until nothing', { date: '2026-03-31', operation: 'between' }, 'date_invalid', /^"Until"/],
  [
    'months until a day',
    { date: '2026-03-31', operation: 'between', until: '2026-04-30', unit: 'months' },
    'unit_invalid',
    /months/,
  ],
])('%s is refused', async (_name, input, code, message) => {
  await expect(run(node, input)).rejects.toMatchObject({
    kind: 'invalid',
    code,
    message: expect.stringMatching(message),
  });
});
