import { playDemo, type DemoResult } from '@plumbline/engine/demo/scenario';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import type { Health, Page, RecordDetail, RecordRow, RunDetail, RunSummary } from '@plumbline/engine/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, publishFlow, publishWebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
let result: DemoResult;
beforeAll(async () => {
  up = await testPlatform();
  client = await up.client();
  result = await playDemo(up.origin, () => undefined);
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
});

const ended = async (flowId: string, count = 1): Promise<readonly RunSummary[]> =>
  await until(`${count} runs of the flow to end`, async () => {
    const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flowId}`);
    return (
      items.filter(({ status }) => ['succeeded', 'failed', 'cancelled', 'parked'].includes(status)).length >= count &&
      items
    );
  });

describe('an approved invoice', () => {
  test('becomes one bill in QuickBooks and one message in Slack', async () => {
    expect(result.status).toBe('succeeded');
    const run = await client.call<RunDetail>('GET', `/api/runs/${result.run}`);
    expect(run.steps.map(({ nodeId, status }) => [nodeId, status])).toEqual([
      ['invoice_approved', 'succeeded'],
      ['vendor', 'succeeded'],
      ['bill', 'succeeded'],
      ['message', 'succeeded'],
    ]);
    const record = (run.event?.data as { record: { number: string; total: string } }).record;
    expect(run.steps[2]?.output).toMatchObject({ id: result.bill, number: record.number, total: record.total });
  });

  test('the sandboxes’ own pages show the bill and the message', async () => {
    const run = await client.call<RunDetail>('GET', `/api/runs/${result.run}`);
    const { number } = (run.event?.data as { record: { number: string } }).record;
    for (const connector of ['quickbooks', 'slack'])
      expect(await (await fetch(`${up.origin}/sandbox/${connector}/ui`)).text(), connector).toContain(number);
  });

  test('is linked to its bill', async () => {
    const run = await client.call<RunDetail>('GET', `/api/runs/${result.run}`);
    const id = (run.event?.data as { record: { id: string } }).record.id;
    const detail = await client.call<RecordDetail>('GET', `/api/records/vendor_invoice/${id}`);
    expect(detail.links).toMatchObject([{ connector: 'quickbooks', remoteType: 'bill', remoteId: result.bill }]);
    expect(detail.changes[0]).toMatchObject({ change: 'approved', actor: 'Dana Hartwell' });
  });

  test('cannot be approved twice', async () => {
    const run = await client.call<RunDetail>('GET', `/api/runs/${result.run}`);
    const id = (run.event?.data as { record: { id: string } }).record.id;
    const again = await client.fetch('POST', `/api/records/vendor_invoice/${id}/status`, { to: 'approved' });
    expect(again.status).toBe(409);
    expect(await again.json()).toMatchObject({ code: 'invalid_transition' });
  });
});

describe('a flow with a condition', () => {
  test('takes the branch the total says, and skips the other; old runs keep their version', async () => {
    const document = {
      params: {},
      connections: {},
      nodes: {
        approved: node('core.record-event', 'Approved', { entity: 'vendor_invoice', change: 'approved' }),
        large: node('core.if', 'Over 10,000?', { condition: '=$number(trigger.record.total) > 10000' }),
        tell: node('core.notify', 'Tell the owner', {
          title: '=trigger.record.number & " is large"',
          body: 'Look at it.',
        }),
        quiet: node('core.map', 'Nothing to do', { value: '={"number": trigger.record.number}' }),
      },
      edges: [
        ...line('approved', 'large'),
        { id: 'large:then:tell', from: 'large', port: 'then', to: 'tell' },
        { id: 'large:else:quiet', from: 'large', port: 'else', to: 'quiet' },
      ],
    };
    const flow = await publishFlow(client, 'Large invoices', document);
    const { items } = await client.call<Page<RecordRow>>('GET', '/api/records/vendor_invoice?status=submitted');
    const total = (row: RecordRow): number => Number(row.data['total']);
    const large = items.find((row) => total(row) > 10_000);
    const small = items.find((row) => total(row) < 10_000);
    for (const row of [large, small])
      await client.call('POST', `/api/records/vendor_invoice/${row?.id}/status`, { to: 'approved' });
    const runs = await ended(flow.id, 2);
    const statusOf = async (row: RecordRow | undefined) => {
      const summary = runs.find(({ subject }) => subject?.includes(String(row?.data['number'])));
      const run = await client.call<RunDetail>('GET', `/api/runs/${summary?.id}`);
      return Object.fromEntries(run.steps.map(({ nodeId, status }) => [nodeId, status]));
    };
    expect(await statusOf(large)).toEqual({
      approved: 'succeeded',
      large: 'succeeded',
      tell: 'succeeded',
      quiet: 'skipped',
    });
    expect(await statusOf(small)).toEqual({
      approved: 'succeeded',
      large: 'succeeded',
      tell: 'skipped',
      quiet: 'succeeded',
    });
  });
});

describe('a webhook', () => {
  test('unsigned, altered, stale or too large starts nothing', async () => {
    const flow = await publishWebhookFlow(client, 'Guarded', {
      params: {},
      connections: {},
      nodes: { incoming: node('core.webhook', 'In'), map: node('core.map', 'Map', { value: '=trigger.body' }) },
      edges: line('incoming', 'map'),
    });
    const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code];
    const json = { 'Content-Type': 'application/json' };
    expect(await codeOf(await fetch(flow.url, { method: 'POST', body: '{}', headers: json }))).toEqual([
      401,
      'signature_invalid',
    ]);
    const stale = { ...json, 'webhook-id': 'a', 'webhook-timestamp': '1000000000', 'webhook-signature': 'v1,AAAA' };
    expect(await codeOf(await fetch(flow.url, { method: 'POST', body: '{}', headers: stale }))).toEqual([
      401,
      'timestamp_out_of_range',
    ]);
    expect((await fetch(flow.url, { method: 'POST', body: 'x'.repeat(3_000_000), headers: json })).status).toBe(413);
    expect(
      (await fetch(`${up.origin}/hooks/nobody-has-this-key`, { method: 'POST', body: '{}', headers: json })).status,
    ).toBe(404);
    expect((await flow.post('good', { number: 7 })).status).toBe(200);
    const runs = await ended(flow.id);
    expect(runs).toHaveLength(1);
    const run = await client.call<RunDetail>('GET', `/api/runs/${runs[0]?.id}`);
    expect(run.steps.find(({ nodeId }) => nodeId === 'map')?.output).toMatchObject({ number: 7 });
  });
});

describe('a step that cannot be done', () => {
  test('parks the run; a retry goes on from there, and nothing that succeeded runs again', async () => {
    const before = await client.call<Page<RunSummary>>('GET', '/api/runs');
    const invoiceFlow = before.items.find(({ id }) => id === result.run)?.flowId ?? '';
    await fetch(`${up.origin}/sandbox/quickbooks/_faults`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ match: '/bill', kind: 'status', status: 400 }),
    });
    const { items } = await client.call<Page<RecordRow>>('GET', '/api/records/vendor_invoice?status=submitted');
    await client.call('POST', `/api/records/vendor_invoice/${items[0]?.id}/status`, { to: 'approved' });
    const parked = await until('the run to park', async () => {
      const page = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${invoiceFlow}&status=parked`);
      return page.items[0];
    });
    const run = await client.call<RunDetail>('GET', `/api/runs/${parked.id}`);
    const bill = run.steps.find(({ nodeId }) => nodeId === 'bill');
    expect(bill).toMatchObject({ status: 'parked', error: { kind: 'invalid' } });
    expect(bill?.error?.fix).toMatch(/\w/);
    await client.call('POST', `/api/runs/${parked.id}/steps/bill/decide`, { action: 'retry' });
    const after = await until('the run to succeed', async () => {
      const now = await client.call<RunDetail>('GET', `/api/runs/${parked.id}`);
      return now.status === 'succeeded' && now;
    });
    expect(after.steps.find(({ nodeId }) => nodeId === 'vendor')).toEqual(
      run.steps.find(({ nodeId }) => nodeId === 'vendor'),
    );
  });
});

