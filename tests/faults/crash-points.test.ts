import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page, RunSummary } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { crashPoints, type CrashPoint } from '@plumbline/workflows/crash-points';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAccountsTie } from '../support/ledger.ts';
import { startMockVendor, type MockVendor } from '../support/mock-vendor.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { chance, full, report, seed } from '../support/profile.ts';
import { openSender } from '../support/sender.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let vendor: MockVendor;
let client: StudioClient;
let folder: string;
let slack: string;
let quickbooks: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumbline-crashes-'));
  vendor = await startMockVendor();
  up = await testPlatform(
    {
      PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: vendor.origin,
      PLUMBLINE_CRASH_FOLDER: folder,
      // All points of the longer way; on the shorter one the first three are one.
      PLUMBLINE_AT_ONCE: '0',
    },
    { workers: 2, apis: 2, fsync: true },
  );
  client = await up.client();
  slack = (await client.connectSandbox('slack')).id;
  quickbooks = (await client.connectSandbox('quickbooks')).id;
});
afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
  await vendor?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** An action of each kind there is, about something named `mark`; and how often it has left its mark. */
const kinds = {
  'create with a key': {
    step: (mark: string) =>
      node('core.http-request', mark, { url: `${vendor.origin}/write/1`, body: { id: mark }, honoursKey: true }),
    traces: (mark: string) => Promise.resolve(vendor.effects.filter(({ id }) => id === mark).length),
  },
  'create that can be found': {
    step: (mark: string) =>
      node('slack.send-message', mark, { channel: 'C07000002', text: `${mark}.` }, { connection: 'slack' }),
    traces: (mark: string) => inSandbox('slack', `${mark}.`),
  },
  upsert: {
    step: (mark: string) => node('quickbooks.ensure-vendor', mark, { name: `${mark}.` }, { connection: 'quickbooks' }),
    traces: (mark: string) => inSandbox('quickbooks', `"DisplayName":"${mark}."`),
  },
  read: {
    step: (mark: string) =>
      node('core.http-request', mark, { method: 'GET', url: `${vendor.origin}/read/1?id=${mark}` }),
    traces: (mark: string) => Promise.resolve(vendor.firstSeen.has(mark) ? 1 : 0),
  },
} as const;
type Kind = keyof typeof kinds;
const allKinds = Object.keys(kinds) as Kind[];

/** Where a death finds what: by the delivery's id, the plan's hash, or the node's id. */
const subjects: Partial<Record<CrashPoint, 'delivery' | 'plan' | 'node'>> = {
  'after-event-stored': 'delivery',
  'before-runs-written': 'plan',
  'after-runs-written': 'plan',
  'after-carrier-started': 'plan',
  'after-run-taken-up': 'plan',
  'after-claim': 'node',
  'after-intent': 'node',
  'after-vendor-call': 'node',
  'before-step-recorded': 'node',
  'after-step-recorded': 'node',
  'before-run-ended': 'plan',
  'after-run-ended': 'plan',
};
/** Points in API processes. */
const inApi: readonly CrashPoint[] = ['after-event-stored'];
/** A read has no intent to write; and an API process that dies takes the sandboxes' last moments with it, so it is not their actions that show it. */
const passes = (point: CrashPoint, kind: Kind): boolean =>
  inApi.includes(point)
    ? kind === 'read' || kind === 'create with a key'
    : kind !== 'read' || (point !== 'after-claim' && point !== 'after-intent');

interface Cell {
  readonly point: CrashPoint;
  readonly kind: Kind;
  readonly mark: string;
}

