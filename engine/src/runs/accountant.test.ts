import type { Store } from '@plumbline/db';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Accountant } from './accountant.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** One that begins each count with this question, for the companies there are. */
const accountantThatAsks = (query: () => Promise<unknown>) =>
  new Accountant({
    store: {} as Store,
    people: { query } as unknown as Pool,
    log: pino({ level: 'silent' }),
    now: () => new Date(),
  });

test('the accounts are drawn up every minute, one after the other, until it is closed', async () => {
  let begun = 0;
  let end: () => void = () => undefined;
  const query = () => {
    begun++;
    return new Promise((resolve) => (end = () => resolve({ rows: [] })));
  };
  const accountant = accountantThatAsks(query);
  await vi.advanceTimersByTimeAsync(59_999);
  expect(begun).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toBe(1);
  // It takes longer than a minute: the next one waits for it.
  await vi.advanceTimersByTimeAsync(180_000);
  expect(begun).toBe(1);
  end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(begun).toBe(2);
  const closed = accountant.close();
  end();
  await closed;
  await vi.advanceTimersByTimeAsync(300_000);
  expect(begun).toBe(2);
});

test('what goes wrong with one of them does not keep the next from being drawn up', async () => {
  const query = vi.fn(() => Promise.reject(new Error('The database is away')));
  const accountant = accountantThatAsks(query);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(query).toHaveBeenCalledTimes(2);
  await accountant.close();
});
