import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page, RecordRow, RunDetail, RunSummary } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import type { CrashPoint } from '@plumbline/workflows/crash-points';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAccountsTie } from '../support/ledger.ts';
import { startMockVendor, type MockVendor } from '../support/mock-vendor.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { report } from '../support/profile.ts';
import { openSender } from '../support/sender.ts';
import { until } from '../support/until.ts';
import { line, node, publishFlow, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

const ITEMS = 200;

let up: TestPlatform;
let vendor: MockVendor;
let client: StudioClient;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumbline-crashes-'));
  vendor = await startMockVendor();
  up = await testPlatform(
    { PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: vendor.origin, PLUMBLINE_CRASH_FOLDER: folder },
    { workers: 2, fsync: true },
  );
  client = await up.client();
});
afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
  await vendor?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('a worker that dies in a loop leaves each item done once', async () => {
  const publish = (mark: string) =>
    publishWebhookFlow(client, `Loop ${mark}`, {
      params: {},
      connections: {},
      nodes: {
        incoming: node('core.webhook', 'In'),
        [mark]: node('core.for-each', 'Each', { items: `=[1..${ITEMS}]`, concurrency: 10 }),
        write: { ...write(`="${mark}-" & loop.item`), parent: mark },
        after: write(`${mark}-after`),
      },
      edges: [
        { id: 'in', from: 'incoming', port: 'out', to: mark },
        { id: 'each', from: mark, port: 'each', to: 'write' },
        { id: 'out', from: mark, port: 'out', to: 'after' },
      ],
    });
  const calm = await outcomeOf(await publish('calm'), 'calm');
  for (const point of ['mid-loop', 'after-turn-closed', 'after-vendor-call'] as const) {
    const mark = point.replaceAll('-', '_');
    const flow = await publish(mark);
    const going = outcomeOf(flow, mark);
    await until('a quarter to be done', () => Promise.resolve(effectsOf(mark).length > ITEMS / 4), { everyMs: 5 });
    await arm(point, point === 'after-vendor-call' ? 'write' : mark);
    expect(await going).toEqual(calm);
    await expectDied(point);
    report('R5 loop', { point, effects: effectsOf(mark).length, repeated: repeatsOf(mark) });
    expect(effectsOf(mark)).toHaveLength(ITEMS + 1);
    expect(new Set(effectsOf(mark).map(({ id }) => id)).size).toBe(ITEMS + 1);
    // What was applied and not recorded was asked for again, and known by its key.
    if (point === 'after-vendor-call') expect(repeatsOf(mark)).toBeGreaterThan(0);
    // Nothing is after the loop before all of it is done.
    expect(effectsOf(mark).at(-1)?.id).toBe(`${mark}-after`);
  }
});

test('a worker that dies while a flow is called calls it once', async () => {
  const called = await publishFlow(client, 'Called', {
    params: {},
    connections: {},
    nodes: {
      input: node('core.flow-input', 'Input', { fields: [{ id: 'text', title: 'Text', required: true }] }),
      write: write('=trigger.values.text'),
      back: node('core.return', 'Back', { values: '={"loud": $uppercase(trigger.values.text)}' }),
    },
    edges: line('input', 'write', 'back'),
  });
  const publish = (mark: string) =>
    publishWebhookFlow(client, `Caller ${mark}`, {
      params: {},
      connections: {},
      nodes: {
        incoming: node('core.webhook', 'In'),
        [mark]: node('core.call-flow', 'Call', { flow: called.id, values: `={"text": "${mark}-called"}` }),
        after: write(`="${mark}-" & steps.${mark}.result.loud`),
      },
      edges: line('incoming', mark, 'after'),
    });
  const calm = await outcomeOf(await publish('quiet'), 'quiet');
  await arm('after-wait-opened', 'torn');
  expect(await outcomeOf(await publish('torn'), 'torn')).toEqual(calm);
  await expectDied('after-wait-opened');
  report('R5 call', { effects: effectsOf('torn').map(({ id }) => id) });
  expect(effectsOf('torn').map(({ id }) => id)).toEqual(['torn-called', 'torn-TORN-CALLED']);
});

test('a worker that dies as it begins to wait for an event misses none, and goes on once', async () => {
  const { items } = await client.call<Page<RecordRow>>('GET', '/api/records/vendor_invoice?status=submitted');
  const [invoice] = items;
  await rearm('after-wait-opened', 'wait');
  const flow = await publishWebhookFlow(client, 'Waits', {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'In'),
      wait: node('core.wait-for-event', 'Wait', {
        ...{ entity: 'vendor_invoice', change: 'approved', equals: '=trigger.body.id', amount: 0 },
      }),
      after: write('waited-after'),
    },
    edges: line('incoming', 'wait', 'after'),
  });
  await flow.post('wait', { id: invoice?.id });
  await expectDied('after-wait-opened');
  // What it waits for happens while it is still being taken up by somebody else.
  await client.call('POST', `/api/records/vendor_invoice/${invoice?.id}/status`, { to: 'approved' });
  expect((await ended(flow.id)).status).toBe('succeeded');
  report('R5 wait', { effects: effectsOf('waited').length });
  expect(effectsOf('waited')).toHaveLength(1);
});