test('whoever dies at any point of any kind of step, the end is as if nobody had', async () => {
  const { pick, shuffle } = chance(seed);
  const points = (Object.keys(subjects) as CrashPoint[]).map((point) => {
    const able = allKinds.filter((kind) => passes(point, kind));
    // The short form takes each point once, with a kind that chance picks.
    return { point, kinds: full ? shuffle(able) : [pick(able)] };
  });
  const cells = points.flatMap(({ point, kinds: own }, index) =>
    own.map((kind): Cell => ({ point, kind, mark: `m${index}_${allKinds.indexOf(kind)}` })),
  );
  // What one of each kind leaves when nobody dies.
  const undisturbed = new Map(
    await Promise.all(
      allKinds.map(async (kind, index) => {
        const mark = `calm${index}`;
        await start(await publish(mark, kind), mark, 'succeeded');
        // A sandbox writes down what it holds a moment after it has answered.
        const traces = await until(`the trace of ${mark}`, async () => (await kinds[kind].traces(mark)) || false);
        return [kind, traces] as const;
      }),
    ),
  );
  const ready = await Promise.all(cells.map(async (cell) => ({ ...cell, flow: await publish(cell.mark, cell.kind) })));
  const [api, worker] = [true, false].map((is) => ready.filter(({ point }) => inApi.includes(point) === is));
  // Deaths of one cell are faults of the others: together they are harder on each than one by one.
  await Promise.all((api ?? []).map(playCell));
  for (let at = 0; at < (worker ?? []).length; at += 12)
    await Promise.all((worker ?? []).slice(at, at + 12).map(playCell));
  // A run may be seen to have ended a moment before its worker dies of it.
  const deaths = async (): Promise<string[]> =>
    (await readdir(folder)).filter((file) => file.startsWith('.') && file.includes('~m'));
  const passedBy = async (played: readonly Cell[]): Promise<Cell[]> => {
    const alive = async (): Promise<Cell[]> => {
      const died = await deaths();
      return played.filter(({ point, mark }) => !died.includes(`.${point}~${mark}`));
    };
    await until('the last death', async () => (await alive()).length === 0, { withinMs: 15_000 }).catch(
      () => undefined,
    );
    return await alive();
  };
  // Another cell's death may take the process away that was on its way to a point, and the run end without it: then it is that cell's turn alone.
  const again = (await passedBy(cells)).map((cell): Cell => ({ ...cell, mark: `${cell.mark}_again` }));
  for (const cell of again) await playCell({ ...cell, flow: await publish(cell.mark, cell.kind) });
  const left = await passedBy(again);
  const all = [...cells, ...again];
  for (const { kind, mark } of all)
    await until(`the trace of ${mark}`, async () => (await kinds[kind].traces(mark)) === (undisturbed.get(kind) ?? 0), {
      withinMs: 15_000,
    }).catch(() => undefined);
  const outcome = await Promise.all(
    all.map(async ({ point, kind, mark }) => ({ point, kind, traces: await kinds[kind].traces(mark) })),
  );
  const different = outcome.filter(({ kind, traces }) => traces !== undisturbed.get(kind));
  report('R5', {
    cells: cells.length,
    died: (await deaths()).length,
    again: again.length,
    restarts: up.restarts.length,
    different,
  });
  expect(different).toEqual([]);
  expect(left, 'points that nobody came to').toEqual([]);
  await expectAccountsTie(up);
});

