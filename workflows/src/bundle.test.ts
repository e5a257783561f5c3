import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildBundle } from './bundle.ts';

let folder: string;
let modules: readonly string[];
let bytes: number;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumbline-bundle-'));
  const built = await buildBundle(join(folder, 'workflows.js'));
  bytes = built.bytes;
  const code = await readFile(built.path, 'utf8');
  // webpack names every module by its path from the repository or from this package.
  modules = [...code.matchAll(/^\/\*\*\*\/ "([^"\n]+)":?/gm)].map(([, name]) => name as string);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the workflow code', () => {
  test('is made of our own deterministic files and Temporal’s, nothing else', () => {
    const ours = modules.filter((name) => !name.includes('node_modules/') && name.includes('/src/'));
    expect(ours.map((name) => name.replace(/^.*\/src\//, '')).sort()).toEqual([
      'workflows/carrier.ts',
      'workflows/index.ts',
      'workflows/names.ts',
    ]);
    const packages = new Set(modules.flatMap((name) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name)?.[1] ?? []));
    // The last three are Temporal's own.
    expect([...packages].sort()).toEqual(['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc']);
  });

  test('has no connector, database or expression in it', () => {
    for (const name of modules) expect(name).not.toMatch(/connectors\/|\/activities\/|\/evaluate\/|\/db\/|^node:/);
  });

  test('stays under 2 MB, so that a worker starts at once', () => {
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(2_000_000);
  });
});
