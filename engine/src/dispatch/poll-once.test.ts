import { randomUUID } from 'node:crypto';
import { Connections } from '@plumbline/workflows/activities/connections';
import type { Dependencies } from '@plumbline/workflows/activities/dependencies';
import type { FlowDocument } from '@plumbline/workflows/flow';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBench, type Bench } from '../../../workflows/src/activities/testing.ts';
import { subscribe } from '../flows/subscribe.ts';
import { pollOnce } from './poll-once.ts';

let bench: Bench;
let deps: Dependencies;
let now: Date;
/** What the address answers, and how often it was asked. */
let answer: () => Promise<Response> | Response;
let asked: string[];

beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});
beforeEach(() => {
  now = new Date('2026-03-02T15:04:05.000Z');
  asked = [];
  answer = () => Response.json([]);
  deps = {
    ...bench.deps,
    now: () => now,
    fetchPublic: async (input) => {
      asked.push(String(input));
      return await answer();
    },
  };
});

const later = (seconds: number): void => void (now = new Date(now.getTime() + seconds * 1_000));

interface Polled {
  readonly flowId: string;
  readonly key: string;
  readonly id: string;
}

type Inputs = Readonly<Record<string, string | number>>;

function documentOf(type: string, inputs: Inputs, connectionId?: string): FlowDocument {
  return {
    schema: 1,
    params: {},
    connections: connectionId ? { books: { connector: 'quickbooks', title: 'Books', id: connectionId } } : {},
    nodes: {
      news: {
        type,
        version: 1,
        name: 'News',
        inputs: Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, { kind: 'literal', value }])),
        ...(connectionId ? { connection: 'books' } : {}),
      },
    },
    edges: [],
    positions: {},
  };
}

const publish = (flowId: string, document: FlowDocument): Promise<void> =>
  bench.database.store.tenant(bench.companyId, (tx) =>
    subscribe(tx, {
      companyId: bench.companyId,
      flowId,
      document,
      catalog: bench.catalog,
      seal: () => Promise.resolve('{}'),
      now,
    }),
  );

async function flowWith(document: FlowDocument): Promise<Polled> {
  const flowId = randomUUID();
  await bench.database.asOwner(
    `insert into flows (id, company_id, name, status, draft) values ($1, $2, 'Price list', 'on', '{}')`,
    [flowId, bench.companyId],
  );
  await publish(flowId, document);
  const [row] = await bench.database.asOwner<{ id: string }>('select id from subscriptions where flow_id = $1', [
    flowId,
  ]);
  return { flowId, key: `${flowId}:news`, id: row?.id ?? '' };
}

const poll = ({ id }: Polled): Promise<number> =>
  pollOnce({ deps, connections: new Connections(deps) }, bench.companyId, id);
/** Events that start something, in order. */
const news = async ({ key }: Polled): Promise<unknown[]> =>
  (
    await bench.database.asOwner<{ data: unknown }>(
      `select data from events where key = $1 and status <> 'ignored' order by seq`,
      [key],
    )
  ).map(({ data }) => data);
const state = async ({ id }: Polled) =>
  (
    await bench.database.asOwner<{
      next_poll_at: Date | null;
      poll_failures: number;
      poll_error: { code: string } | null;
      cursor: unknown;
    }>('select next_poll_at, poll_failures, poll_error, cursor from subscriptions where id = $1', [id])
  )[0];
const list = 'https://prices.example/list';
const items = (...ids: readonly number[]) => ids.map((id) => ({ id }));
const notices = async ({ id }: Polled) =>
  await bench.database.asOwner<{ title: string; over_at: Date | null }>(
    'select title, over_at from notifications where key = $1',
    [`poll:${id}`],
  );

