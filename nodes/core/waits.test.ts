import { describe, expect, test } from 'vitest';
import { node as forEvent } from './wait-for-event.ts';
import { node as forTime } from './wait.ts';
import { node as forHours } from './wait-for-hours.ts';
import { node as forWebhook } from './wait-for-webhook.ts';

const zone = { timeZone: 'America/New_York' };
const until = (input: object, now: string): string =>
  forHours.wait?.until(forHours.input.parse(input) as never, new Date(now), zone).toISOString() ?? '';

describe('office hours', () => {
  test.each([
    ['within them', {}, '2026-03-03T15:00:00Z', '2026-03-03T15:00:00.000Z'],
    ['before they begin', {}, '2026-03-03T11:00:00Z', '2026-03-03T13:00:00.000Z'],
    ['when they have just ended', {}, '2026-03-03T22:00:00Z', '2026-03-04T13:00:00.000Z'],
    ['on Friday evening', {}, '2026-03-06T23:00:00Z', '2026-03-09T12:00:00.000Z'],
    ['before a holiday', { holidays: ['2026-03-04'] }, '2026-03-03T23:00:00Z', '2026-03-05T13:00:00.000Z'],
    ['on Saturdays only', { days: ['saturday'] }, '2026-03-02T15:00:00Z', '2026-03-07T13:00:00.000Z'],
    ['in another zone', { timeZone: 'America/Denver' }, '2026-03-03T14:00:00Z', '2026-03-03T15:00:00.000Z'],
    // Clocks go forward in the night to Sunday, 8 March: eight o'clock comes an hour sooner by the sun.
    ['over the change to summer time', { days: ['sunday'] }, '2026-03-07T23:00:00Z', '2026-03-08T12:00:00.000Z'],
  ])('%s', (_, input, now, expected) => {
    expect(until(input, now)).toBe(expected);
  });

  const from = (first: string, count: number, step = 1) =>
    Array.from({ length: count }, (_, index) =>
      new Date(Date.parse(first) + index * step * 86_400_000).toISOString().slice(0, 10),
    );

  test.each([
    ['four weeks over the holidays', { holidays: from('2026-12-14', 26) }, '2026-12-13T15:00:00Z', '2027-01-11'],
    [
      'four Mondays, of an office that opens on Mondays',
      { days: ['monday'], holidays: from('2026-03-02', 4, 7) },
      '2026-03-02T15:00:00Z',
      '2026-03-30',
    ],
    ['more than a year', { holidays: from('2026-03-02', 400) }, '2026-03-02T15:00:00Z', '2027-04-06'],
    [
      'as many Mondays as can be listed',
      { days: ['monday'], holidays: from('2026-03-02', 400, 7) },
      '2026-03-02T15:00:00Z',
      '2033-10-31',
    ],
  ])('closed for %s are waited for, however long that is', (_, input, now, expected) => {
    expect(until(input, now).slice(0, 10)).toBe(expected);
  });

  test.each([
    [{ from: '8:00' }],
    [{ from: '17:00', to: '08:00' }],
    [{ timeZone: 'Mars/Base' }],
    [{ days: [] }],
    [{ holidays: ['2026-02-30'] }],
  ])('refuse %j', (input) => {
    expect(forHours.input.safeParse(input).success).toBe(false);
  });
});

