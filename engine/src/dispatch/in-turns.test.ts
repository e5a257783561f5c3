import { expect, test, vi } from 'vitest';
import { InTurns } from './in-turns.ts';

/** Work whose pieces end when a test says so. */
function pieces(sideBySide: number, left: Record<string, number>) {
  const began: string[] = [];
  const open: { readonly companyId: string; end(): void }[] = [];
  const turns = new InTurns(async (companyId) => {
    began.push(companyId);
    const { promise, resolve } = Promise.withResolvers<void>();
    open.push({ companyId, end: resolve });
    await promise;
    left[companyId] = (left[companyId] ?? 1) - 1;
    return (left[companyId] ?? 0) > 0;
  }, sideBySide);
  const end = async (companyId: string): Promise<void> => {
    const [piece] = open.splice(
      open.findIndex((one) => one.companyId === companyId),
      1,
    );
    piece?.end();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { turns, began, end };
}

test('whoever has much to do goes to the end of the line after each piece', async () => {
  const { turns, began, end } = pieces(1, { crowd: 3 });
  turns.ask('crowd');
  turns.ask('neighbour');
  await end('crowd');
  expect(began).toEqual(['crowd', 'neighbour']);
  await end('neighbour');
  await end('crowd');
  await end('crowd');
  expect(began).toEqual(['crowd', 'neighbour', 'crowd', 'crowd']);
});

test('a few are served side by side, and one never by two at once', async () => {
  const { turns, began, end } = pieces(2, {});
  for (const companyId of ['a', 'b', 'c']) turns.ask(companyId);
  expect(began).toEqual(['a', 'b']);
  // There may be something new since the piece began.
  turns.ask('a');
  expect(began).toEqual(['a', 'b']);
  await end('a');
  expect(began).toEqual(['a', 'b', 'c']);
  await end('b');
  expect(began).toEqual(['a', 'b', 'c', 'a']);
});

test('closing waits for what is under way, and begins nothing', async () => {
  const { turns, began, end } = pieces(1, { a: 5 });
  turns.ask('a');
  turns.ask('b');
  const closed = vi.fn();
  const closing = turns.close().then(closed);
  await new Promise((resolve) => setImmediate(resolve));
  expect(closed).not.toHaveBeenCalled();
  await end('a');
  await closing;
  turns.ask('c');
  expect(began).toEqual(['a']);
});