describe('a list at a web address', () => {
  test('starts nothing for what is there at first, and once for each item that is new after that', async () => {
    const flow = await flowWith(documentOf('core.poll', { url: list }));
    answer = () => Response.json(items(1, 2));
    expect([await poll(flow), await news(flow)]).toEqual([0, []]);
    expect(await poll(flow)).toBe(0);
    expect(asked).toHaveLength(1); // it is not due again
    later(300);
    answer = () => Response.json(items(1, 2, 3, 4));
    expect(await poll(flow)).toBe(2);
    later(300);
    expect(await poll(flow)).toBe(0);
    expect(await news(flow)).toEqual([{ item: { id: 3 } }, { item: { id: 4 } }]);
  });

  test('finds list, id and change where it is told, and asks for what came after the newest', async () => {
    const flow = await flowWith(
      documentOf('core.poll', {
        url: `${list}?lot=7`,
        itemsPath: 'data.rows',
        idPath: 'ref.no',
        changePath: 'at',
        cursorParameter: 'since',
        cursorPath: 'at',
      }),
    );
    const row = (no: string, at: string) => ({ ref: { no }, at });
    answer = () => Response.json({ data: { rows: [row('a', '2026-03-01'), row('b', '2026-02-01')] } });
    await poll(flow);
    later(300);
    answer = () => Response.json({ data: { rows: [row('a', '2026-03-01'), row('b', '2026-03-02')] } });
    expect(await poll(flow)).toBe(1);
    later(300);
    await poll(flow);
    expect(asked).toEqual([`${list}?lot=7`, `${list}?lot=7&since=2026-03-01`, `${list}?lot=7&since=2026-03-02`]);
    expect(await news(flow)).toEqual([{ item: row('b', '2026-03-02') }]);
  });

  test.each([
    ['no list', () => Response.json({ data: {} }), 'list_missing'],
    ['no JSON', () => new Response('<html>'), 'list_missing'],
    ['items without an id', () => Response.json([{ name: 'x' }]), 'id_missing'],
    ['more than is read', () => Response.json(items(...Array.from({ length: 1_001 }, (_, n) => n))), 'list_too_long'],
    ['404', () => new Response('', { status: 404 }), 'http_404'],
    ['401', () => new Response('', { status: 401 }), 'http_401'],
  ] as const)('%s is told at once and looked at again in an hour', async (_, given, code) => {
    const flow = await flowWith(documentOf('core.poll', { url: list }));
    answer = given;
    await poll(flow);
    const after = await state(flow);
    expect(after?.poll_error?.code).toBe(code);
    expect(after?.next_poll_at).toEqual(new Date(now.getTime() + 3_600_000));
    expect((await notices(flow))[0]?.title).toBe('"Price list" cannot look for news');
  });
});

describe('publishing', () => {
  test('in the middle of a poll neither drops nor doubles anything', async () => {
    const flow = await flowWith(documentOf('core.poll', { url: list }));
    await poll(flow);
    later(300);
    answer = async () => {
      await publish(flow.flowId, documentOf('core.poll', { url: list, everyMinutes: 2 }));
      return Response.json(items(1));
    };
    expect(await poll(flow)).toBe(1);
    later(120);
    answer = () => Response.json(items(1, 2));
    await publish(flow.flowId, documentOf('core.poll', { url: list, everyMinutes: 2 }));
    expect(await poll(flow)).toBe(1);
    expect(await news(flow)).toEqual([{ item: { id: 1 } }, { item: { id: 2 } }]);
  });

  test('another address in the middle of a poll throws the catch away and begins anew', async () => {
    const flow = await flowWith(documentOf('core.poll', { url: list }));
    await poll(flow);
    later(300);
    answer = async () => {
      await publish(flow.flowId, documentOf('core.poll', { url: `${list}/other` }));
      return Response.json(items(1));
    };
    expect(await poll(flow)).toBe(0);
    answer = () => Response.json(items(7));
    expect(await poll(flow)).toBe(0);
    later(300);
    answer = () => Response.json(items(7, 8));
    expect(await poll(flow)).toBe(1);
    expect(await news(flow)).toEqual([{ item: { id: 8 } }]);
  });

  test('a trigger that was taken away and comes back starts from then', async () => {
    const flow = await flowWith(documentOf('core.poll', { url: list }));
    await poll(flow);
    await publish(flow.flowId, { ...documentOf('core.poll', {}), nodes: {} });
    later(600);
    answer = () => Response.json(items(1));
    expect(await poll(flow)).toBe(0);
    await publish(flow.flowId, documentOf('core.poll', { url: list }));
    await poll(flow);
    expect(await news(flow)).toEqual([]);
  });
});

describe('processes and crashes', () => {
  test('of ten that look at once one asks', async () => {
    const flow = await flowWith(documentOf('core.poll', { url: list }));
    await Promise.all(Array.from({ length: 10 }, () => poll(flow)));
    expect(asked).toHaveLength(1);
  });

  test('one that died while it asked is replaced when its lease is over; its late catch is not taken', async () => {
    const flow = await flowWith(documentOf('core.poll', { url: list }));
    await poll(flow);
    later(300);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    answer = async () => {
      await held;
      return Response.json(items(1, 99));
    };
    const slow = poll(flow);
    await expect.poll(() => asked.length).toBe(2);
    later(60);
    expect(await poll(flow)).toBe(0);
    later(61);
    answer = () => Response.json(items(1));
    expect(await poll(flow)).toBe(1);
    release();
    expect(await slow).toBe(0);
    expect(await news(flow)).toEqual([{ item: { id: 1 } }]);
  });
});

