import { expect, test } from 'vitest';
import { readFilter, toRunFilter, tokensOf } from './run-filter.ts';

const now = Date.parse('2026-03-02T10:00:42Z');

test('an address says what the list is narrowed by, and the tokens say it in words', () => {
  const chosen = readFilter(
    new URLSearchParams('q=INV-1&status=open&flow=f1&version=3&when=day&code=closed_period&x=1'),
  );
  expect(
    tokensOf(chosen, { flow: () => 'Approved invoice', status: (status) => status }).map(({ text }) => text),
  ).toEqual(['Not ended', 'Approved invoice', 'Version 3', 'Last 24 hours', 'Error closed_period', '“INV-1”']);
  expect(toRunFilter(chosen, now)).toEqual({
    status: 'open',
    flowId: 'f1',
    version: '3',
    code: 'closed_period',
    q: 'INV-1',
    since: '2026-03-01T10:00:00.000Z',
  });
});

test('a span between two moments has both its ends, and one that is none is left out', () => {
  expect(toRunFilter({ when: '2026-03-01..2026-03-02' }, now)).toEqual({
    since: '2026-03-01T00:00:00.000Z',
    until: '2026-03-02T00:00:00.000Z',
  });
  expect(toRunFilter({ when: 'constructor' }, now)).toEqual({});
  expect(toRunFilter({ when: 'x..y' }, now)).toEqual({});
});
