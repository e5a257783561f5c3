import { expect, test } from 'vitest';
import { Slices } from './slices.ts';

function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Does a piece of work as soon as it may. */
async function step(slices: Slices, companyId: string, ms: number, done: string[]): Promise<void> {
  if (slices.isOver()) await slices.turn(companyId);
  work(ms);
  done.push(companyId);
}

test('what comes first does not wait', () => {
  const slices = new Slices();
  expect([slices.isOver(), slices.isOver()]).toEqual([false, false]);
});

test('what comes in meanwhile is looked at after a slice, not after everything', async () => {
  const slices = new Slices();
  const done: string[] = [];
  const crowd = Array.from({ length: 40 }, () => step(slices, 'crowd', 1, done));
  const doneBefore = await new Promise<number>((resolve) =>
    setImmediate(() => setImmediate(() => resolve(done.length))),
  );
  expect(doneBefore).toBeGreaterThan(0);
  expect(doneBefore).toBeLessThan(20);
  await Promise.all(crowd);
  expect(done).toHaveLength(40);
});

test('companies take turns', async () => {
  const slices = new Slices();
  const done: string[] = [];
  const crowd = Array.from({ length: 40 }, () => step(slices, 'crowd', 1, done));
  const one = step(slices, 'neighbour', 1, done);
  await one;
  expect(done.length).toBeLessThan(20);
  await Promise.all(crowd);
});

test('when the line is empty, the next does not wait either', async () => {
  const slices = new Slices();
  await Promise.all(Array.from({ length: 10 }, () => step(slices, 'crowd', 1, [])));
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(slices.isOver()).toBe(false);
});