describe('a source that fails', () => {
  test('is left alone for longer and longer, as long as it says at least, and reads on from where it was', async () => {
    const flow = await flowWith(documentOf('core.poll', { url: list, everyMinutes: 1 }));
    await poll(flow);
    const pauses: number[] = [];
    answer = () => new Response('', { status: 503 });
    for (let tries = 0; tries < 8; tries++) {
      now = (await state(flow))?.next_poll_at ?? now;
      await poll(flow);
      pauses.push(((await state(flow))?.next_poll_at?.getTime() ?? 0) - now.getTime());
    }
    expect(pauses.map((ms) => ms / 60_000)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(await notices(flow)).toMatchObject([{ over_at: null }]);
    now = (await state(flow))?.next_poll_at ?? now;
    answer = () => new Response('', { status: 429, headers: { 'Retry-After': '7200' } });
    await poll(flow);
    expect(((await state(flow))?.next_poll_at?.getTime() ?? 0) - now.getTime()).toBe(7_200_000);
    later(7_200);
    answer = () => Response.json(items(5));
    expect(await poll(flow)).toBe(1);
    expect(await state(flow)).toMatchObject({ poll_failures: 0, poll_error: null });
    expect((await notices(flow))[0]?.over_at).not.toBeNull();
  });

  test('switched off nothing is asked, and on again it starts from then', async () => {
    const flow = await flowWith(documentOf('core.poll', { url: list }));
    await poll(flow);
    await bench.database.asOwner(`update flows set status = 'off' where id = $1`, [flow.flowId]);
    later(300);
    expect(await poll(flow)).toBe(0);
    expect(asked).toHaveLength(1);
    expect(await state(flow)).toMatchObject({ next_poll_at: null, cursor: null });
  });
});

describe('QuickBooks', () => {
  test('tells of vendors that are added and changed, each change once, from when the flow was published', async () => {
    const { id, opened } = await bench.connect('quickbooks');
    deps = { ...deps, now: bench.deps.now };
    now = bench.deps.now();
    const flow = await flowWith(documentOf('quickbooks.vendor-changed', {}, id));
    const run = (name: string, input: object) =>
      opened.connector.nodes
        .find((node) => node.id === `quickbooks.${name}`)
        ?.run?.({
          input: input as never,
          connection: opened.connection,
          http: opened.http(),
          fetchPublic: () => Promise.reject(new Error('no other address')),
          idempotencyKey: randomUUID(),
          now: opened.now,
          signal: AbortSignal.timeout(5_000),
        });
    expect(await poll(flow)).toBe(0);
    opened.advance(300);
    const created = await run('create-vendor', { name: 'Biltmore Glass' });
    const vendor = created?.output as { id: string; syncToken: string };
    opened.advance(10);
    expect(await poll(flow)).toBe(1);
    opened.advance(300);
    expect(await poll(flow)).toBe(0);
    await run('update-vendor', { vendorId: vendor.id, id: vendor.id, email: 'office@biltmore.example' });
    opened.advance(300);
    expect(await poll(flow)).toBe(1);
    opened.advance(300);
    expect(await poll(flow)).toBe(0);
    const told = (await news(flow)) as { change: string; vendor: { id: string; name: string } }[];
    expect(told.map(({ change, vendor: { name } }) => [change, name])).toEqual([
      ['created', 'Biltmore Glass'],
      ['updated', 'Biltmore Glass'],
    ]);
    const type = bench.catalog.nodeTypes.get('quickbooks.vendor-changed@1');
    for (const data of told) expect(type?.output.parse(data)).toEqual(data);
  });

  test('that refuses the connection is asked again as soon as it is connected anew', async () => {
    const { id } = await bench.connect('quickbooks', { accessToken: 'nobodys' });
    deps = { ...deps, now: bench.deps.now };
    now = bench.deps.now();
    const flow = await flowWith(documentOf('quickbooks.bill-changed', {}, id));
    await bench.database.asOwner(`update integrations set status = 'needs_reconnect' where id = $1`, [id]);
    await poll(flow);
    expect((await state(flow))?.poll_error?.code).toBe('needs_reconnect');
    expect(await notices(flow)).toEqual([]);
    await bench.database.asOwner(`update integrations set status = 'connected' where id = $1`, [id]);
    expect((await state(flow))?.next_poll_at?.getTime()).toBeLessThanOrEqual(Date.now());
  });
});
