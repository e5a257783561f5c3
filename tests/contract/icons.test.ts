import { readFile } from 'node:fs/promises';
import { loadCatalog } from '@plumbline/nodes/catalog';
import { expect, test } from 'vitest';

test('the studio carries every icon that a step names', async () => {
  const { nodeTypes } = await loadCatalog();
  const wanted = [...new Set([...nodeTypes.values()].map(({ icon }) => icon))].sort();
  // The icons are components, which only the studio's own build can load.
  const source = await readFile(new URL('../../studio/src/lib/icons.ts', import.meta.url), 'utf8');
  const table = source.slice(source.indexOf('byName'));
  const carried = new Set([...table.matchAll(/^ {2}'?([a-z0-9-]+)'?: [A-Z]\w*,$/gm)].map(([, name]) => name));
  expect(wanted.filter((name) => !carried.has(name))).toEqual([]);
});
