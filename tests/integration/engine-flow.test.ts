import type { FlowDetail, FlowPin, Page, Problem, RunDetail, RunSummary } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, publishFlow, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
beforeAll(async () => {
  up = await testPlatform();
  client = await up.client();
});
afterAll(() => up?.[Symbol.asyncDispose]());

const ended = async (runId: string): Promise<RunDetail> =>
  await until(`run ${runId} to end`, async () => {
    const run = await client.call<RunDetail>('GET', `/api/runs/${runId}`);
    return run.finishedAt ? run : undefined;
  });
const runsOf = async (flowId: string): Promise<readonly RunSummary[]> =>
  (await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flowId}`)).items;
const onlyRunOf = async (flowId: string): Promise<RunDetail> => {
  const [run] = await until('a run', async () => {
    const runs = await runsOf(flowId);
    return runs.length > 0 ? runs : undefined;
  });
  return await ended(run?.id ?? '');
};
const edge = (from: string, to: string, port: string) => ({ id: `${from}:${port}:${to}`, from, port, to });

describe('a loop', () => {
  test('of a thousand items is done by the running platform, each item once', async () => {
    const flow = await publishWebhookFlow(client, 'A thousand', {
      params: {},
      connections: {},
      nodes: {
        incoming: node('core.webhook', 'Incoming'),
        loop: node('core.for-each', 'Each', { items: '=trigger.body.items', concurrency: 20 }),
        tell: node('core.notify', 'Tell', { title: '="Item " & loop.item' }, { parent: 'loop' }),
        sum: node('core.map', 'Sum', { value: '={"done": steps.loop.succeeded}' }),
      },
      edges: [...line('incoming', 'loop', 'sum'), edge('loop', 'tell', 'each')],
    });
    await flow.post('thousand', { items: Array.from({ length: 1_000 }, (_, index) => index) });
    const run = await onlyRunOf(flow.id);
    expect(run.status).toBe('succeeded');
    expect(run.steps.find(({ nodeId }) => nodeId === 'sum')?.output).toEqual({ done: 1_000 });
    const { rows } = await up.owner.query(
      'select count(*)::int as all, count(distinct title)::int as titles from notifications where run_id = $1',
      [run.id],
    );
    expect(rows).toEqual([{ all: 1_000, titles: 1_000 }]);
  });
});

describe('a flow that calls another', () => {
  test('waits for it and goes on with its result, without anybody looking after it', async () => {
    const called = await publishFlow(client, 'Called', {
      params: {},
      connections: {},
      nodes: {
        input: node('core.flow-input', 'Input', { fields: [{ id: 'text', title: 'Text', required: true }] }),
        back: node('core.return', 'Back', { values: '={"loud": $uppercase(trigger.values.text)}' }),
      },
      edges: line('input', 'back'),
    });
    const caller = await publishWebhookFlow(client, 'Caller', {
      params: {},
      connections: {},
      nodes: {
        incoming: node('core.webhook', 'Incoming'),
        call: node('core.call-flow', 'Call', { flow: called.id, values: '={"text": trigger.body.text}' }),
        shape: node('core.map', 'Shape', { value: '={"got": steps.call.result.loud}' }),
      },
      edges: line('incoming', 'call', 'shape'),
    });
    await caller.post('call', { text: 'framing' });
    const run = await onlyRunOf(caller.id);
    expect(run.steps.find(({ nodeId }) => nodeId === 'shape')?.output).toEqual({ got: 'FRAMING' });
    expect(run.called).toMatchObject([{ flowName: 'Called', nodeId: 'call', status: 'succeeded' }]);
    const child = await client.call<RunDetail>('GET', `/api/runs/${run.called[0]?.runId}`);
    expect(child.caller).toEqual({ runId: run.id, nodeId: 'call' });
  });
});

describe('a flow that waits until something happens', () => {
  test('goes on when it has happened to its record, and not to another', async () => {
    const { items } = await client.call<Page<{ readonly id: string }>>(
      'GET',
      '/api/records/vendor_invoice?status=submitted',
    );
    const [mine, other] = items.map(({ id }) => id);
    const flow = await publishWebhookFlow(client, 'Waits', {
      params: {},
      connections: {},
      nodes: {
        incoming: node('core.webhook', 'Incoming'),
        wait: node('core.wait-for-event', 'Wait', {
          ...{ entity: 'vendor_invoice', change: 'approved', equals: '=trigger.body.id', amount: 0 },
        }),
        shape: node('core.map', 'Shape', { value: '={"number": steps.wait.event.record.number}' }),
      },
      edges: line('incoming', 'wait', 'shape'),
    });
    await flow.post('wait', { id: mine });
    const [{ id } = { id: '' }] = await until('the run to wait', async () => {
      const runs = await runsOf(flow.id);
      return runs[0]?.status === 'waiting' ? runs : undefined;
    });
    await client.call('POST', `/api/records/vendor_invoice/${other}/status`, { to: 'approved' });
    await client.call('POST', `/api/records/vendor_invoice/${mine}/status`, { to: 'approved' });
    const run = await ended(id);
    expect(run.status).toBe('succeeded');
    const record = await client.call<{ readonly data: { readonly number: string } }>(
      'GET',
      `/api/records/vendor_invoice/${mine}`,
    );
    expect(run.steps.find(({ nodeId }) => nodeId === 'shape')?.output).toEqual({ number: record.data.number });
  });
});

describe('a flow that waits until a webhook arrives', () => {
  const waiting = async (name: string, pauseSeconds: number) => {
    const calledBack = await publishWebhookFlow(client, `${name}, called back`, {
      ...{ params: {}, connections: {} },
      nodes: { incoming: node('core.webhook', 'Signed'), take: node('core.map', 'Take', { value: '=trigger.body' }) },
      edges: line('incoming', 'take'),
    });
    const flow = await publishWebhookFlow(client, name, {
      ...{ params: {}, connections: {} },
      nodes: {
        incoming: node('core.webhook', 'Incoming'),
        pause: node('core.wait', 'Pause', { until: `=$fromMillis($millis() + ${pauseSeconds * 1_000})` }),
        wait: node('core.wait-for-webhook', 'Wait', {
          ...{ address: calledBack.url, field: 'data.envelope', equals: '=trigger.body.envelope', amount: 0 },
        }),
        shape: node('core.map', 'Shape', { value: '={"by": steps.wait.body.data.by}' }),
      },
      edges: line('incoming', 'pause', 'wait', 'shape'),
    });
    return { calledBack, flow };
  };
  const at = async (flow: WebhookFlow, nodeId: string): Promise<string> =>
    await until(`the run to wait at ${nodeId}`, async () => {
      const [run] = await runsOf(flow.id);
      const steps = run && (await client.call<RunDetail>('GET', `/api/runs/${run.id}`)).steps;
      return steps?.some((step) => step.nodeId === nodeId && step.status === 'waiting') && run?.id;
    });

  test('goes on with the one that names what it waits for, and not with another', async () => {
    const { calledBack, flow } = await waiting('Envelope', 0);
    await flow.post('envelope', { envelope: 7 });
    const id = await at(flow, 'wait');
    await calledBack.post('other', { data: { envelope: 8, by: 'Otto' } });
    await calledBack.post('mine', { data: { envelope: 7, by: 'Ann' } });
    const run = await ended(id);
    expect(run.steps.find(({ nodeId }) => nodeId === 'shape')?.output).toEqual({ by: 'Ann' });
  });

  test('goes on at once when it came while the run was not there yet, but not with one from before the run', async () => {
    const { calledBack, flow } = await waiting('Quick envelope', 3);
    await calledBack.post('before', { data: { envelope: 'e-1', by: 'Before' } });
    await flow.post('quick', { envelope: 'e-1' });
    const id = await at(flow, 'pause');
    await calledBack.post('quick-answer', { data: { envelope: 'e-1', by: 'Ann' } });
    const run = await ended(id);
    expect(run.steps.find(({ nodeId }) => nodeId === 'shape')?.output).toEqual({ by: 'Ann' });
  });

  test('says so when no flow has that address', async () => {
    const flow = await publishWebhookFlow(client, 'Nowhere', {
      ...{ params: {}, connections: {} },
      nodes: {
        incoming: node('core.webhook', 'Incoming'),
        wait: node('core.wait-for-webhook', 'Wait', {
          address: 'https://x.example/hooks/0123456789012345678901',
          equals: '1',
        }),
      },
      edges: line('incoming', 'wait'),
    });
    await flow.post('nowhere', {});
    const run = await until('the run to park', async () => {
      const [found] = await runsOf(flow.id);
      return found?.status === 'parked' && found;
    });
    expect(
      run.error?.code ?? (await client.call<RunDetail>('GET', `/api/runs/${run.id}`)).steps.at(-1)?.error?.code,
    ).toBe('webhook_unknown');
  });
});

describe('trying a drawing out', () => {
  const draft = async (): Promise<FlowDetail> => {
    const { id, revision } = await client.call<FlowDetail>('POST', '/api/flows', { name: 'Draft' });
    await client.call(
      'PUT',
      `/api/flows/${id}/draft`,
      {
        document: {
          ...{ schema: 1, positions: {}, params: {}, connections: {} },
          nodes: {
            incoming: node('core.webhook', 'Incoming'),
            shape: node('core.map', 'Shape', { value: '={"text": trigger.body.text & "!"}' }),
            tell: node('core.notify', 'Tell', { title: '=steps.shape.text' }),
            late: node('core.wait', 'Late', { amount: 3, unit: 'days' }),
            last: node('core.map', 'Last', { value: '={"told": steps.tell.id}' }),
          },
          edges: line('incoming', 'shape', 'tell', 'late', 'last'),
        },
      },
      { 'If-Match': `"${revision}"` },
    );
    return await client.call<FlowDetail>('GET', `/api/flows/${id}`);
  };
  const tried = async (flow: FlowDetail, request: object): Promise<RunDetail> => {
    const { runId } = await client.call<{ runId: string }>('POST', `/api/flows/${flow.id}/tests`, request);
    return await ended(runId);
  };
  const trigger = { output: { body: { text: 'Framing passed' } } };

  test('runs all of it without publishing; writes and waits are made up, and nobody is told', async () => {
    const flow = await draft();
    const run = await tried(flow, { trigger });
    expect(run).toMatchObject({ status: 'succeeded', test: true });
    const step = (id: string) => run.steps.find(({ nodeId }) => nodeId === id);
    expect(step('shape')).toMatchObject({ output: { text: 'Framing passed!' } });
    expect(step('shape')?.simulated).toBeUndefined();
    expect(step('tell')).toMatchObject({ simulated: true, input: { title: 'Framing passed!' } });
    expect(step('late')).toMatchObject({ simulated: true });
    const { rowCount } = await up.owner.query('select from notifications where run_id = $1', [run.id]);
    expect(rowCount).toBe(0);
    expect(await runsOf(flow.id), 'runs that count').toEqual([]);
  });

  test('runs up to a step, or one step alone with what was given, pinned, recorded or made up before it', async () => {
    const flow = await draft();
    const part = await tried(flow, { upTo: 'shape', trigger });
    expect(part.steps.map(({ nodeId }) => nodeId)).toEqual(['incoming', 'shape']);

    const inputOf = async (request: object) =>
      (await tried(flow, { only: 'tell', ...request })).steps.find(({ nodeId }) => nodeId === 'tell')?.input;
    expect(await inputOf({ outputs: { shape: { text: 'given' } } })).toMatchObject({ title: 'given' });
    await client.call('PUT', `/api/flows/${flow.id}/pins/shape`, { output: { text: 'pinned' } });
    expect(await client.call<FlowPin[]>('GET', `/api/flows/${flow.id}/pins`)).toMatchObject([
      { nodeId: 'shape', output: { text: 'pinned' } },
    ]);
    expect(await inputOf({})).toMatchObject({ title: 'pinned' });
    await client.call('DELETE', `/api/flows/${flow.id}/pins/shape`);
    expect(await inputOf({})).toMatchObject({ title: 'Framing passed!' });
  });

  test('pins only steps that there are, to ways out that they have', async () => {
    const flow = await draft();
    const pin = async (nodeId: string, body: object) => {
      const answer = await client.fetch('PUT', `/api/flows/${flow.id}/pins/${nodeId}`, { output: 1, ...body });
      return answer.status === 204 ? 204 : ((await answer.json()) as Problem);
    };
    expect(await pin('nowhere', {})).toMatchObject({ status: 404, code: 'not_found' });
    expect(await pin('constructor', {})).toMatchObject({ status: 404, code: 'not_found' });
    for (const port of ['elsewhere', 'error'])
      expect(await pin('shape', { port })).toMatchObject({
        ...{ status: 422, code: 'invalid_input', path: 'port', fix: 'Choose one of these: out.' },
      });
    expect(await client.call('GET', `/api/flows/${flow.id}/pins`)).toEqual([]);
    expect([await pin('shape', { port: 'out' }), await pin('incoming', {})]).toEqual([204, 204]);
  });

  test('says at once what is wrong, and parks nothing', async () => {
    const flow = await draft();
    const run = await tried(flow, { only: 'tell', outputs: { shape: { text: '' } } });
    expect(run).toMatchObject({ status: 'failed' });
    expect(run.steps.find(({ nodeId }) => nodeId === 'tell')?.error).toMatchObject({ code: 'input_invalid' });
  });

  test('cannot be repeated in earnest', async () => {
    const flow = await draft();
    const run = await tried(flow, { upTo: 'shape', trigger });
    await expect(client.call('POST', `/api/runs/${run.id}/rerun`, { version: 'same', dryRun: false })).rejects.toThrow(
      /only tried/,
    );
  });

  test.each([
    [{ only: 'nowhere' }, /no step/],
    [{ only: 'incoming' }, /no step/],
    [{ trigger: { nodeId: 'shape' } }, /no trigger/],
  ])('refuses %j', async (request, message) => {
    const flow = await draft();
    await expect(client.call('POST', `/api/flows/${flow.id}/tests`, request)).rejects.toThrow(message);
  });
});
