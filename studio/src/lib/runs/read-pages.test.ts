import { expect, test } from 'vitest';
import { readPages } from './read-pages.ts';

/** Runs, newest first, in pages of three; more may come in after a page was read. */
function list(count: number, comesIn: () => number = () => 0) {
  let newest = count;
  return {
    read: (cursor: string | undefined) => {
      const from = cursor === undefined ? newest : Number(cursor);
      const items = Array.from({ length: Math.min(3, from) }, (_, index) => ({ id: String(from - index) }));
      newest += comesIn();
      return Promise.resolve({ items, next: from > 3 ? String(from - 3) : undefined });
    },
  };
}
const ids = (slice: { readonly items: readonly { readonly id: string }[] } | undefined) =>
  slice?.items.map(({ id }) => id);

test('so many pages are one list, and tell where the next begins', async () => {
  const slice = await readPages(list(8).read, 2);
  expect(ids(slice)).toEqual(['8', '7', '6', '5', '4', '3']);
  expect(slice?.next).toBe('2');
});

test('what comes in while they are read makes none missing, and none is there twice', async () => {
  const runs = list(8, () => 2);
  await readPages(runs.read, 2);
  const slice = await readPages(runs.read, 4);
  expect(ids(slice)).toEqual(['12', '11', '10', '9', '8', '7', '6', '5', '4', '3', '2', '1']);
});

test('fewer pages than were asked for are all of it', async () => {
  const slice = await readPages(list(4).read, 5);
  expect([ids(slice), slice?.next]).toEqual([['4', '3', '2', '1'], undefined]);
});

test('what nobody wants any more is not read on', async () => {
  let read = 0;
  const page = (cursor: string | undefined) => ((read += 1), list(9).read(cursor));
  expect(await readPages(page, 3, () => read === 2)).toBeUndefined();
  expect(read).toBe(2);
});
