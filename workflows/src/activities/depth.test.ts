import { DEPTH_HEADER } from '@plumbline/nodes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBench, type Bench } from './testing.ts';

let bench: Bench;
const seen: (string | null)[] = [];
beforeAll(async () => {
  bench = await openBench();
  const fetchPublic: typeof fetch = (_, init) => {
    seen.push(new Headers(init?.headers).get(DEPTH_HEADER));
    return Promise.resolve(Response.json({}));
  };
  Object.assign(bench.deps, { fetchPublic });
});
afterAll(async () => {
  await bench.close();
});

test.each([
  ['the first flow of a chain', { body: {} }, '1'],
  ['one that a flow called', { headers: { [DEPTH_HEADER]: '7' }, body: {} }, '8'],
  ['one that nothing from outside started', { values: {} }, '1'],
])('%s says so on what it calls', async (_, trigger, depth) => {
  const literal = (value: string) => ({ kind: 'literal' as const, value });
  const attempt = await bench.begin(
    {
      call: {
        type: 'core.http-request',
        version: 1,
        name: 'Call',
        inputs: { method: literal('GET'), url: literal('https://a.example') },
      },
    },
    trigger,
  );
  expect(await bench.runStep(attempt('call'))).toMatchObject({ kind: 'done' });
  expect(seen.at(-1)).toBe(depth);
});
