import type {
  CallAccepted,
  ConnectionSummary,
  FlowDetail,
  Page,
  RecordRow,
  RunDetail,
  RunSummary,
  TriggerInfo,
} from '@plumbline/engine/contract';
import { playDemo } from '@plumbline/engine/demo/scenario';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, publishFlow, publishWebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
beforeAll(async () => {
  up = await testPlatform();
  await playDemo(up.origin, () => undefined);
  client = await up.client();
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
});

const runsOf = async (flowId: string): Promise<readonly RunSummary[]> =>
  (await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flowId}`)).items;
/** What started the runs of a flow, oldest first. */
const eventsOf = async (flowId: string, count: number): Promise<readonly Record<string, unknown>[]> => {
  const runs = await until(`${count} runs to end`, async () => {
    const found = await runsOf(flowId);
    return found.length >= count && found.every(({ finishedAt }) => finishedAt !== null) && found;
  });
  const details = await Promise.all(runs.map(({ id }) => client.call<RunDetail>('GET', `/api/runs/${id}`)));
  return details.reverse().map(({ event }) => event?.data as Record<string, unknown>);
};
const flowOf = (name: string, type: string, inputs: Readonly<Record<string, unknown>>, value = '=trigger') =>
  publishFlow(client, name, {
    params: {},
    connections: {},
    nodes: { start: node(type, 'Start', inputs), take: node('core.map', 'Take', { value }) },
    edges: line('start', 'take'),
  });
const problem = async (answer: Response) => {
  const { code, path } = (await answer.json()) as { code?: string; path?: string };
  return [answer.status, code, path];
};
const fields = [
  { id: 'site', title: 'Site', type: 'text', required: true },
  { id: 'due', title: 'Due', type: 'date' },
  { id: 'vendor', title: 'Vendor', type: 'record', entity: 'vendor' },
];

describe('someone starts it, with a form', () => {
  test('what is filled in is checked, and a record comes with what is known of it', async () => {
    const flow = await flowOf('Form', 'core.manual', { fields });
    const [trigger] = await client.call<TriggerInfo[]>('GET', `/api/flows/${flow.id}/triggers`);
    expect(trigger?.form?.map(({ id, type, required }) => [id, type, required])).toEqual([
      ['site', 'text', true],
      ['due', 'date', false],
      ['vendor', 'record', false],
    ]);
    const start = (values: object) => client.fetch('POST', `/api/flows/${flow.id}/start`, { values });
    expect(await problem(await start({}))).toEqual([422, 'invalid_input', 'values.site']);
    expect(await problem(await start({ site: 'Lot 7', due: '2026-02-30' }))).toEqual([
      422,
      'invalid_input',
      'values.due',
    ]);
    expect(await problem(await start({ site: 'Lot 7', other: 1 }))).toEqual([422, 'unknown_field', 'values.other']);
    const { items } = await client.call<Page<RecordRow>>('GET', '/api/records/vendor');
    const { items: projects } = await client.call<Page<RecordRow>>('GET', '/api/records/project');
    expect(await problem(await start({ site: 'Lot 7', vendor: projects[0]?.id }))).toEqual([
      422,
      'invalid_input',
      'values.vendor',
    ]);
    expect((await start({ site: 'Lot 7', due: '2026-12-01', vendor: items[0]?.id })).status).toBe(202);
    const [event] = await eventsOf(flow.id, 1);
    expect(event?.['values']).toMatchObject({
      site: 'Lot 7',
      due: '2026-12-01',
      vendor: { id: items[0]?.id, name: items[0]?.data['name'] },
    });
  });

  test('run again with other values, they are checked as at its start, and a record stays as it was', async () => {
    const flow = await flowOf('Form again', 'core.manual', { fields });
    const { items } = await client.call<Page<RecordRow>>('GET', '/api/records/vendor');
    await client.call('POST', `/api/flows/${flow.id}/start`, { values: { site: 'Lot 7', vendor: items[0]?.id } });
    const [event] = await eventsOf(flow.id, 1);
    const [first] = await runsOf(flow.id);
    const values = event?.['values'] as Readonly<Record<string, unknown>>;
    const again = (change: object, dryRun = true, input: object = { ...event, values: { ...values, ...change } }) =>
      client.fetch('POST', `/api/runs/${first?.id}/rerun`, { version: 'same', input, dryRun });
    for (const dryRun of [true, false])
      for (const [change, code, field] of [
        [{ site: ' ' }, 'invalid_input', 'values.site'],
        [{ due: '2026-02-30' }, 'invalid_input', 'values.due'],
        [{ other: 1 }, 'unknown_field', 'values.other'],
        [{ vendor: crypto.randomUUID() }, 'invalid_input', 'values.vendor'],
        [{ vendor: { name: 'Nobody' } }, 'invalid_input', 'values.vendor'],
      ] as const)
        expect(await problem(await again(change, dryRun))).toEqual([422, code, `input.${field}`]);
    expect(await problem(await again({}, true, { vaules: {} }))).toEqual([422, 'unknown_field', 'input.vaules']);
    expect(await problem(await again({}, true, { values: [] }))).toEqual([422, 'invalid_input', 'input.values']);
    expect(await runsOf(flow.id)).toHaveLength(1);
    expect((await again({})).status).toBe(200);
    expect((await again({ site: 'Lot 8' }, false)).status).toBe(200);
    expect((await eventsOf(flow.id, 2))[1]?.['values']).toEqual({ ...values, site: 'Lot 8' });
  });

  test('mappings know the fields and their types, and what was never declared', async () => {
    const flow = await flowOf('Typed', 'core.manual', { fields }, '={"v": trigger.values.vendor.name}');
    expect(flow.findings).toEqual([]);
    const wrong = flowOf('Mistyped', 'core.manual', { fields }, '={"v": trigger.values.sit}');
    const { id } = await wrong.catch(async () => {
      const { items } = await client.call<Page<FlowDetail>>('GET', '/api/flows');
      return items.find(({ name }) => name === 'Mistyped') as FlowDetail;
    });
    const { findings } = await client.call<FlowDetail>('GET', `/api/flows/${id}`);
    expect(findings).toMatchObject([
      { code: 'path_unknown', nodeId: 'take', suggestion: { source: expect.any(String) } },
    ]);
  });

  test('without a form it takes what it is given, as before', async () => {
    const flow = await flowOf('Free', 'core.manual', {});
    await client.call('POST', `/api/flows/${flow.id}/start`, { values: { anything: [1, 2] } });
    expect((await eventsOf(flow.id, 1))[0]?.['values']).toEqual({ anything: [1, 2] });
  });
});

describe('a program calls', () => {
  test('its input is checked; the same Idempotency-Key starts one run, and another input under it is refused', async () => {
    const flow = await flowOf('Called', 'core.api-call', { fields: fields.slice(0, 2) });
    const call = (input: object, key?: string) =>
      client.fetch(
        'POST',
        `/api/flows/${flow.id}/calls`,
        { input },
        key === undefined ? {} : { 'Idempotency-Key': key },
      );
    expect(await problem(await call({}))).toEqual([422, 'invalid_input', 'input.site']);
    expect(await problem(await call({ site: 'x', more: 1 }))).toEqual([422, 'unknown_field', 'input.more']);
    expect(await problem(await call({ site: 'x' }, 'with blanks'))).toEqual([422, 'invalid_input', 'Idempotency-Key']);
    const answers = await Promise.all(Array.from({ length: 10 }, () => call({ site: 'Lot 7' }, 'order-12')));
    const accepted = (await Promise.all(answers.map((one) => one.json()))) as CallAccepted[];
    expect(new Set(accepted.map(({ eventId }) => eventId)).size).toBe(1);
    expect(accepted.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(await problem(await call({ site: 'Lot 8' }, 'order-12'))).toEqual([
      422,
      'idempotency_mismatch',
      'Idempotency-Key',
    ]);
    await call({ site: 'Lot 7' });
    expect((await eventsOf(flow.id, 2)).map((event) => event['input'])).toEqual([{ site: 'Lot 7' }, { site: 'Lot 7' }]);
    const [run] = await runsOf(flow.id);
    const again = { version: 'same', input: { input: { due: '2026-12-01' } }, dryRun: true };
    expect(await problem(await client.fetch('POST', `/api/runs/${run?.id}/rerun`, again))).toEqual([
      ...[422, 'invalid_input', 'input.input.site'],
    ]);
    const [trigger] = await client.call<TriggerInfo[]>('GET', `/api/flows/${flow.id}/triggers`);
    expect(trigger?.call?.example).toContain(`/api/flows/${flow.id}/calls`);
  });

  test('a flow without the trigger cannot be called, and says what it needs', async () => {
    const flow = await flowOf('Not callable', 'core.manual', {});
    const answer = await client.fetch('POST', `/api/flows/${flow.id}/calls`, { input: {} });
    expect(await answer.json()).toMatchObject({
      code: 'invalid_transition',
      fix: expect.stringContaining('A program calls'),
    });
  });
});

describe('a flow has trouble', () => {
  test('starts the flows that listen: when a step waits for a person, when a run fails, when it works again; never for itself', async () => {
    const fragile = (name: string, onError: 'park' | 'stop') =>
      publishWebhookFlow(client, name, {
        params: {},
        connections: {},
        nodes: {
          incoming: node('core.webhook', 'In'),
          note: node('core.notify', 'Say the number', { title: '=trigger.body.number', body: 'x' }, { onError }),
        },
        edges: line('incoming', 'note'),
      });
    const parks = await fragile('Parks', 'park');
    const all = await flowOf('Watches all', 'core.flow-error', { when: 'all', flow: parks.id });
    const failures = await flowOf('Watches failures', 'core.flow-error', { when: 'failed' });
    await parks.post('p-1', {});
    const [stuck] = await until('the run to park', async () => {
      const found = await runsOf(parks.id);
      return found[0]?.status === 'parked' && found;
    });
    expect(await eventsOf(all.id, 1)).toMatchObject([
      {
        what: 'parked',
        flow: { id: parks.id, name: 'Parks' },
        run: { id: stuck?.id },
        step: { id: 'note', name: 'Say the number' },
        error: { code: expect.any(String), message: expect.any(String) },
      },
    ]);
    await parks.post('p-2', { number: 'INV-2' });
    await until('the second to end', async () => (await runsOf(parks.id)).some(({ status }) => status === 'succeeded'));
    // While the first still waits nothing works again.
    expect(await runsOf(all.id)).toHaveLength(1);
    await client.call('POST', `/api/runs/${stuck?.id}/steps/note/decide`, { action: 'skip', output: { id: 'x' } });
    expect((await eventsOf(all.id, 2))[1]).toMatchObject({ what: 'recovered', run: { id: stuck?.id }, error: null });
    await parks.post('p-3', { number: 'INV-3' });
    await until(
      'the third to end',
      async () =>
        (await runsOf(parks.id)).every(({ status }) => status === 'succeeded') && (await runsOf(parks.id)).length === 3,
    );
    expect(await runsOf(all.id)).toHaveLength(2);

    const fails = await fragile('Fails', 'stop');
    await fails.post('f-1', {});
    expect(await eventsOf(failures.id, 1)).toMatchObject([{ what: 'failed', flow: { id: fails.id }, step: null }]);
    expect(await runsOf(all.id)).toHaveLength(2);
  });

  test('two that watch each other and both fail come to rest', async () => {
    const failing = (name: string) =>
      publishFlow(client, name, {
        params: {},
        connections: {},
        nodes: {
          trouble: node('core.flow-error', 'Trouble', { when: 'failed' }),
          note: node('core.notify', 'Fails too', { title: '=trigger.error.nothing' }, { onError: 'stop' }),
        },
        edges: line('trouble', 'note'),
      });
    const [one, two] = [await failing('Watcher one'), await failing('Watcher two')];
    const source = await publishWebhookFlow(client, 'Source of trouble', {
      params: {},
      connections: {},
      nodes: {
        incoming: node('core.webhook', 'In'),
        note: node('core.notify', 'Needs a number', { title: '=trigger.body.number' }, { onError: 'stop' }),
      },
      edges: line('incoming', 'note'),
    });
    await source.post('t-1', {});
    for (const { id } of [one, two])
      expect((await eventsOf(id, 1)).map((event) => (event['flow'] as { id: string }).id)).toEqual([source.id]);
    const { rows } = await up.owner.query<{ count: number }>(
      `select count(*)::int as count from events where kind = 'flow_error' and status = 'pending'`,
    );
    expect(rows[0]?.count).toBe(0);
    expect([(await runsOf(one.id)).length, (await runsOf(two.id)).length]).toEqual([1, 1]);
  });
});

describe('a connection changes', () => {
  test('starts what listens to that change, with what it was and what it is', async () => {
    const [connection] = await client.call<ConnectionSummary[]>('GET', '/api/connections');
    const broken = await flowOf('Broken', 'core.connection-state', {});
    const back = await flowOf('Back', 'core.connection-state', { to: 'connected', connection: connection?.id });
    const other = await flowOf('Other', 'core.connection-state', { to: 'any', connection: crypto.randomUUID() });
    const become = (status: string) =>
      up.owner.query('update integrations set status = $1, error_message = $2 where id = $3', [
        status,
        'It was revoked.',
        connection?.id,
      ]);
    await become('needs_reconnect');
    await become('needs_reconnect');
    await become('connected');
    expect(await eventsOf(broken.id, 1)).toMatchObject([
      {
        connection: { id: connection?.id, name: connection?.name, connector: connection?.connector },
        from: 'connected',
        to: 'needs_reconnect',
        message: 'It was revoked.',
      },
    ]);
    expect(await eventsOf(back.id, 1)).toMatchObject([{ from: 'needs_reconnect', to: 'connected' }]);
    expect([(await runsOf(broken.id)).length, (await runsOf(other.id)).length]).toEqual([1, 0]);
  });
});

describe('a new version', () => {
  test.each([
    ['core.manual', { fields }],
    ['core.api-call', { fields }],
    ['core.flow-error', { when: 'all' }],
    ['core.connection-state', { to: 'any' }],
    ['core.poll', { url: 'https://prices.example/list' }],
    ['core.schedule', { cron: '0 7 * * *', overlap: 'wait' }],
    ['core.webhook', { scheme: 'github' }],
    ['core.record-event', { entity: 'vendor', change: 'created' }],
  ] as const)('%s keeps its subscription, its key and its cursor', async (type, inputs) => {
    const flow = await flowOf(`Versions of ${type}`, type, inputs);
    const rows = async () =>
      (
        await up.owner.query(
          `select id, key, secret, cursor, next_fire_at, active from subscriptions where flow_id = $1 order by id`,
          [flow.id],
        )
      ).rows as Record<string, unknown>[];
    await up.owner.query(
      `update subscriptions set cursor = '{"since":"7"}', next_poll_at = now() + interval '1 day' where flow_id = $1 and kind = 'poll'`,
      [flow.id],
    );
    const before = await rows();
    await client.call('POST', `/api/flows/${flow.id}/publish`, {});
    await client.call('POST', `/api/flows/${flow.id}/publish`, { note: 'again' });
    expect(await rows()).toEqual(before);
    expect(before).toHaveLength(1);
  });
});
