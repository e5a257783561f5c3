import { expect, test } from 'vitest';
import { EndpointLimit } from './endpoint-limit.ts';

const start = new Date('2026-11-24T15:00:00Z');
const later = (seconds: number): Date => new Date(start.getTime() + seconds * 1_000);

/** How many of so many deliveries a second come in. */
function flood(limit: EndpointLimit, key: string, perSecond: number, seconds: number): number {
  let taken = 0;
  for (let at = 0; at < seconds * perSecond; at++) if (limit.take(key, later(at / perSecond), undefined) === 0) taken++;
  return taken;
}

test('a flood is held to the limit, after a moment of twice as much', () => {
  const taken = flood(new EndpointLimit(100), 'a', 1_000, 10);
  expect(taken).toBeGreaterThanOrEqual(10 * 100);
  expect(taken).toBeLessThanOrEqual(10 * 100 + 200);
});

test('what one address is flooded with costs the others nothing', () => {
  const limit = new EndpointLimit(100);
  flood(limit, 'flooded', 1_000, 10);
  expect(flood(limit, 'other', 90, 10)).toBe(900);
});

test('says in how many seconds the next may come, and keeps its word', () => {
  const limit = new EndpointLimit(600);
  for (let taken = 0; taken < 6; taken++) expect(limit.take('a', start, 6)).toBe(0);
  const wait = limit.take('a', start, 6);
  expect(wait).toBe(10);
  expect(limit.take('a', later(wait - 1), 6)).toBeGreaterThan(0);
  expect(limit.take('a', later(wait), 6)).toBe(0);
});

test('a clock that is set back an hour neither opens nor locks an address', () => {
  const limit = new EndpointLimit(1);
  expect([limit.take('a', start, undefined), limit.take('a', start, undefined)]).toEqual([0, 0]);
  expect(limit.take('a', later(-3_600), undefined)).toBe(1);
  expect(limit.take('a', later(-3_599), undefined)).toBe(0);
});
