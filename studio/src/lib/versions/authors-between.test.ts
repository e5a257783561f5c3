import type { ChangeAuthors } from '@plumbline/engine/contract';
import { describe, expect, test } from 'vitest';
import { authorsBetween } from './authors-between.ts';

const at = (hour: number): string => new Date(Date.UTC(2026, 10, 27, hour)).toISOString();
const by = (name: string, hour: number) => [{ name, at: at(hour) }];
const version = (number: number, publishedBy: string | null, authors: ChangeAuthors, planHash = `plan ${number}`) => ({
  ...{ number, publishedBy, authors, planHash },
  publishedAt: at(number),
});
/** Newest first, as they come. The fifth takes back what was changed after the second. */
const versions = [
  version(6, 'Ben', { 'step:pay': by('Ben', 6) }),
  version(5, 'Dana', {}, 'plan 2'),
  version(4, 'Cy', { 'step:bill': by('Cy', 4) }),
  version(3, 'Ben', { 'step:bill': by('Ben', 3), 'line:a': by('Ben', 3) }),
  version(2, 'Ben', { 'step:tell': by('Ben', 2) }),
  version(1, 'Dana', { 'step:tell': by('Dana', 1) }),
];
const draft = { 'step:tell': by('Eve', 8), 'step:pay': by('Ben', 9) };
const authors = (from: number, to: number) =>
  Object.fromEntries(
    Object.entries(authorsBetween({ versions, draft, from, to })).map(([item, people]) => [
      item,
      people.map(({ name }) => name),
    ]),
  );

describe('who changed what', () => {
  test('from one version to the next, is told by that', () => {
    expect(authors(1, 2)).toEqual({ 'step:tell': ['Ben'] });
    expect(authors(3, 4)).toEqual({ 'step:bill': ['Cy'] });
  });

  test('across several, is everybody who changed it on the way, the last one first', () => {
    expect(authors(1, 4)).toEqual({ 'step:tell': ['Ben'], 'step:bill': ['Cy', 'Ben'], 'line:a': ['Ben'] });
  });

  test('up to the draft, is those of the versions and of the draft, each once', () => {
    expect(authors(5, Infinity)).toEqual({ 'step:pay': ['Ben'], 'step:tell': ['Eve'] });
    expect(authors(6, Infinity)).toEqual({ 'step:pay': ['Ben'], 'step:tell': ['Eve'] });
    expect(authorsBetween({ versions, draft, from: 5, to: Infinity })['step:pay']).toEqual(by('Ben', 9));
  });

  test.each([
    [4, 3],
    [Infinity, 6],
    [3, 3],
    [Infinity, Infinity],
  ])('the other way round, or in one and the same, is nobody: %d to %d', (from, to) =>
    expect(authors(from, to)).toEqual({}),
  );

  test('by rolling back, is whoever did that, of all that was changed since', () => {
    expect(authors(4, 5)).toEqual({ 'step:bill': ['Dana'], 'line:a': ['Dana'] });
    expect(authors(3, 5)).toEqual({ 'step:bill': ['Dana', 'Cy'], 'line:a': ['Dana'] });
    expect(authors(5, 6)).toEqual({ 'step:pay': ['Ben'] });
  });

  test('by rolling back from a version that had been rolled back to, is told as well', () => {
    const more = [version(7, 'Eve', {}, 'plan 4'), ...versions.filter(({ number }) => number < 6)];
    expect(authorsBetween({ versions: more, draft: {}, from: 5, to: 7 })).toEqual({
      'step:bill': by('Eve', 7),
      'line:a': by('Eve', 7),
    });
  });

  test('is nobody when a version was only published again, and when it is not known', () => {
    const again = [version(3, 'Ben', {}, 'plan 2'), version(2, 'Ben', {}), version(1, null, {})];
    expect(authorsBetween({ versions: again, draft: {}, from: 1, to: 3 })).toEqual({});
  });
});
