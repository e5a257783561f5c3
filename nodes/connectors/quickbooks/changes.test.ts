import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { openSandbox, runNode, type OpenedSandbox } from '../../sdk/testing.ts';
import type { PollResult, PollSubscription } from '../../sdk/trigger.ts';
import type { VendorHttp } from '../../sdk/vendor.ts';
import { pollChanges } from './changes.ts';
import { connector } from './index.ts';

let opened: OpenedSandbox;
beforeEach(async () => {
  opened = await openSandbox(connector);
});

const subscriptionOf = (id: string): PollSubscription =>
  connector.nodes.find((node) => node.id === id)?.subscription as PollSubscription;
const ask = (id: string, cursor?: PollResult['cursor'], http: VendorHttp = opened.http()): Promise<PollResult> =>
  subscriptionOf(id).poll({
    config: {},
    connection: opened.connection,
    http,
    fetchPublic: () => Promise.reject(new Error('A connector may not call other addresses.')),
    cursor,
    now: opened.now,
    signal: AbortSignal.timeout(5_000),
  });
const bill = { vendorId: '45', accountId: '28', docNumber: 'PE-1', lines: [{ amount: '120.50' }] };

test('a bill is told when it is entered and when it is deleted, each with a key of its own', async () => {
  const { cursor } = await ask('quickbooks.bill-changed');
  opened.advance(600);
  const { output } = await runNode(opened, 'quickbooks.create-bill', bill);
  const { id, syncToken } = output as { id: string; syncToken: string };
  const entered = await ask('quickbooks.bill-changed', cursor);
  expect(entered.events).toEqual([
    {
      dedupeKey: `${id}:${syncToken}`,
      data: {
        change: 'created',
        bill: expect.objectContaining({ id, number: 'PE-1', total: '120.50', vendorId: '45' }),
      },
    },
  ]);
  opened.advance(600);
  await opened.fetch(
    `${opened.connection.baseUrl}/v3/company/${opened.connection.account['realmId']}/bill?operation=delete`,
    {
      method: 'POST',
      headers: { Authorization: `Bearer ${opened.connection.accessToken}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ Id: id, SyncToken: syncToken }),
    },
  );
  const deleted = await ask('quickbooks.bill-changed', entered.cursor);
  expect(deleted.events).toEqual([{ dedupeKey: `${id}:deleted`, data: { change: 'deleted', bill: { id } } }]);
  const node = connector.nodes.find((one) => one.id === 'quickbooks.bill-changed');
  for (const { data } of [...entered.events, ...deleted.events]) expect(node?.output.parse(data)).toEqual(data);
});

test('what was told is told again under the same key for some minutes, and then no more', async () => {
  const { cursor } = await ask('quickbooks.bill-changed');
  opened.advance(30);
  await runNode(opened, 'quickbooks.create-bill', bill);
  const first = await ask('quickbooks.bill-changed', cursor);
  opened.advance(60);
  const again = await ask('quickbooks.bill-changed', first.cursor);
  expect(again.events).toEqual(first.events);
  opened.advance(600);
  const later = await ask('quickbooks.bill-changed', again.cursor);
  opened.advance(600);
  expect((await ask('quickbooks.bill-changed', later.cursor)).events).toEqual([]);
});

test('of more than a thousand changes none is left out: the rest comes from the query language', async () => {
  const row = (n: number) => ({
    Id: String(n),
    SyncToken: '1',
    MetaData: {
      CreateTime: '2026-01-01T00:00:00Z',
      LastUpdatedTime: new Date(1_772_000_000_000 + n * 1_000).toISOString(),
    },
  });
  const all = Array.from({ length: 1_500 }, (_, n) => row(n)).reverse();
  const paths: string[] = [];
  const http: VendorHttp = {
    send: ({ path, query, answer }) => {
      paths.push(path);
      const text = String(query?.['query'] ?? '');
      const start = Number(/startposition (\d+)/.exec(text)?.[1] ?? 1) - 1;
      const body = path.endsWith('/cdc')
        ? { time: opened.now().toISOString(), CDCResponse: [{ QueryResponse: [{ Bill: all.slice(0, 1_000) }] }] }
        : { QueryResponse: { Bill: all.slice(start, start + 1_000) } };
      return Promise.resolve(answer.parse(body) as never);
    },
  };
  const poll = pollChanges({ entity: 'Bill', row: z.object({ Id: z.string() }), data: (_, __, id) => ({ id }) });
  const { events } = await poll({
    config: {},
    connection: opened.connection,
    http,
    fetchPublic: () => Promise.reject(new Error('A connector may not call other addresses.')),
    cursor: { since: opened.now().toISOString() },
    now: opened.now,
    signal: AbortSignal.timeout(5_000),
  });
  expect(events.map(({ data }) => data['id'])).toEqual(all.map(({ Id }) => Id).reverse());
  expect(paths.filter((path) => path.endsWith('/query'))).toHaveLength(2);
});

test('a vendor that fails is a failure of its kind, and no news', async () => {
  opened.sandbox.fail({ match: '/cdc', kind: 'status', status: 429, headers: { 'Retry-After': '7' } });
  await expect(ask('quickbooks.vendor-changed')).rejects.toMatchObject({ kind: 'throttled', retryAfterMs: 7_000 });
  opened.sandbox.fail({ match: '/cdc', kind: 'malformed' });
  await expect(ask('quickbooks.vendor-changed')).rejects.toMatchObject({ kind: 'contract' });
});

test('a cursor that is older than the thirty days QuickBooks looks back asks for as much as there is', async () => {
  const old = new Date(opened.now().getTime() - 90 * 86_400_000).toISOString();
  await expect(ask('quickbooks.vendor-changed', { since: old })).resolves.toMatchObject({ cursor: {} });
});
