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
    '103',
    'inv-10412',
    '1795443819.728000',
    '6f9619ff',
    'ridge framing, llc',
    'ridge',
    'framing',
    'llc',
    'po-7',
  ]);
});

test('a run is not found by a secret, nor by texts and amounts', () =>
  expect(referencesIn({ access_token: 'hush', note: 'a note', total: '5.00', auth: { id: 'user' } })).toEqual([]));

test('a run is found by what only looks like an id, whatever its field is called, and by each word of one that has several', () =>
  expect(
    referencesIn({ po: 'PO-7781', permit: 'BP-2024-17', check: 4417, docNumber: 'PO 9921', lot: 'Lot 7', days: 30 }),
  ).toEqual(['po-7781', 'bp-2024-17', '4417', 'po 9921', 'po', '9921']));

test('a run is not found by times and measures', () =>
  expect(
    referencesIn({
      at: '2026-11-27T18:00:00Z',
      on: '2026-11-27',
      from: '7:30',
      amount: 120_000,
      length: 4800,
      factor: '1.25',
    }),
  ).toEqual([]));

test('what is huge gives no more than a run’s share, and what it is about before its lines', () => {
  const lines = Array.from({ length: 5_000 }, (_, index) => ({ sku: `SK${index}` }));
  const found = referencesIn({ lines, number: 'INV-BIG-1', docNumber: 'DOC-LAST-1' });
  expect(found).toHaveLength(250);
  expect(found.slice(0, 2)).toEqual(['inv-big-1', 'doc-last-1']);
});
