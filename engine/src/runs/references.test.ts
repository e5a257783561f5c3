import { expect, test } from 'vitest';
import { referencesIn } from './references.ts';

test('a run is found by the ids and numbers that passed through it, and by the words of names', () => {
  const event = {
    record: {
      id: '6F9619FF',
      number: 'INV-10412',
      vendorName: 'Ridge Framing, LLC',
      total: '4415.18',
      memo: 'Second floor',
    },
  };
  const answer = { id: 103, docNumber: 'INV-10412', links: [{ externalId: 'po-7' }], ts: '1795443819.728000' };
  expect(referencesIn(event, answer)).toEqual([
    '6f9619ff',
    'inv-10412',
    'ridge framing, llc',
    'ridge',
    'framing',
    'llc',
    '103',
    'po-7',
    '1795443819.728000',
  ]);
});

test('a run is not found by a secret, nor by texts and amounts', () =>
  expect(referencesIn({ access_token: 'hush', note: 'a note', total: '5.00', auth: { id: 'user' } })).toEqual([]));

test('what is huge gives no more than a run’s share', () =>
  expect(referencesIn({ ids: Array.from({ length: 5_000 }, (_, index) => `n${index}`) })).toHaveLength(120));
