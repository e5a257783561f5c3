import { expect, test } from 'vitest';
import { DEPTH_HEADER, depthOf, fetchAtDepth } from './depth.ts';

test.each([
  ['3', 3],
  ['0', 0],
  [undefined, 0],
  ['', 0],
  ['-1', 0],
  ['1e3', 0],
  ['2, 9', 0],
])('"%s" is read as a depth of %i', (value, depth) => {
  expect(depthOf(value)).toBe(depth);
});

test('a call says that it is one further, whatever its caller says', async () => {
  const seen: Headers[] = [];
  const fetch = fetchAtDepth((_, init) => {
    seen.push(new Headers(init?.headers));
    return Promise.resolve(new Response());
  }, 4);
  await fetch('https://a.example', { headers: { [DEPTH_HEADER]: '0', 'X-A': '1' } });
  await fetch(new Request('https://a.example', { headers: { 'X-A': '2' } }));
  expect(seen.map((headers) => [headers.get(DEPTH_HEADER), headers.get('x-a')])).toEqual([
    ['5', '1'],
    ['5', '2'],
  ]);
});