test('who dies while a token is renewed leaves one that works, or says that it has to be connected again', async () => {
  const flow = await publish('tokens', 'upsert');
  for (const point of ['before-token-refresh', 'mid-token-refresh', 'after-token-refresh'] as const) {
    await up.owner.query(`update integrations set token_expires_at = now() where id = $1`, [quickbooks]);
    await arm(point, quickbooks, point);
    await using sender = openSender(flow, [up.origin]);
    await sender.deliver(point);
    await until(`the death ${point}`, async () => (await readdir(folder)).includes(`.${point}~${point}`));
    const run = await until(`the run after ${point}`, async () => {
      const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`);
      return items.length > 0 && items.every(({ status }) => ['succeeded', 'parked'].includes(status)) && items;
    });
    const { rows } = await up.owner.query<{ status: string }>('select status from integrations where id = $1', [
      quickbooks,
    ]);
    report('S6 death', { point, run: run[0]?.status, connection: rows[0]?.status });
    expect([run[0]?.status, rows[0]?.status]).toEqual(['succeeded', 'connected']);
  }
});

test('who dies while a decision or a cancelling is recorded loses neither', async () => {
  const points = ['mid-decision', 'after-decision'] as const;
  const answers: number[] = [];
  await Promise.all(
    points.map(async (point, index) => {
      const mark = `decided${index}`;
      const flow = await publishWebhookFlow(client, mark, {
        params: {},
        connections: {},
        nodes: {
          incoming: node('core.webhook', 'In'),
          [mark]: node('core.http-request', mark, { url: `${vendor.origin}/once/1`, body: { id: mark } }),
        },
        edges: line('incoming', mark),
      });
      const run = await start(flow, mark, 'parked');
      await arm(point, mark, mark);
      // A person who gets no answer, or one that asks to try again, does so.
      await until(`the decision ${point} to be answered`, async () => {
        const answer = await client.fetch('POST', `/api/runs/${run.id}/steps/${mark}/decide`, { action: 'retry' });
        await answer.arrayBuffer();
        answers.push(answer.status);
        return answer.ok || answer.status === 409;
      });
      await ended(flow.id, 'succeeded');
      expect(vendor.effects.filter(({ id }) => id === mark)).toHaveLength(1);
    }),
  );
  const flow = await publishWebhookFlow(client, 'Cancelled', {
    params: {},
    connections: {},
    nodes: { incoming: node('core.webhook', 'In'), wait: node('core.wait', 'Wait', { amount: 1, unit: 'days' }) },
    edges: line('incoming', 'wait'),
  });
  const run = await start(flow, 'cancelled', 'waiting');
  await arm('after-cancel', run.id, 'cancelled');
  await client.fetch('POST', `/api/runs/${run.id}/cancel`);
  await ended(flow.id, 'cancelled');
  const died = (await readdir(folder)).filter((file) => /^\.(mid-decision|after-decision|after-cancel)~/.test(file));
  report('R5 decisions', { died: died.length, answers });
  expect(died).toHaveLength(3);
  await expectAccountsTie(up);
});

test('no point was left out', () => {
  const elsewhere = crashPoints.filter((point) => !(point in subjects));
  expect(elsewhere).toEqual([
    'before-token-refresh',
    'mid-token-refresh',
    'after-token-refresh',
    // These in constructs.test.ts.
    'after-wait-opened',
    'mid-loop',
    'after-turn-closed',
    'mid-scope',
    'before-undo',
    'mid-undo',
    'after-scope-undone',
    'mid-decision',
    'after-decision',
    'after-cancel',
  ]);
});

async function playCell({ point, mark, flow }: Cell & { readonly flow: WebhookFlow }): Promise<void> {
  const subject = subjects[point];
  await arm(point, subject === 'delivery' ? mark : subject === 'node' ? mark : await planOf(flow), mark);
  await start(flow, mark, 'succeeded');
}

async function publish(mark: string, kind: Kind): Promise<WebhookFlow> {
  return await publishWebhookFlow(client, `${kind}: ${mark}`, {
    params: {},
    connections: {
      slack: { connector: 'slack', title: 'Slack', id: slack },
      quickbooks: { connector: 'quickbooks', title: 'QuickBooks', id: quickbooks },
    },
    nodes: { incoming: node('core.webhook', 'In'), [mark]: kinds[kind].step(mark) },
    edges: line('incoming', mark),
  });
}

async function arm(point: CrashPoint, subject: string, mark: string): Promise<void> {
  await writeFile(join(folder, `${point}~${mark}`), subject);
}

/** Delivers once and waits for the run to get there. */
async function start(flow: WebhookFlow, mark: string, status: string): Promise<RunSummary> {
  await using sender = openSender(flow, up.platform.origins);
  await sender.deliver(mark);
  return await ended(flow.id, status);
}

async function ended(flowId: string, status: string): Promise<RunSummary> {
  const look = async (): Promise<RunSummary | false | undefined> => {
    // The API may be the one that just died.
    const page = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flowId}`).catch(() => undefined);
    const [run, ...others] = page?.items ?? [];
    expect(others).toEqual([]);
    return run?.status === status && run;
  };
  // A dozen deaths in a row, and after each Temporal takes ten seconds to give the dead worker's carriers to the other one.
  return await until(`the run of ${flowId} to be ${status}`, look, { withinMs: 300_000 });
}

async function planOf(flow: WebhookFlow): Promise<string> {
  const { rows } = await up.owner.query<{ plan_hash: string }>(
    'select plan_hash from flow_versions where flow_id = $1',
    [flow.id],
  );
  return rows[0]?.plan_hash ?? '';
}

/** How often a text stands in what a sandbox remembers. */
async function inSandbox(connector: string, text: string): Promise<number> {
  const { rows } = await up.owner.query<{ state: unknown }>('select state from sandbox_states where connector = $1', [
    connector,
  ]);
  return JSON.stringify(rows[0]?.state).split(text).length - 1;
}
