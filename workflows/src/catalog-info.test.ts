import { entities, type EntityId } from '@plumbline/db';
import { loadCatalog } from '@plumbline/nodes';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { catalogInfo } from './catalog-info.ts';
import { mayFit, whyNot } from './flow/compile/fits.ts';

const catalog = await loadCatalog();
const info = catalogInfo(catalog);
const typeOf = (id: string) => {
  const type = info.nodeTypes.find((candidate) => candidate.id === id);
  if (!type) throw new Error(`There is no node type ${id}`);
  return type;
};

describe('the catalog as data', () => {
  test('is the same after it has crossed the wire', () => {
    expect(JSON.parse(JSON.stringify(info))).toEqual(info);
    expect(info.nodeTypes).toHaveLength(catalog.nodeTypes.size);
    expect(info.connectors.map(({ id }) => id)).toEqual([...catalog.connectors.keys()]);
  });

  test('tells which field decides what a record event hands on', () => {
    const { outputBy, trigger } = typeOf('core.record-event');
    expect(trigger).toBe('record');
    expect(outputBy?.field).toBe('entity');
    expect(Object.keys(outputBy?.schemas ?? {}).sort()).toEqual(Object.keys(entities).sort());
  });

  test.each(Object.keys(entities) as EntityId[])(
    'promises of a %s exactly the fields that the record has',
    (entity) => {
      const promised = typeOf('core.record-event').outputBy?.schemas[entity]?.properties?.['record'];
      const stored = z.toJSONSchema(entities[entity].schema, { io: 'output' });
      expect(Object.keys(promised?.properties ?? {}).sort()).toEqual(
        ['id', ...Object.keys(stored.properties ?? {})].sort(),
      );
      expect([...(promised?.required ?? [])].sort()).toEqual(['id', ...(stored.required ?? [])].sort());
    },
  );

  test('tells which list adds ports to a choice of ways', () => {
    expect(typeOf('core.switch')).toMatchObject({ portsFrom: 'cases', ports: [{ id: 'default' }] });
    expect(typeOf('core.if').portsFrom).toBeUndefined();
  });

  test.each([
    ['core.switch', 'value'],
    ['core.only-once', 'key'],
    ['core.lock', 'name'],
    ['core.unlock', 'name'],
    ['core.debounce', 'key'],
    ['core.throttle', 'key'],
    ['core.collect', 'key'],
    ['core.wait-for-event', 'equals'],
    ['core.approval', 'amount'],
  ])('lets %s take text and numbers for its %s, and no group', (id, field) => {
    const schema = typeOf(id).input.properties?.[field] ?? {};
    expect(['string', 'number', 'integer', 'object'].map((type) => mayFit({ type }, schema))).toEqual([
      ...[true, true, true, false],
    ]);
    expect(whyNot('12', schema)).toBeUndefined();
  });

  test('says of a key that is too long that it is, and not that it is no text', () => {
    expect(whyNot('x'.repeat(401), typeOf('core.lock').input.properties?.['name'] ?? {})).toBe(
      'is longer than 400 characters',
    );
    expect(whyNot({}, typeOf('core.lock').input.properties?.['name'] ?? {})).toBe('must be text');
    expect(typeOf('core.switch').input.required).toContain('value');
  });

  test('names only choices that the connector offers', () => {
    for (const type of info.nodeTypes) {
      const options = info.connectors.find(({ id }) => id === type.connector)?.options ?? [];
      for (const field of Object.values(type.input.properties ?? {}))
        if (field.optionsFrom) expect(options).toContain(field.optionsFrom);
    }
  });
});