test('workers that die before they undo, and while they do, undo the rest, each once', async () => {
  const slack = (await client.connectSandbox('slack')).id;
  const publish = (mark: string) =>
    publishWebhookFlow(client, `Undone ${mark}`, {
      params: {},
      connections: { slack: { connector: 'slack', title: 'Slack', id: slack } },
      nodes: {
        incoming: node('core.webhook', 'In'),
        first: message(`${mark} first`),
        [mark]: message(`${mark} second`),
        fail: { ...node('core.map', 'Fail', { value: '=$error("no")' }), onError: 'compensate' },
      },
      edges: line('incoming', 'first', mark, 'fail'),
    });
  const calm = await outcomeOf(await publish('kept'), 'kept');
  await arm('before-undo', '');
  await arm('mid-undo', 'undone');
  expect(await outcomeOf(await publish('undone'), 'undone')).toEqual(calm);
  await expectDied('before-undo');
  await expectDied('mid-undo');
  const left = await until('the sandbox to remember', async () => {
    const { rows } = await up.owner.query<{ state: unknown }>(
      `select state from sandbox_states where connector = 'slack'`,
    );
    const state = JSON.stringify(rows[0]?.state);
    return ['kept first', 'kept second', 'undone first', 'undone second'].every((text) => !state.includes(text));
  });
  report('R5 undo', { left: !left, outcome: calm.status });
  expect(calm.status).toBe('failed');
  await expectAccountsTie(up);
});

test('a worker that dies while a scope fails undoes each once, and goes on by its way for failures', async () => {
  const slack = (await client.connectSandbox('slack')).id;
  const publish = (mark: string) =>
    publishWebhookFlow(client, `Scope ${mark}`, {
      params: {},
      connections: { slack: { connector: 'slack', title: 'Slack', id: slack } },
      nodes: {
        incoming: node('core.webhook', 'In'),
        [mark]: node('core.scope', 'Together'),
        [`${mark}_first`]: { ...message(`${mark} first`), parent: mark },
        [`${mark}_second`]: { ...message(`${mark} second`), parent: mark },
        fail: { ...node('core.map', 'Fail', { value: '=$error("no")' }), parent: mark },
        never: write(`${mark}-never`),
        after: write(`="${mark}-" & $join(steps.${mark}.error.undone, "+")`),
      },
      edges: [
        { id: 'in', from: 'incoming', port: 'out', to: mark },
        { id: 'inside', from: mark, port: 'each', to: `${mark}_first` },
        ...line(`${mark}_first`, `${mark}_second`, 'fail'),
        { id: 'out', from: mark, port: 'out', to: 'never' },
        { id: 'error', from: mark, port: 'error', to: 'after' },
      ],
    });
  const stepsOf = ({ status, steps }: { status: string; steps: readonly string[] }, mark: string) => ({
    status,
    steps: steps.map((step) => step.replace(mark, 'it')).sort(),
  });
  const calm = stepsOf(await outcomeOf(await publish('whole'), 'whole'), 'whole');
  for (const [point, subject] of [
    ['mid-scope', 'ended'],
    ['mid-undo', 'halfway_second'],
    ['after-scope-undone', 'late'],
  ] as const) {
    const mark = subject.split('_')[0] ?? subject;
    await rearm(point, subject);
    expect(stepsOf(await outcomeOf(await publish(mark), mark), mark)).toEqual(calm);
    await expectDied(point);
    report('R5 scope', { point, effects: effectsOf(mark).map(({ id }) => id) });
    expect(effectsOf(mark).map(({ id }) => id)).toEqual([`${mark}-${mark} second+${mark} first`]);
  }
  expect(calm.status).toBe('succeeded');
  await expectAccountsTie(up);
});

function write(id: string) {
  const body = id.startsWith('=') ? `={"id": ${id.slice(1)}}` : { id };
  return node('core.http-request', 'Write', { url: `${vendor.origin}/write/1`, body, honoursKey: true });
}

function message(text: string) {
  return node('slack.send-message', text, { channel: 'C07000002', text }, { connection: 'slack' });
}

function effectsOf(mark: string) {
  return vendor.effects.filter(({ id }) => id.startsWith(`${mark}-`));
}

function repeatsOf(mark: string): number {
  return effectsOf(mark).reduce((sum, { repeats }) => sum + repeats, 0);
}

/** Delivers once; says how the run ended and its steps stand, without what differs from run to run. */
async function outcomeOf(flow: WebhookFlow, mark: string) {
  await using sender = openSender(flow, up.platform.origins);
  await sender.deliver(mark);
  const { id } = await ended(flow.id);
  const run = await client.call<RunDetail>('GET', `/api/runs/${id}`);
  // All of them: the run's page shows the first of a long loop.
  const { rows } = await up.owner.query<{ node: string; status: string; count: number }>(
    'select node_id as node, status, count(*)::int as count from steps where run_id = $1 group by 1, 2',
    [id],
  );
  return {
    status: run.status,
    steps: rows.map((row) => `${row.node === mark ? 'it' : row.node} ${row.status} ${row.count}`).sort(),
  };
}

async function ended(flowId: string): Promise<RunSummary> {
  return await until(`the run of ${flowId} to end`, async () => {
    const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flowId}`);
    expect(items.length).toBeLessThan(2);
    return items.find(({ status }) => ['succeeded', 'failed', 'cancelled'].includes(status));
  });
}

async function arm(point: CrashPoint, subject: string): Promise<void> {
  await writeFile(join(folder, point), subject);
}

/** Once more, after it was died of. */
async function rearm(point: CrashPoint, subject: string): Promise<void> {
  await rm(join(folder, `.${point}`), { force: true });
  await arm(point, subject);
}

async function expectDied(point: CrashPoint): Promise<void> {
  await until(`a death ${point}`, async () => (await readdir(folder)).includes(`.${point}`), { withinMs: 15_000 });
}
