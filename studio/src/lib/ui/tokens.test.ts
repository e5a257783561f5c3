import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inkOn } from './ink-on.ts';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');
const pairs = new Map(
  [...css.matchAll(/--([a-z\d-]+): light-dark\((#[\da-f]{6}), (#[\da-f]{6})\)/g)].map(([, name, light, dark]) => [
    name,
    [light, dark] as const,
  ]),
);

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

const surfaces = ['paper', 'paper-sunk', 'sheet', 'hover', 'selected'];
const texts = ['ink', 'ink-2', 'ink-3', 'accent', 'ok', 'warn', 'bad', 'busy', 'idle'];
const cases = [
  ...texts.flatMap((text) => surfaces.map((surface) => [text, surface, 4.5] as const)),
  ...['ok', 'warn', 'bad', 'busy'].map((tone) => [tone, `${tone}-soft`, 4.5] as const),
  ...['bad-soft', 'warn-soft', 'idle-soft'].flatMap((soft) => ['ink', 'ink-2'].map((ink) => [ink, soft, 4.5] as const)),
  ['on-accent', 'accent', 4.5] as const,
  ['on-accent', 'accent-hover', 4.5] as const,
  ...['paper', 'sheet'].map((surface) => ['edge', surface, 3] as const),
];

test.each(cases)('%s on %s reads at %d:1 in both themes', (front, back, least) => {
  for (const theme of [0, 1] as const) {
    const [text, surface] = [pairs.get(front)?.[theme], pairs.get(back)?.[theme]];
    expect(text && surface && contrast(text, surface)).toBeGreaterThanOrEqual(least);
  }
});

test.each(['#2ca01c', '#611f69', '#13b5ea', '#ffffff', '#000000'])('a monogram on %s is readable', (color) => {
  const ink = inkOn(color);
  expect(contrast(ink, color)).toBeGreaterThanOrEqual(4.5);
});
