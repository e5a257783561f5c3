import { expect, test, vi } from 'vitest';
import { Admission } from './admission.ts';
import { Neighbours } from './neighbours.ts';

let breathless = true;
const breath = {
  get share() {
    return breathless ? 0.95 : 0.1;
  },
};
const admission = () => new Admission({ alone: 100, shared: 100 }, new Neighbours(), breath);

/** Asks, and says whether it came in. */
function ask(to: Admission, companyId: string, runs: number) {
  const asked: { leave?: () => void } = {};
  void to.enter(companyId, runs).then((leave) => (asked.leave = leave));
  return asked;
}

test('a process out of breath takes up no more of a company that has many under way, until enough of them are done', async () => {
  breathless = true;
  const to = admission();
  const leave = await to.enter('crowd', 150);
  const next = ask(to, 'crowd', 50);
  for (let run = 0; run < 50; run++) leave();
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(next.leave, 'a hundred are left').toBeUndefined();
  leave();
  await vi.waitFor(() => expect(next.leave).toBeDefined());
});

test('whoever would have to wait is told so before', async () => {
  breathless = true;
  const to = admission();
  expect(to.isOpen('crowd')).toBe(true);
  const leave = await to.enter('crowd', 100);
  expect([to.isOpen('crowd'), to.isOpen('neighbour')]).toEqual([false, true]);
  let room = false;
  void to.enter('crowd', 0).then(() => (room = true));
  leave();
  await vi.waitFor(() => expect(room).toBe(true));
  expect(to.isOpen('crowd')).toBe(true);
});

test('a neighbour comes in at once', async () => {
  breathless = true;
  const to = admission();
  await to.enter('crowd', 150);
  ask(to, 'crowd', 50);
  expect(await to.enter('neighbour', 1)).toBeTypeOf('function');
});

test('while there is breath everybody comes in, and those that wait do when it is back', async () => {
  breathless = false;
  const to = admission();
  await to.enter('crowd', 1_000);
  await to.enter('crowd', 1_000);
  breathless = true;
  const waiting = [ask(to, 'crowd', 1), ask(to, 'crowd', 1), ask(to, 'crowd', 1)];
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(waiting.filter(({ leave }) => leave)).toEqual([]);
  breathless = false;
  await vi.waitFor(() => expect(waiting.every(({ leave }) => leave)).toBe(true));
});

test('those of one company come in in the order of asking', async () => {
  breathless = true;
  const to = admission();
  const leave = await to.enter('crowd', 100);
  const came: string[] = [];
  for (const name of ['first', 'second']) void to.enter('crowd', 100).then(() => came.push(name));
  leave();
  await vi.waitFor(() => expect(came).toEqual(['first']));
  breathless = false;
  await vi.waitFor(() => expect(came).toEqual(['first', 'second']));
});

test('where companies share the process, each leaves room for the others, until they are gone', async () => {
  breathless = true;
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
  try {
    const neighbours = new Neighbours();
    const to = new Admission({ alone: 100, shared: 10 }, neighbours, breath);
    neighbours.came('crowd');
    await to.enter('crowd', 50);
    expect(to.isOpen('crowd'), 'alone').toBe(true);
    neighbours.came('neighbour');
    neighbours.came('crowd');
    expect([to.isOpen('crowd'), to.isOpen('neighbour')], 'shared').toEqual([false, true]);
    let room = false;
    void to.enter('crowd', 0).then(() => (room = true));
    await vi.advanceTimersByTimeAsync(4_900);
    expect(room, 'the neighbour was there lately').toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(room).toBe(true);
    expect(to.isOpen('crowd'), 'alone again').toBe(true);
  } finally {
    vi.useRealTimers();
  }
});

test('who brings runs waits no longer than four seconds, who only asks for room as long as it takes', async () => {
  breathless = true;
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
  try {
    const to = admission();
    await to.enter('crowd', 150);
    let room = false;
    const next = ask(to, 'crowd', 1);
    await vi.advanceTimersByTimeAsync(3_900);
    expect(next.leave).toBeUndefined();
    await vi.advanceTimersByTimeAsync(200);
    expect(next.leave).toBeDefined();
    void to.enter('crowd', 0).then(() => (room = true));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(room).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});

test('by default it is the event loop of this process that tells', async () => {
  const to = new Admission({ alone: 100, shared: 100 }, new Neighbours());
  await to.enter('crowd', 100);
  const until = performance.now() + 300;
  while (performance.now() < until);
  const next = ask(to, 'crowd', 1);
  await Promise.resolve();
  expect(next.leave, 'straight after much work').toBeUndefined();
  await vi.waitFor(() => expect(next.leave).toBeDefined(), { timeout: 5_000 });
});
