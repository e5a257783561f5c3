import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connector } from '@plumbline/nodes';
import { RateGate } from './rate-gate.ts';
import { openBench, type Bench } from './testing.ts';

let bench: Bench;
let connector: Connector;
let time = new Date('2026-03-02T15:04:00.000Z').getTime();
beforeAll(async () => {
  bench = await openBench();
  connector = {
    ...(bench.catalog.connectors.get('quickbooks') as Connector),
    limits: [
      { requests: 5, perSeconds: 60, source: 'https://vendor.example' },
      { requests: 3, perSeconds: 10, source: 'https://vendor.example' },
    ],
  };
});
afterAll(() => bench.close());

async function gated() {
  const { id } = await bench.connect('quickbooks');
  let sent = 0;
  const fetch: typeof globalThis.fetch = () => {
    sent += 1;
    return Promise.resolve(new Response('{}'));
  };
  // Two workers of one company.
  const workers = [1, 2].map(() =>
    new RateGate({ store: bench.database.store, now: () => new Date(time) }).guard(
      bench.companyId,
      id,
      connector,
      fetch,
    ),
  );
  return { send: (worker = 0) => workers[worker]?.('https://vendor.example/'), sent: () => sent };
}

describe('a connection', () => {
  test('gets what its vendor allows, whichever worker asks, and no more', async () => {
    const { send, sent } = await gated();
    const answers = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => send(n % 2)));
    expect(sent()).toBe(3);
    const refused = answers.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(17);
    for (const answer of refused)
      expect((answer as PromiseRejectedResult).reason).toMatchObject({
        kind: 'throttled',
        code: 'rate_budget',
        retryAfterMs: 10_000,
        message:
          'QuickBooks Online takes 5 requests a minute and 3 requests in 10 seconds, and they are used up for now.',
      });
  });

  test('gets the next window’s share when it has come, until the longer one is full', async () => {
    const { send, sent } = await gated();
    const many = () => Promise.allSettled(Array.from({ length: 6 }, (_, n) => send(n % 2)));
    await many();
    expect(sent()).toBe(3);
    time += 10_000;
    const answers = await many();
    expect(sent()).toBe(5);
    // Which of them came too late is chance.
    const refused = answers.filter((answer) => answer.status === 'rejected');
    expect(refused.at(-1)?.reason).toMatchObject({ retryAfterMs: 50_000 });
    time += 50_000;
    await many();
    expect(sent()).toBe(8);
  });

  test('has a budget of its own', async () => {
    const first = await gated();
    await Promise.allSettled(Array.from({ length: 6 }, () => first.send()));
    const second = await gated();
    await second.send();
    expect([first.sent(), second.sent()]).toEqual([3, 1]);
  });
});
