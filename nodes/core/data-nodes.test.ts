import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { loadCatalog } from '../catalog.ts';
import type { NodeType } from '../sdk/node-type.ts';
import { run } from './testing.ts';

const { nodeTypes } = await loadCatalog();
/** What needs the platform to work is tried with it, and what reads files with files. */
const elsewhere = new Set(['core.map', 'core.remember', 'core.recall', 'core.parse-xlsx', 'core.parse-pdf']);
const types = [...nodeTypes.values()].filter((type) => type.category === 'Data' && !elsewhere.has(type.id));
const portsOf = (type: NodeType) =>
  (typeof type.ports === 'function' ? type.ports({}) : type.ports).map(({ id }) => id);

interface Field {
  readonly type?: string;
  readonly anyOf?: readonly Field[];
  readonly title?: string;
  readonly enum?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly items?: { readonly properties?: Readonly<Record<string, Field>> };
}
const fieldsOf = (type: NodeType): [string, Field][] => {
  const { properties } = z.toJSONSchema(type.input, { io: 'input' }) as { properties: Record<string, Field> };
  return Object.entries(properties).flatMap(([name, field]) => [
    [name, field] as [string, Field],
    ...Object.entries(field.items?.properties ?? {}),
  ]);
};

/** A key that reaches into JavaScript, in every place where data may have one. JSON gives it as a field of its own. */
const poisoned = JSON.parse('{"a":{"__proto__":{"polluted":true}}}') as unknown;

describe.each(types.map((type) => [type.id, type] as const))('%s', (_id, type) => {
  test('works with its own example, and leaves by a port it has', async () => {
    const { output, port = 'out' } = await run(type, type.example);
    expect(portsOf(type)).toContain(port);
    expect(output).toBeTypeOf('object');
    const precise = type.outputFor?.(type.input.parse(type.example) as Record<string, unknown>);
    expect(precise?.parse(output) ?? output).toEqual(output);
    expect(type).toMatchObject({ kind: 'action', effect: 'none', description: expect.stringMatching(/\.$/) });
  });

  test('says what each field is, and what each choice means', () => {
    for (const [name, field] of fieldsOf(type)) {
      expect(field.title, name).toBeTypeOf('string');
      if (field.labels) expect(Object.keys(field.labels).sort(), name).toEqual([...(field.enum ?? [])].sort());
    }
  });

  test('asks in cells of rows only for what can be typed into a form', () => {
    for (const [name, field] of fieldsOf(type))
      for (const [cell, { type: kind, anyOf }] of Object.entries(field.items?.properties ?? {}))
        expect(
          anyOf?.every(({ type: part }) => part === 'string' || part === 'number') ?? kind,
          `${name}.${cell}`,
        ).toBeTruthy();
  });

  test('promises for each literal configuration only what the step may hand on', () => {
    for (const [name, { enum: values = [] }] of fieldsOf(type))
      for (const value of values) {
        const precise = type.outputFor?.({ [name]: value });
        if (precise) expect(z.toJSONSchema(precise)).toMatchObject({ type: 'object' });
      }
    expect(type.outputFor?.({ [fieldsOf(type)[0]?.[0] ?? '']: 'constructor' })).toBeUndefined();
  });

  test('refuses a reserved key in what it is given, and nothing is polluted', async () => {
    const example = type.example as Record<string, unknown>;
    const given = Object.entries(example).filter(([, value]) => typeof value === 'object' && value !== null);
    const places = given.filter(([name]) => ['list', 'left', 'right', 'data', 'before', 'after'].includes(name));
    for (const [name, value] of places) {
      const input = { ...example, [name]: Array.isArray(value) ? [...(value as unknown[]), poisoned] : poisoned };
      await expect(run(type, input), name).rejects.toMatchObject({
        kind: 'invalid',
        code: 'reserved_key',
        message: expect.stringMatching(/"__proto__".*\.$/),
      });
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