describe('expressions that would take the worker down', () => {
  test.each([
    ['endless recursion', '($f := function($x){ $f($x + 1) }; $f(0))'],
    ['an enormous list', '$sum([0..9999999].($ * 2))'],
    ['an enormous text', '($f := function($s, $n){ $n = 0 ? $s : $f($s & $s, $n - 1) }; $length($f("xxxxxxxx", 40)))'],
    ['another program', '$eval("1")'],
  ])('%s ends in a coded error, and worker and API go on', async (name, source) => {
    const flow = await publishWebhookFlow(client, `Hostile: ${name}`, {
      params: {},
      connections: {},
      nodes: {
        incoming: node('core.webhook', 'In'),
        map: node(
          'core.map',
          'Map',
          { value: `=${name === 'another program' ? '$string(trigger.body)' : source}` },
          { onError: 'stop' },
        ),
      },
      edges: line('incoming', 'map'),
    });
    const preview = await client.call<{ ok: boolean; code?: string }>('POST', '/api/expressions/preview', {
      source,
      context: {},
    });
    expect(preview.ok).toBe(false);
    expect(preview.code).toMatch(/^[a-z_]+$/);
    await flow.post('one', {});
    const [run] = await ended(flow.id);
    expect(run?.status).toBe(name === 'another program' ? 'succeeded' : 'failed');
    expect((await client.call<Health>('GET', '/api/health')).status).toBe('ok');
    expect(up.restarts).toEqual([]);
  });
});
