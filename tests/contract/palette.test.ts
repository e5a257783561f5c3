import { catalogInfo } from '@plumbline/workflows/catalog-info';
import { loadCatalog } from '@plumbline/nodes';
import { expect, test } from 'vitest';
import { paletteGroups, type PaletteContext } from '../../studio/src/lib/editor/canvas/palette.ts';

const info = catalogInfo(await loadCatalog());
const newest = info.nodeTypes.filter(
  ({ id, version }) => !info.nodeTypes.some((other) => other.id === id && other.version > version),
);
const nowhere: PaletteContext = { hasInput: false, hasOutput: false, hasTrigger: false, connected: new Set() };
const loop = info.nodeTypes.find(({ control }) => control === 'each');

test('every node type can be put into a flow: most of them anywhere, what ends a turn in a loop', () => {
  const shown = (context: PaletteContext) =>
    paletteGroups(info, '', context).flatMap(({ items }) => items.map(({ id }) => id));
  expect(shown({ ...nowhere, around: [loop] }).sort()).toEqual(newest.map(({ id }) => id).sort());
  const inLoops = newest.filter(({ control }) => control === 'next' || control === 'break').map(({ id }) => id);
  expect(inLoops).toHaveLength(2);
  expect(shown(nowhere).sort()).toEqual(
    newest
      .map(({ id }) => id)
      .filter((id) => !inLoops.includes(id))
      .sort(),
  );
});

test('categories come in an order that is meant', () => {
  const titles = paletteGroups(info, '', nowhere).map(({ title }) => title);
  expect(titles.slice(0, 2)).toEqual(['Triggers', 'Logic']);
  expect(titles.at(-1)).toBe('Network');
  expect(titles.indexOf('Accounting')).toBeLessThan(titles.indexOf('Data'));
});

test.each(newest.map((type) => [type.id, type] as const))(
  '%s is found first by its own name, and says what it does',
  (id, type) => {
    const [found] = paletteGroups(info, type.title, { ...nowhere, around: [loop] });
    const sameTitle = newest.filter(({ title }) => title === type.title).map((other) => other.id);
    expect(sameTitle, 'nothing else goes by that name').toEqual([id]);
    expect(found?.items[0]?.id).toBe(id);
    expect(type.description.length).toBeGreaterThan(20);
    for (const [field, schema] of Object.entries(type.input.properties ?? {}))
      expect(schema.title ?? '', `what the form calls ${field}`).not.toBe('');
  },
);
