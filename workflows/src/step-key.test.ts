import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stepKey } from './step-key.ts';

const step = {
  companyId: '018f0000-0000-7000-8000-000000000001',
  runId: '018f0000-0000-7000-8000-000000000002',
  nodeId: 'bill',
  iteration: '',
};

test('the key of a step never changes: vendors have seen it', () => {
  expect(stepKey(step)).toBe('weY5f4QJPS3lEotmgyfDVDzXM3WrWxtmXz1eZ1nI_F4');
  expect(stepKey({ ...step })).toBe(stepKey(step));
});

test('a key fits into a URL and into every vendor’s limit', () => {
  fc.assert(
    fc.property(
      fc.uuid(),
      fc.uuid(),
      fc.stringMatching(/^[a-z][a-z0-9_]{0,47}$/),
      fc.stringMatching(/^(\d{1,4}(\.\d{1,4}){0,3})?$/),
      (companyId, runId, nodeId, iteration) => {
        expect(stepKey({ companyId, runId, nodeId, iteration })).toMatch(/^[A-Za-z0-9_-]{1,50}$/);
      },
    ),
  );
});

test('companies, runs, steps and iterations never share a key', () => {
  const others = [
    { companyId: randomUUID() },
    { runId: randomUUID() },
    { nodeId: 'bil' },
    { nodeId: 'bill_' },
    { iteration: '0' },
    { iteration: '0.0' },
  ];
  expect(new Set([step, ...others.map((other) => ({ ...step, ...other }))].map(stepKey)).size).toBe(others.length + 1);
});
