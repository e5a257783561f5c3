import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, literal } from '@plumbline/db';
import type { Connector } from '@plumbline/nodes';
import { RateGate, type Urgency } from './rate-gate.ts';
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
  const workers = [1, 2].map(() => new RateGate({ store: bench.database.store, now: () => new Date(time) }));
  const send = async (worker = 0, urgency: Urgency = 1): Promise<void> => {
    const { companyId } = bench;
    await workers[worker]?.guard({ companyId, connectionId: id, connector, urgency, fetch })('https://vendor.example/');
  };
  /** How many of so many get through, one asking after the other. */
  const through = async (count: number, urgency: Urgency): Promise<number> => {
    const before = sent;
    for (let n = 0; n < count; n++) await send(n % 2, urgency).catch(() => undefined);
    return sent - before;
  };
  return { send, through, sent: () => sent };
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
        retryAfterMs: 10_500,
        message:
          'QuickBooks Online takes 5 requests a minute and 3 requests in 10 seconds, and they are used up for now.',
      });
  });

  test('gets the next window’s share when it has come, until the longer one is full', async () => {
    const { send, sent } = await gated();
    const many = () => Promise.allSettled(Array.from({ length: 6 }, (_, n) => send(n % 2)));
    await many();
    expect(sent()).toBe(3);
    time += 10_500;
    const answers = await many();
    expect(sent()).toBe(5);
    // Which of them came too late is chance.
    const refused = answers.filter((answer) => answer.status === 'rejected');
    expect(refused.at(-1)?.reason).toMatchObject({ retryAfterMs: 52_500 });
    time += 52_500;
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

describe('a connection whose budget is short', () => {
  /** The next full minute. */
  const minute = () => (time = Math.ceil((time + 1) / 60_000) * 60_000);
  const lasting = (requests: number, perSeconds: number) => {
    connector = { ...connector, limits: [{ requests, perSeconds, source: 'https://vendor.example' }] };
  };

  test('lets what somebody waits for go before a thousand others that wait already', async () => {
    lasting(3, 10);
    minute();
    const { send, through } = await gated();
    expect(await through(1_000, 3)).toBe(3);
    // It comes too late for this window; in the next one it comes last, and still has its place.
    await expect(send(0, 0)).rejects.toMatchObject({ code: 'rate_budget', retryAfterMs: 10_500 });
    time += 10_500;
    expect(await through(1_000, 3)).toBe(2);
    await send(1, 0);
    expect(await through(1_000, 3)).toBe(0);
  });

  test('keeps a tenth of a long window for what somebody may come to wait for, until most of it is over', async () => {
    lasting(60, 60);
    minute();
    const { send, through } = await gated();
    expect(await through(100, 2)).toBe(54);
    await send(0, 0);
    await expect(send(1, 2)).rejects.toMatchObject({ retryAfterMs: 48_000 });
    time += 48_000;
    expect(await through(100, 2)).toBe(5);
  });

  test('does not let the others wait for ever', async () => {
    for (const [requests, perSeconds, windows, share] of [
      [60, 60, 3, 36],
      [3, 10, 10, 5],
      [1, 2, 20, 3],
    ] as const) {
      lasting(requests, perSeconds);
      minute();
      const { through } = await gated();
      await through(requests, 0);
      let background = 0;
      for (let window = 0; window < windows; window++) {
        await through(1, 3);
        time += perSeconds * 1_050;
        // Those that are urgent come first, and are more than there is room for.
        await through(requests * 2, 0);
        background += await through(requests, 3);
      }
      expect(background, `${requests} in ${perSeconds} s`).toBe(share);
    }
  });

  test('lets what came by itself go before what was due anyway', async () => {
    lasting(4, 10);
    minute();
    const { through } = await gated();
    expect(await through(10, 2)).toBe(4);
    expect(await through(3, 1)).toBe(0);
    time += 10_500;
    expect(await through(10, 2)).toBe(1);
    expect(await through(3, 1)).toBe(3);
  });

  test('keeps nothing for those who do not come', async () => {
    lasting(4, 10);
    minute();
    const { through } = await gated();
    await through(4, 2);
    await through(3, 0);
    time += 10_500;
    expect(await through(10, 2)).toBe(1);
    time += 5_000;
    expect(await through(10, 2)).toBe(3);
  });
});

describe('over any stretch of time', () => {
  const WINDOWS = [
    { requests: 10, perSeconds: 1 },
    { requests: 60, perSeconds: 30 },
  ] as const;

  /** Asks at these times, in milliseconds from now, and @returns those at which a request was let through. */
  async function letThrough(asked: readonly (readonly [atMs: number, urgency: Urgency])[]): Promise<number[]> {
    const { id } = await bench.connect('quickbooks');
    const began = Date.parse('2026-03-02T15:04:00.000Z');
    const passed: number[] = [];
    for (const [atMs, urgency] of asked) {
      const at = began + atMs;
      const windows = WINDOWS.map(({ requests, perSeconds }) => ({
        per_seconds: perSeconds,
        requests,
        window_at: new Date(Math.floor(at / (perSeconds * 1_000)) * perSeconds * 1_000),
      }));
      const [[answer] = []] = await bench.database.store.script(bench.companyId, [
        `select take_rate(${literal(id)}, ${urgency}, ${literal(json(windows))}, ${literal(new Date(at).toISOString())}) as wait`,
      ]);
      if (Number(answer?.['wait']) === 0) passed.push(atMs);
    }
    return passed;
  }

  /** The most that fell into any stretch of so many seconds. */
  const most = (times: readonly number[], perSeconds: number): number =>
    Math.max(...times.map((from) => times.filter((time) => time >= from && time < from + perSeconds * 1_000).length));

  test.each([20, 90, 400])(
    'no more goes out than the vendor allows, wherever its windows begin, and hardly less (%i ms apart)',
    async (paceMs) => {
      const asking = fc.tuple(fc.integer({ min: 0, max: 2 * paceMs }), fc.constantFrom<Urgency>(0, 1, 2, 3));
      await fc.assert(
        fc.asyncProperty(fc.array(asking, { minLength: 1_000, maxLength: 1_000, size: 'max' }), async (pauses) => {
          let atMs = 0;
          const asked = pauses.map(([pauseMs, urgency]) => [(atMs += pauseMs), urgency] as const);
          const passed = await letThrough(asked);
          for (const { requests, perSeconds } of WINDOWS)
            expect(most(passed, perSeconds), `in ${perSeconds} s`).toBeLessThanOrEqual(requests);
          const allowed = Math.min(asked.length, (Math.max(atMs, 30_000) / 30_000) * 60);
          expect(passed.length / allowed, 'of what is allowed').toBeGreaterThan(0.8);
        }),
        { numRuns: 4, endOnFailure: true },
      );
    },
  );

  test('a burst at the end of one window and one at the beginning of the next are one', async () => {
    const burst = (atMs: number) => Array.from({ length: 10 }, (): [number, Urgency] => [atMs, 1]);
    expect(await letThrough([...burst(990), ...burst(1_010)])).toEqual(burst(990).map(([atMs]) => atMs));
    expect(await letThrough([...burst(990), ...burst(2_000)])).toHaveLength(20);
  });

  test('a clock that is set back keeps nobody out for longer than a window', async () => {
    const burst = (atMs: number) => Array.from({ length: 10 }, (): [number, Urgency] => [atMs, 1]);
    expect(await letThrough([...burst(3_600_000), ...burst(0), ...burst(1_050)])).toHaveLength(20);
  });
});
