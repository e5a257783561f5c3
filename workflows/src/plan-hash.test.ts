import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from './flow/canonical.ts';
import type { Plan } from './flow/plan.ts';
import { planHash } from './plan-hash.ts';

const plan: Plan = {
  format: 1,
  engine: 'jsonata@2.2.2',
  graph: { nodes: [], edges: [] },
  steps: {},
  params: { limit: 10, name: 'x' },
};

test('a plan’s hash never changes: runs are found by it', () => {
  expect(planHash(plan)).toBe('bd74a62c91695d6f93cee22c93d7b1484972779b5483d08a25d259c17763cc9a');
});

test('a plan’s hash does not know the order of keys, but every value', () => {
  expect(
    planHash({
      params: { name: 'x', limit: 10 },
      steps: {},
      graph: { edges: [], nodes: [] },
      engine: 'jsonata@2.2.2',
      format: 1,
    }),
  ).toBe(planHash(plan));
  expect(planHash({ ...plan, params: { limit: 10, name: 'y' } })).not.toBe(planHash(plan));
  expect(planHash({ ...plan, params: { limit: '10', name: 'x' } })).not.toBe(planHash(plan));
});

test('canonical JSON is JSON of the same value, and equal for equal values', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }),
  );
  expect(canonicalJson({ b: undefined, a: [undefined, null] })).toBe('{"a":[null,null]}');
});
