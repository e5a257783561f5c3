import { loadCatalog } from '@plumbline/nodes';
import { catalogInfo } from '@plumbline/workflows/catalog-info';
import type { Plan } from '@plumbline/workflows/flow';
import { describe, expect, test } from 'vitest';
import { checkDecision, type GivenDecision } from './check-decision.ts';

const catalog = await loadCatalog();
const info = catalogInfo(catalog);
const plan = {
  graph: { nodes: [], edges: [] },
  steps: { call: { type: 'core.http-request', version: 1, name: 'Call the bank', inputs: {} } },
} as unknown as Plan;
const input = {
  ...{ method: 'POST', url: 'https://bank.example/pay', headers: { Authorization: 'Bearer abc' }, honoursKey: false },
  body: {
    payments: [
      { vendor: 'Ridge', iban: 'DE11' },
      { vendor: 'Valley', iban: 'DE22' },
    ],
  },
};
const decide = (given: GivenDecision) => checkDecision({ catalog, info }, { nodeId: 'call', input, plan }, given);

describe('of an input that is edited, what stays masked stays what it was', () => {
  const headers = { Authorization: '••••••••', Accept: 'text/plain' };
  const restored = { Authorization: 'Bearer abc', Accept: 'text/plain' };

  test('whether all of it is given or only some fields', () => {
    expect(decide({ action: 'retry', input: { ...input, headers } })).toEqual({
      action: 'retry',
      input: { ...input, headers: restored },
    });
    expect(decide({ action: 'retry', patch: { headers } })).toEqual({
      action: 'retry',
      input: { ...input, headers: restored },
    });
  });

  test('of a list of which one is left out too', () => {
    const body = { payments: [{ vendor: 'Valley', iban: '••••••••' }] };
    expect(decide({ action: 'retry', patch: { body } })).toMatchObject({
      input: { body: { payments: [{ vendor: 'Valley', iban: 'DE22' }] } },
    });
  });

  test.each([
    [{ body: { payments: [{ vendor: 'Ridge & Co', iban: '••••••••' }] } }, 'input.body.payments.0.iban'],
    [{ headers: { Authorisation: '••••••••' } }, 'input.headers.Authorisation'],
  ])('and where nobody can tell what it was, it is refused: %j', (patch, path) => {
    const problem = { code: 'invalid_input', path, fix: expect.stringMatching(/^Write this value anew: /) };
    expect(() => decide({ action: 'retry', patch })).toThrow(expect.objectContaining(problem));
    expect(() => decide({ action: 'retry', input: { ...input, ...patch } })).toThrow(expect.objectContaining(problem));
  });
});
