import pg from 'pg';
import { expect, test } from 'vitest';
import { literal } from './store.ts';

test('a literal is what pg makes of it, whatever is quoted, escaped or doubled in it', () => {
  const letters = ["'", '\\', 'E', ' ', '\n', '$', 'é', '🏠'];
  let values = [''];
  for (let length = 0; length < 5; length++) {
    values = values.flatMap((value) => letters.map((letter) => value + letter));
    const wrong = values.filter((value) => literal(value) !== pg.escapeLiteral(value));
    expect(wrong).toEqual([]);
  }
  expect(values).toHaveLength(8 ** 5);
});

test('nothing is null', () => expect(literal(null)).toBe('null'));
