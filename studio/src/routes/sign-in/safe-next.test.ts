import { expect, test } from 'vitest';
import { safeNext } from './safe-next.ts';

test.each(['/runs?status=failed', '/flows/1'])('goes on to %s', (next) => {
  expect(safeNext(next)).toBe(next);
});

test.each([null, '', 'https://evil.example', '//evil.example', '/\\evil.example', '/a\nb'])(
  'never leaves for %j',
  (next) => {
    expect(safeNext(next)).toBe('/flows');
  },
);
