import { describe, expect, test } from 'vitest';
import type { NodeResult, NodeType, RunContext } from '../sdk/node-type.ts';
import type { Platform } from '../sdk/platform.ts';
import { node as condition } from './if.ts';
import { node as map } from './map.ts';
import { node as notify } from './notify.ts';
import { node as stop } from './stop.ts';
import { node as choose } from './switch.ts';

async function run(type: NodeType, input: unknown, platform?: Platform): Promise<NodeResult> {
  const context = { input: type.input.parse(input), ...(platform ? { platform } : {}) } as unknown as RunContext<never>;
  const result = (await type.run?.(context)) as NodeResult;
  return { ...result, output: type.output.parse(result.output) };
}
const portsOf = (type: NodeType, config: Record<string, unknown> = {}) =>
  (typeof type.ports === 'function' ? type.ports(config) : type.ports).map(({ id }) => id);

describe('a condition', () => {
  test.each([
    [true, 'then'],
    [false, 'else'],
  ])('of %s leaves by %s, one of its two ports', async (value, port) => {
    expect(await run(condition, { condition: value })).toEqual({ output: { matched: value }, port });
    expect(portsOf(condition)).toEqual(['then', 'else']);
  });

  test.each([['true'], [1], [null], [undefined]])('of %j is no condition', (value) => {
    expect(condition.input.safeParse({ condition: value }).success).toBe(false);
  });
});

describe('a choice of ways', () => {
  const cases = [
    { id: 'small', title: 'Small', equals: 'S' },
    { id: 'large', title: 'Large', equals: 'L' },
    { id: 'large_too', title: 'Large again', equals: 'L' },
  ];

  test.each([
    ['S', 'small'],
    ['L', 'large'],
    ['XL', 'default'],
    ['s', 'default'],
    ['', 'default'],
  ])('sends %j by %s, the first that fits', async (value, port) => {
    expect(await run(choose, { value, cases })).toEqual({ output: { matched: port }, port });
  });

  test.each([
    [1, 'one'],
    [1.0, 'one'],
    [12.5, 'more'],
    [1e21, 'most'],
    [true, 'yes'],
    [false, 'default'],
    [null, 'default'],
    [undefined, 'default'],
  ])('sends %s by %s, as it is written', async (value, port) => {
    const written = [
      { id: 'one', title: '1', equals: '1' },
      { id: 'more', title: '12.5', equals: '12.5' },
      { id: 'most', title: '1e21', equals: '1000000000000000000000' },
      { id: 'yes', title: 'Yes', equals: 'true' },
      { id: 'none', title: 'None', equals: '' },
    ];
    expect(await run(choose, { value, cases: written })).toEqual({ output: { matched: port }, port });
  });

  test('sends nothing at all by the way for the rest, and refuses a list or a group', async () => {
    expect(await run(choose, { cases })).toMatchObject({ port: 'default' });
    for (const value of [[], {}]) expect(choose.input.safeParse({ value, cases }).success).toBe(false);
  });

  test('has a port for each case and one for the rest', () => {
    expect(portsOf(choose, { cases })).toEqual(['small', 'large', 'large_too', 'default']);
    expect(portsOf(choose, {})).toEqual(['default']);
    expect(portsOf(choose, { cases: 'nonsense' })).toEqual(['default']);
  });

  test.each([
    ['no case', []],
    ['the name of the port for the rest', [{ id: 'default', title: 'x', equals: 'x' }]],
    ['the name of the port for errors', [{ id: 'error', title: 'x', equals: 'x' }]],
    ['one name twice', [cases[0], cases[0]]],
    ['21 cases', Array.from({ length: 21 }, (_, index) => ({ id: `c${index}`, title: 'x', equals: 'x' }))],
  ])('refuses %s', (_name, given) => {
    expect(choose.input.safeParse({ value: 'S', cases: given }).success).toBe(false);
  });
});

test('shaping data hands on what it was given, whatever it is', async () => {
  for (const value of [{ a: [1, { b: null }] }, 'text', 0, false, null, []])
    expect(await run(map, { value })).toEqual({ output: value });
  expect(map.input.safeParse({}).success).toBe(false);
});

test('a stop leaves by no port and keeps the reason', async () => {
  expect(await run(stop, { reason: 'Too small' })).toEqual({ output: { reason: 'Too small' } });
  expect(await run(stop, {})).toEqual({ output: {} });
  expect(portsOf(stop)).toEqual([]);
});

describe('a notice', () => {
  test('goes to the platform with its defaults filled in', async () => {
    const told: unknown[] = [];
    const platform = {
      notify: (notice: unknown) => {
        told.push(notice);
        return Promise.resolve({ id: 'n-1' });
      },
    } as Partial<Platform> as Platform;
    expect(await run(notify, { title: 'Bill entered' }, platform)).toEqual({ output: { id: 'n-1' } });
    expect(told).toEqual([{ title: 'Bill entered', body: '', severity: 'info' }]);
    await expect(run(notify, { title: 'x' })).rejects.toThrow('platform');
  });

  test.each([[{ title: '' }], [{ title: 'x'.repeat(201) }], [{ title: 'x', severity: 'fatal' }], [{}]])(
    'refuses %j',
    (input) => {
      expect(notify.input.safeParse(input).success).toBe(false);
    },
  );
});
