import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { NodeType } from '../sdk/node-type.ts';
import { node as collect } from './collect.ts';
import { node as debounce } from './debounce.ts';
import { node as lock } from './lock.ts';
import { node as onlyOnce } from './only-once.ts';
import { plainText } from './text-field.ts';
import { node as throttle } from './throttle.ts';
import { node as unlock } from './unlock.ts';
import { node as waitForEvent } from './wait-for-event.ts';

test.each([
  [4711, '4711'],
  [12.5, '12.5'],
  [-0, '0'],
  [1e21, '1000000000000000000000'],
  [1e-7, '0.0000001'],
  [9_007_199_254_740_991, '9007199254740991'],
  ['0012', '0012'],
  [true, 'true'],
])('%s is written as %s', (value, text) => {
  expect(plainText(value)).toBe(text);
});

const needed: [NodeType, string, object][] = [
  [onlyOnce, 'key', {}],
  [lock, 'name', {}],
  [unlock, 'name', {}],
  [waitForEvent, 'equals', { entity: 'vendor_invoice', change: 'paid' }],
];
const leftEmpty: [NodeType, string, object][] = [
  [debounce, 'key', {}],
  [throttle, 'key', {}],
  [collect, 'key', { item: 1 }],
];

describe.each([...needed, ...leftEmpty])('$id', (type, field, more) => {
  const parse = (value: unknown) => type.input.safeParse({ ...more, [field]: value });

  test('takes a number, or yes or no, for its text', () => {
    for (const [value, text] of [
      [4711, '4711'],
      [1e21, '1000000000000000000000'],
      [false, 'false'],
      ['a', 'a'],
    ])
      expect(parse(value).data).toMatchObject({ [field]: text });
  });

  test.each([[null], [''], [{}], [['a']], ['x'.repeat(401)]])('refuses %j', (value) => {
    expect(parse(value).success).toBe(false);
  });

  test('says of nothing that it is nothing', () => {
    for (const value of [null, ''])
      expect(parse(value).error?.issues).toMatchObject([
        { path: [field], message: 'what it is mapped to has no value' },
      ]);
  });

  test('is one field of text to whoever fills it in', () => {
    const { properties } = z.toJSONSchema(type.input, { io: 'input', unrepresentable: 'any' });
    expect(properties?.[field]).toMatchObject({ title: expect.any(String), type: ['string', 'number', 'boolean'] });
  });
});

test.each(needed)('$id needs its text', (type, field, more) => {
  expect(type.input.safeParse(more).success).toBe(false);
  expect(z.toJSONSchema(type.input, { io: 'input', unrepresentable: 'any' }).required).toContain(field);
});

test.each(leftEmpty)('$id without a key is for all runs of the flow', async (type, _, more) => {
  const keys: unknown[] = [];
  const platform = {
    waitForQuiet: (key: string) => Promise.resolve(void keys.push(key)),
    takeTurn: ({ key }: { key: string }) => Promise.resolve(void keys.push(key)),
    collect: ({ key }: { key: string }) => Promise.resolve((keys.push(key), { role: 'first' })),
  };
  await type.hold?.open({ input: type.input.parse(more), platform, now: () => new Date(0) } as never);
  await type.hold?.open({ input: type.input.parse({ ...more, key: 7 }), platform, now: () => new Date(0) } as never);
  expect(keys).toEqual(['', '7']);
});
