import { describe, expect, test } from 'vitest';
import { ago, day, duration, fullMoment, moment, money, plural, words } from './format.ts';

describe('money', () => {
  test('keeps every cent of an amount too long for a float', () => {
    expect(money('900719925474099.23')).toBe('$900,719,925,474,099.23');
  });

  test('is written in its own currency, below zero too', () => {
    expect(money('-12.50', 'CAD')).toBe('-CA$12.50');
  });

  test('what is no amount is left alone', () => {
    expect(money('twelve')).toBe('twelve');
  });
});

describe('times', () => {
  test('a day has no zone, so it never slips to the day before', () => {
    expect(day('2026-03-01')).toBe('Mar 1, 2026');
  });

  test('a moment is told in the company’s zone', () => {
    expect(moment('2026-03-01T04:30:00Z', 'America/New_York')).toMatch(/^Feb 28, 2026, 11:30/);
  });

  test('the full moment names the zone and UTC', () => {
    expect(fullMoment('2026-07-01T18:14:09Z', 'America/New_York')).toMatch(/2:14:09\sPM EDT · 18:14:09 UTC$/);
  });

  test.each([
    [0, 'now'],
    [42_000, '42 s ago'],
    [3_599_000, '59 min ago'],
    [-7_200_000, 'in 2 h'],
    [260_000_000, '3 d ago'],
  ])('%i ms later it is "%s"', (ms, text) => {
    const at = '2026-03-01T00:00:00Z';
    expect(ago(at, Date.parse(at) + ms)).toBe(text);
  });

  test.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_240, '1.2 s'],
    [59_400, '59 s'],
    [125_000, '2 min 5 s'],
    [3_600_000, '1 h'],
    [187_200_000, '2 d 4 h'],
  ])('%i ms lasts "%s"', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

test('one of a thing is not many', () => {
  expect([plural(1, 'flow'), plural(1_204, 'flow')]).toEqual(['1 flow', '1,204 flows']);
});

test('a key of data reads as words', () => {
  expect([words('invoiceDate'), words('vendor_invoice'), words('needs-reconnect')]).toEqual([
    'Invoice date',
    'Vendor invoice',
    'Needs reconnect',
  ]);
});
