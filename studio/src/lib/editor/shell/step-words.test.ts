import { expect, test } from 'vitest';
import { exampleFlow, exampleCatalog } from '../document/example.ts';
import { joinInWords, joinSeconds, retryInWords, spanInWords, splitSeconds, undoingOf } from './step-words.ts';

test('times are filled in with the largest unit that fits, and come out as they went in', () => {
  expect(splitSeconds(86_400)).toEqual({ amount: 1, unit: 'day' });
  expect(splitSeconds(5_400)).toEqual({ amount: 90, unit: 'minute' });
  for (const seconds of [1, 59, 60, 3_601, 172_800]) {
    const { amount, unit } = splitSeconds(seconds);
    expect(joinSeconds(amount, unit)).toBe(seconds);
  }
  expect(spanInWords(3_600)).toBe('1 hour');
});

test('a retry says how many tries there are, and over what time', () => {
  expect(retryInWords({ attempts: 1, initialSeconds: 2 })).toBe('One try, no second.');
  expect(retryInWords({ attempts: 5, initialSeconds: 2 })).toBe('5 tries over 30 seconds.');
  expect(retryInWords({ attempts: 5, initialSeconds: 4 })).toBe('5 tries over 1 minute.');
  expect(retryInWords({ attempts: 20, initialSeconds: 60 })).toBe('20 tries over about 14 hours.');
});

test('a join says what it waits for, and until when', () => {
  expect(joinInWords(undefined, 2)).toContain('every way that is taken');
  expect(joinInWords({ mode: 'any', timeoutSeconds: 60 }, 2)).toMatch(/1 minute after the first it goes on/);
  expect(joinInWords({ mode: 'count', count: 2 }, 3)).toContain('2 of the 3');
  expect(joinInWords({ mode: 'all', timeoutSeconds: 7_200 }, 2)).toMatch(/2 hours after the first it goes on/);
});

test('undoing lists what wrote something, and what of it stays', () => {
  const types = new Map(exampleCatalog.nodeTypes.map((type) => [type.id, type]));
  const of = { get: (id: string) => types.get(exampleFlow.nodes[id]?.type ?? '') };
  expect(undoingOf(exampleFlow, of, new Set(['approved', 'bill', 'shape']))).toEqual([
    { nodeId: 'bill', name: 'Create the bill', undo: undefined },
  ]);
});
