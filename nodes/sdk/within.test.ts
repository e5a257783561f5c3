import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { within } from './within.ts';

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

test('what takes too long is aborted as timed out', async () => {
  await expect(within(5, aborted)).rejects.toMatchObject({ name: 'TimeoutError' });
});

test.each(['before', 'meanwhile'])('what is aborted around it %s aborts with that reason', async (when) => {
  const around = new AbortController();
  if (when === 'before') around.abort(new Error('enough'));
  const work = within(60_000, aborted, around.signal);
  if (when === 'meanwhile') around.abort(new Error('enough'));
  await expect(work).rejects.toThrow('enough');
});

test('nothing is left once it is done, however it ends', async () => {
  const around = new AbortController();
  let given: AbortSignal | undefined;
  expect(await within(5, async (signal) => ((given = signal), 'done'), around.signal)).toBe('done');
  await expect(within(5, () => Promise.reject(new Error('broken')), around.signal)).rejects.toThrow('broken');
  expect(getEventListeners(around.signal, 'abort')).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(given?.aborted).toBe(false);
});