describe('waiting for a time', () => {
  const wait = (input: object, zoneOf = zone): Date | undefined =>
    forTime.wait?.until(forTime.input.parse(input) as never, new Date('2026-11-01T15:30:00Z'), zoneOf);

  test.each([
    ['of two days', { amount: 2, unit: 'days' }, '2026-11-03T15:30:00.000Z'],
    ['that is left as it is', {}, '2026-11-01T16:30:00.000Z'],
    ['until a day', { until: '2026-11-29' }, '2026-11-29T05:00:00.000Z'],
    ['until a day in summer time', { until: '2027-07-04' }, '2027-07-04T04:00:00.000Z'],
    ['until a time with its offset', { until: '2026-12-01T07:00:00-05:00' }, '2026-12-01T12:00:00.000Z'],
    ['until a time without seconds', { until: '2026-12-01T07:00Z' }, '2026-12-01T07:00:00.000Z'],
    ['until a part of a second', { until: '2026-12-01T07:00:00.250Z' }, '2026-12-01T07:00:00.250Z'],
    ['until what has passed', { until: '2026-01-01' }, '2026-01-01T05:00:00.000Z'],
  ])('%s ends then', (_, input, expected) => {
    expect(wait(input)?.toISOString()).toBe(expected);
  });

  test('until a day ends at midnight where the company is', () => {
    expect(wait({ until: '2026-11-29' }, { timeZone: 'Asia/Kolkata' })).toEqual(new Date('2026-11-28T18:30:00Z'));
  });

  test.each([
    ['date_invalid', { until: '2027-02-30' }],
    ['date_invalid', { until: '2027-02-30T07:00:00Z' }],
    ['date_invalid', { until: '2026-12-01T24:00:00Z' }],
    ['date_invalid', { until: '2026-12-01T07:00:00' }],
    ['date_invalid', { until: 'tomorrow' }],
    ['required_missing', { until: '' }],
    ['required_missing', { until: null }],
    ['wait_too_long', { until: '2028-01-01' }],
    ['wait_too_long', { amount: 400, unit: 'days' }],
  ])('fails with %s for %j', (code, input) => {
    expect(() => wait(input)).toThrow(expect.objectContaining({ kind: 'invalid', code }));
  });
});

describe('waiting for something to happen', () => {
  const open = async (more: object = {}) => {
    const input = forEvent.input.parse({ entity: 'vendor_invoice', change: 'paid', equals: '7', ...more });
    const expected: unknown[] = [];
    const hold = await forEvent.hold?.open({
      input: input as never,
      now: () => new Date('2026-03-02T12:00:00Z'),
      platform: { expect: (event: unknown) => Promise.resolve(void expected.push(event)) } as never,
    } as never);
    return { hold, expected };
  };

  test('looks for the value where the record has it, for as long as it is told', async () => {
    expect(await open()).toEqual({
      hold: { until: new Date('2026-03-09T12:00:00Z') },
      expected: [{ key: 'vendor_invoice.paid', path: ['record', 'id'], value: '7' }],
    });
    expect((await open({ amount: 0 })).hold).toEqual({});
    expect((await open({ field: 'vendor.id' })).expected).toMatchObject([{ path: ['record', 'vendor', 'id'] }]);
  });

  test('goes one way when it happened and another when its time is up', () => {
    const at = new Date('2026-03-02T12:00:00Z');
    expect(forEvent.hold?.close({} as never, { kind: 'answered', answer: { a: 1 }, at })).toEqual({
      output: { happened: true, event: { a: 1 } },
    });
    expect(forEvent.hold?.close({} as never, { kind: 'expired', at })).toEqual({
      output: { happened: false, event: null },
      port: 'timeout',
    });
  });
});

describe('waiting for a webhook', () => {
  const key = '0123456789abcdefABCDEF';
  test.each([`https://plumbline.example/hooks/${key}`, `http://127.0.0.1:4400/hooks/${key}`, key])(
    'looks for the value in the body of what comes to %s',
    async (address) => {
      const expected: unknown[] = [];
      const input = forWebhook.input.parse({ address, field: 'data.envelope-id', equals: 7 });
      await forWebhook.hold?.open({
        ...{ input: input as never, now: () => new Date() },
        platform: { expectWebhook: (event: unknown) => Promise.resolve(void expected.push(event)) } as never,
      } as never);
      expect(expected).toEqual([{ key, path: ['body', 'data', 'envelope-id'], value: '7' }]);
    },
  );

  test.each([{ address: 'https://plumbline.example/other' }, { address: 'short' }, { field: 'a..b' }, { field: '' }])(
    'refuses %j',
    (more) => {
      expect(forWebhook.input.safeParse({ address: key, equals: '7', ...more }).success).toBe(false);
    },
  );

  test('hands on what came, or that its time is up', () => {
    const at = new Date('2026-03-02T12:00:00Z');
    const answer = { body: { id: 7 }, headers: { a: 'b' }, query: {} };
    expect(forWebhook.hold?.close({} as never, { kind: 'answered', answer, at })).toEqual({
      output: { happened: true, body: { id: 7 }, headers: { a: 'b' } },
    });
    expect(forWebhook.hold?.close({} as never, { kind: 'expired', at })).toEqual({
      output: { happened: false, body: null, headers: null },
      port: 'timeout',
    });
  });
});
