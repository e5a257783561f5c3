import type {
  Accounting,
  FlowDetail,
  GroupOutcome,
  Notice,
  Page,
  Queue,
  Rerun,
  RunDetail,
  RunSummary,
  StuckGroup,
} from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { Accountant } from '@plumbline/engine/runs/accountant';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openStore } from '@plumbline/db';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { person } from '../support/person.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { secondCompany } from '../support/second-company.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
/** Notes what came; then needs a number that is not there unless the delivery or the person gives one; then notes that too. */
let flow: WebhookFlow;
/** Notes under which keys it was asked to do something, and answers or breaks off. */
const vendor = { origin: '', answers: true, keys: [] as string[], server: createServer() };
beforeAll(async () => {
  vendor.server.on('request', (request, response) => {
    vendor.keys.push(String(request.headers['idempotency-key']));
    if (vendor.answers) response.setHeader('Content-Type', 'application/json').end('{"id": 1}');
    else request.socket.destroy();
  });
  await new Promise<void>((resolve) => vendor.server.listen(0, '127.0.0.1', resolve));
  vendor.origin = `http://127.0.0.1:${(vendor.server.address() as AddressInfo).port}`;
  up = await testPlatform({ PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: vendor.origin });
  client = await up.client();
  flow = await needsNumber('Needs a number');
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
  vendor.server.close();
});

const documentOf = (title: string) => ({
  params: {},
  connections: {},
  nodes: {
    incoming: node('core.webhook', 'Delivery'),
    first: node('core.map', 'Take the name', { value: '={"name": trigger.body.name}' }),
    second: node('core.notify', title, { title: '=trigger.body.number', body: '=steps.first.name' }),
    third: node('core.notify', 'Say that it is done', { title: 'Done', body: '=steps.first.name' }),
  },
  edges: line('incoming', 'first', 'second', 'third'),
});
const needsNumber = (name: string) => publishWebhookFlow(client, name, documentOf('Say the number'));

const runsOf = async (flowId: string): Promise<readonly RunSummary[]> =>
  (await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flowId}`)).items;
const detail = (id: string | null | undefined) => client.call<RunDetail>('GET', `/api/runs/${id}`);
const standing = async (flowId: string, status: string, count = 1) =>
  await until(`${count} runs to be ${status}`, async () => {
    const found = (await runsOf(flowId)).filter((run) => run.status === status);
    return found.length >= count && found;
  });
const groupOf = async (flowId: string): Promise<StuckGroup | undefined> =>
  (await client.call<StuckGroup[]>('GET', '/api/runs/groups')).find((group) => group.flowId === flowId);
const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code];
const notices = async (title: string) =>
  (await client.call<Notice[]>('GET', '/api/notifications')).filter((notice) => notice.title === title);
/** What happens by itself once a minute. */
const minute = async (): Promise<void> => {
  const store = openStore(up.roleUrl('app'));
  const people = new pg.Pool({ connectionString: up.roleUrl('auth'), options: '-c search_path=auth', max: 1 });
  const accountant = new Accountant({ store, people, log: pino({ level: 'silent' }), now: () => new Date() });
  await accountant.count();
  await accountant.close();
  await store.close();
  await people.end();
};
const outcomes = (run: RunDetail) =>
  Object.fromEntries(run.steps.map(({ nodeId, status, carried }) => [nodeId, carried ? 'carried' : status]));

describe('steps that wait for the same thing', () => {
  test('are one group with a number, and a dry run says what a decision would touch without touching it', async () => {
    for (const name of ['a', 'b', 'c']) await flow.post(`group-${name}`, { name });
    await standing(flow.id, 'parked', 3);
    const group = await groupOf(flow.id);
    expect(group).toMatchObject({
      count: 3,
      flowName: 'Needs a number',
      nodeId: 'second',
      nodeName: 'Say the number',
      kind: 'invalid',
      code: 'required_missing',
    });
    expect(group?.message).toMatch(/Say the number/);
    expect(group?.fix).toMatch(/\w/);
    expect(Date.parse(group?.oldest ?? '')).toBeLessThanOrEqual(Date.parse(group?.newest ?? ''));
    const path = `/api/runs/groups/${group?.fingerprint}/decide`;
    const preview = await client.call<GroupOutcome>('POST', path, { action: 'retry', dryRun: true });
    expect(preview).toMatchObject({ count: 3, done: 0, refused: [], left: 0 });
    expect(preview.steps.map(({ runId }) => runId).sort()).toEqual((await runsOf(flow.id)).map(({ id }) => id).sort());
    expect((await groupOf(flow.id))?.count).toBe(3);
  });

  test('only those that were looked at are decided about, and what did not go through says why', async () => {
    const group = await groupOf(flow.id);
    const path = `/api/runs/groups/${group?.fingerprint}/decide`;
    const { steps } = await client.call<GroupOutcome>('POST', path, { action: 'skip', dryRun: true });
    const [one, two] = steps.map(({ runId }) => runId);
    const body = { action: 'skip', output: { said: true }, dryRun: false, runIds: [one, two] };
    const answers = await Promise.all([1, 2].map(() => client.call<GroupOutcome>('POST', path, body)));
    // Two people at once: each run is decided about once, and whoever was second is told.
    expect(answers.reduce((sum, { done }) => sum + done, 0)).toBe(2);
    for (const { count, done, refused } of answers) {
      expect(done + refused.length).toBe(count);
      for (const { why } of refused) expect(why).toMatch(/decided about it before/);
    }
    // Whoever comes when all is decided is told so too, of each.
    expect(await client.call<GroupOutcome>('POST', path, body)).toMatchObject({ count: 2, done: 0, steps: [] });
    await standing(flow.id, 'succeeded', 2);
    expect((await detail(one)).steps.find(({ nodeId }) => nodeId === 'second')).toMatchObject({
      status: 'succeeded',
      output: { said: true },
    });
    expect((await groupOf(flow.id))?.count).toBe(1);
    const { rows } = await up.owner.query<{ details: object }>(
      `select details from audit_log where action = 'steps.skip' order by number`,
    );
    expect(rows.map(({ details }) => details)).toContainEqual(
      expect.objectContaining({ nodeId: 'second', count: 2 }) as object,
    );
  });

  test('abort fails the rest, and nothing waits under that name any more', async () => {
    const group = await groupOf(flow.id);
    const path = `/api/runs/groups/${group?.fingerprint}/decide`;
    const outcome = await client.call<GroupOutcome>('POST', path, { action: 'abort', dryRun: false });
    expect(outcome).toMatchObject({ count: 1, done: 1 });
    await standing(flow.id, 'failed');
    expect(await groupOf(flow.id)).toBeUndefined();
    expect(await codeOf(await client.fetch('POST', path, { action: 'retry', dryRun: true }))).toEqual([
      404,
      'not_found',
    ]);
  });

  test('are nobody else’s', async () => {
    await flow.post('mine', { name: 'mine' });
    await standing(flow.id, 'parked');
    const outsider = await secondCompany(up);
    const group = await groupOf(flow.id);
    expect(await outsider.call('GET', '/api/runs/groups')).toEqual([]);
    expect(await outsider.call('GET', '/api/queue')).toEqual({
      ...{ pending: [], groups: [], waiting: [], waitingTotal: 0, waitingFlows: [] },
    });
    expect(await outsider.call<Accounting>('GET', '/api/health/accounting')).toMatchObject({
      events: { acknowledged: 0 },
      runs: { total: 0 },
      ties: true,
    });
    const path = `/api/runs/groups/${group?.fingerprint}/decide`;
    expect(await codeOf(await outsider.fetch('POST', path, { action: 'abort', dryRun: false }))).toEqual([
      404,
      'not_found',
    ]);
    await client.call('POST', path, { action: 'abort', dryRun: false });
  });
});

describe('many that wait for their time', () => {
  test('are tried now or dropped together; what went on meanwhile says so, and nobody else may', async () => {
    const waits = await publishWebhookFlow(client, 'Waits a while', {
      params: {},
      connections: {},
      nodes: {
        incoming: node('core.webhook', 'Delivery'),
        nap: node('core.wait', 'Nap', { amount: 2, unit: 'hours' }),
      },
      edges: line('incoming', 'nap'),
    });
    for (const name of ['one', 'two', 'three']) await waits.post(name, {});
    const queue = await until('three steps to wait', async () => {
      const found = await client.call<Queue>('GET', '/api/queue');
      return found.waiting.filter(({ flowId }) => flowId === waits.id).length === 3 && found;
    });
    const [one, two, three] = queue.waiting
      .filter(({ flowId }) => flowId === waits.id)
      .map(({ runId, nodeId, iteration }) => ({ runId, nodeId, iteration }));
    const decide = (action: string, steps: unknown) =>
      client.call<{ done: number; refused: { why: string }[] }>('POST', '/api/queue/waiting', { action, steps });
    expect(await decide('drop', [three])).toEqual({ done: 1, refused: [] });
    await standing(waits.id, 'failed');
    const { done, refused } = await decide('wake', [one, two, three]);
    expect([done, refused.length]).toEqual([2, 1]);
    expect(refused[0]?.why).toMatch(/\w/);
    await standing(waits.id, 'succeeded', 2);
  });
});

describe('a step that is tried again by itself', () => {
  /** A vendor that is away for a quarter of an hour. */
  const throttledFlow = async (name: string, cared = false) => {
    const connection = await client.connectSandbox('slack');
    const [channel] = await client.call<{ value: string }[]>(
      'GET',
      `/api/connections/${connection.id}/options/channels`,
    );
    return await publishWebhookFlow(client, name, {
      params: {},
      connections: { slack: { id: connection.id, connector: 'slack', title: 'Slack' } },
      nodes: {
        incoming: node('core.webhook', 'Delivery'),
        message: node(
          'slack.send-message',
          'Tell the team',
          { channel: channel?.value, text: '=trigger.body.name' },
          { connection: 'slack', ...(cared ? { onError: 'port' } : {}) },
        ),
        ...(cared
          ? { other: node('core.map', 'Take care of it', { value: '={"what": $string(steps.message)}' }) }
          : {}),
      },
      edges: [
        ...line('incoming', 'message'),
        ...(cared ? [{ id: 'message:error:other', from: 'message', port: 'error', to: 'other' }] : []),
      ],
    });
  };
  const throttleOnce = () =>
    fetch(`${up.origin}/sandbox/slack/_faults`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        match: 'chat.postMessage',
        kind: 'status',
        status: 429,
        headers: { 'Retry-After': '900' },
      }),
    });
  const inQueue = async (flowId: string) =>
    await until('the step to wait', async () => {
      const queue = await client.call<Queue>('GET', '/api/queue');
      return queue.waiting.find((step) => step.flowId === flowId);
    });

  test('is in the queue with its attempt and its time, and goes on at once when somebody says so', async () => {
    const throttled = await throttledFlow('Busy vendor');
    await throttleOnce();
    await throttled.post('throttled', { name: 'Ridge' });
    const waiting = await inQueue(throttled.id);
    expect(waiting).toMatchObject({ nodeName: 'Tell the team', attempt: 1, error: { kind: 'throttled' } });
    expect(waiting.maxAttempts).toBeGreaterThan(1);
    expect(Date.parse(waiting.nextAttemptAt ?? '') - Date.now()).toBeGreaterThan(600_000);
    const wake = `/api/runs/${waiting.runId}/steps/message/wake`;
    await client.call('POST', wake, {});
    await standing(throttled.id, 'succeeded');
    expect((await detail(waiting.runId)).steps.find(({ nodeId }) => nodeId === 'message')).toMatchObject({
      attempt: 2,
    });
    expect((await client.fetch('POST', wake, {})).status).toBe(409);
  });

  test('can be dropped; then nothing after it happens, whatever the flow has drawn for its failure', async () => {
    const throttled = await throttledFlow('Busy vendor, taken care of', true);
    await throttleOnce();
    await throttled.post('dropped', { name: 'Ridge' });
    const waiting = await inQueue(throttled.id);
    const path = `/api/runs/${waiting.runId}/steps/message/decide`;
    expect(await codeOf(await client.fetch('POST', path, { action: 'retry' }))).toEqual([409, 'not_parked']);
    await client.call('POST', path, { action: 'abort' });
    await standing(throttled.id, 'failed');
    const run = await detail(waiting.runId);
    expect(outcomes(run)['message']).toBe('failed');
    expect(run.steps.map(({ nodeId }) => nodeId)).not.toContain('other');
    expect(JSON.stringify(run.error)).toContain('throttled');
  });
});

test('of two waits that a join needs one of, whichever comes first has the run go on; the other is still waited for', async () => {
  const raced = await publishWebhookFlow(client, 'First come', {
    ...{ params: {}, connections: {} },
    nodes: {
      incoming: node('core.webhook', 'In'),
      soon: node('core.wait', 'Soon', { amount: 0, unit: 'minutes' }),
      late: node('core.wait', 'Late', { amount: 1, unit: 'hours' }),
      first: { ...node('core.map', 'Whichever comes first', { value: 1 }), join: { mode: 'count', count: 1 } },
      both: node('core.map', 'Both', { value: 2 }),
    },
    edges: [
      ...[...line('incoming', 'soon', 'first'), ...line('incoming', 'late', 'first')],
      ...[...line('soon', 'both'), { id: 'late:out:both', from: 'late', port: 'out', to: 'both' }],
    ],
  });
  await raced.post('first-come', {});
  const [run] = await standing(raced.id, 'waiting');
  expect(outcomes(await detail(run?.id))).toEqual({
    ...{ incoming: 'succeeded', soon: 'succeeded', first: 'succeeded', late: 'waiting' },
  });
  await client.call('POST', `/api/runs/${run?.id}/steps/late/wake`, {});
  await standing(raced.id, 'succeeded');
  expect(outcomes(await detail(run?.id))).toMatchObject({ first: 'succeeded', late: 'succeeded', both: 'succeeded' });
});

describe('running a closed run again', () => {
  let closed: RunSummary;
  beforeAll(async () => {
    await flow.post('again', { name: 'Ridge', number: '7' });
    closed = await until('the run to end', async () => {
      const found = (await runsOf(flow.id))[0];
      return found?.status === 'succeeded' && found;
    });
  });
  const again = (body: object, id = closed.id) => client.call<Rerun>('POST', `/api/runs/${id}/rerun`, body);
  const ended = async (id: string | null) =>
    await until('the new run to end', async () => {
      const run = await detail(id);
      return run.finishedAt !== null && run;
    });
  const effectsOf = async (runId: string | null) => {
    const { rows } = await up.owner.query<{ key: string }>('select key from effects where run_id = $1', [runId]);
    return rows.map(({ key }) => key);
  };

  test('from a step in a loop begins the loop anew, for that step stands for as many as there were items', async () => {
    const inLoop = { parent: 'each' };
    const loop = await publishWebhookFlow(client, 'Loop again', {
      ...{ params: {}, connections: {} },
      nodes: {
        incoming: node('core.webhook', 'In'),
        prepare: node('core.map', 'Prepare', { value: '={"list": trigger.body.list}' }),
        each: node('core.for-each', 'Each', { items: '=steps.prepare.list' }),
        say: node('core.notify', 'Say', { title: '="Again " & loop.item' }, inLoop),
        after: node('core.notify', 'After', { title: '="So many: " & steps.each.count' }),
      },
      edges: [
        ...line('incoming', 'prepare', 'each', 'after'),
        { id: 'each:each:say', from: 'each', port: 'each', to: 'say' },
      ],
    });
    await loop.post('loop-again', { list: ['a', 'b'] });
    const first = await until('the run to end', async () => {
      const found = (await runsOf(loop.id))[0];
      return found?.status === 'succeeded' && found;
    });
    const dry = await again({ version: 'same', from: 'say', dryRun: true }, first.id);
    expect([dry.carried, dry.again].map((steps) => steps.map(({ nodeId }) => nodeId).sort())).toEqual([
      ['prepare'],
      ['after', 'each', 'say'],
    ]);
    const { runId } = await again({ version: 'same', from: 'say' }, first.id);
    expect((await ended(runId)).status).toBe('succeeded');
    expect(await effectsOf(runId)).toHaveLength(3);
  });

  test('of a run with very many steps, what went wrong is told, and how many are not', async () => {
    const { runId } = await again({ version: 'same', from: 'third' });
    const run = await ended(runId);
    await up.owner.query(
      `insert into steps (company_id, run_id, node_id, iteration, status, attempt, started_at, finished_at, closed)
       select runs.company_id, runs.id, 'third', n::text, case when n = 2500 then 'failed' else 'succeeded' end, 1, now(), now(), true
         from runs cross join generate_series(1, 2500) n where runs.id = $1`,
      [runId],
    );
    const told = await client.call<RunDetail>('GET', `/api/runs/${runId}`);
    expect(told.steps).toHaveLength(2_000);
    expect(told.stepsLeftOut).toBe(run.steps.length + 2_500 - 2_000);
    expect(told.steps.filter(({ iteration }) => iteration === '')).toHaveLength(run.steps.length);
    expect(told.steps.filter(({ status }) => status === 'failed')).toHaveLength(1);
  });

  test('of a loop with very many rounds any one can be asked for', async () => {
    const inLoop = { parent: 'each' };
    const loop = await publishWebhookFlow(client, 'Long loop', {
      ...{ params: {}, connections: {} },
      nodes: {
        incoming: node('core.webhook', 'In'),
        each: node('core.for-each', 'Each', { items: '=trigger.body.list' }),
        say: node('core.notify', 'Say', { title: '="Long " & loop.item' }, inLoop),
      },
      edges: [...line('incoming', 'each'), { id: 'each:each:say', from: 'each', port: 'each', to: 'say' }],
    });
    await loop.post('long-loop', { list: ['a', 'b'] });
    const [run] = await standing(loop.id, 'succeeded');
    await up.owner.query(
      `insert into steps (company_id, run_id, node_id, iteration, status, attempt, started_at, finished_at, closed)
       select runs.company_id, runs.id, 'say', n::text, 'succeeded', 1, now(), now(), true
         from runs cross join generate_series(2, 2999) n where runs.id = $1`,
      [run?.id],
    );
    const roundsOf = async (query: string) =>
      (await client.call<RunDetail>('GET', `/api/runs/${run?.id}${query}`)).steps
        .filter(({ nodeId }) => nodeId === 'say')
        .map(({ iteration }) => iteration);
    expect(await roundsOf('')).not.toContain('2999');
    const asked = await client.call<RunDetail>('GET', `/api/runs/${run?.id}?loop=each&round=3000`);
    expect(asked.steps.filter(({ iteration }) => iteration === '2999')).toMatchObject([{ nodeId: 'say' }]);
    expect(asked.steps.length + asked.stepsLeftOut).toBe(3_002);
    expect(await roundsOf('?loop=each&round=1')).toHaveLength(new Set(await roundsOf('')).size);
    expect(await codeOf(await client.fetch('GET', `/api/runs/${run?.id}?loop=say&round=1`))).toEqual([
      404,
      'not_found',
    ]);
    for (const query of ['?round=1', '?loop=each', '?loop=each&round=0', '?loop=each&round=x'])
      expect(await codeOf(await client.fetch('GET', `/api/runs/${run?.id}${query}`))).toEqual([422, 'invalid_input']);
  });

  describe('that sent something without learning whether it went through', () => {
    const sendsTo = (name: string, more: object) =>
      publishWebhookFlow(client, name, {
        ...{ params: {}, connections: {} },
        nodes: {
          incoming: node('core.webhook', 'In'),
          send: {
            ...node('core.http-request', 'Send it', {
              ...{ method: 'POST', url: `${vendor.origin}/things`, body: '=trigger.body', ...more },
            }),
            retry: { attempts: 1, initialSeconds: 1 },
          },
        },
        edges: line('incoming', 'send'),
      });
    /** Sends once, hears nothing, and is given up. */
    const givenUp = async (to: WebhookFlow, delivery: string) => {
      vendor.answers = false;
      vendor.keys.length = 0;
      await to.post(delivery, { n: 1 });
      const [run] = await standing(to.id, 'parked');
      expect(vendor.keys).toHaveLength(1);
      await client.call('POST', `/api/runs/${run?.id}/steps/send/decide`, { action: 'abort' });
      await standing(to.id, 'failed');
      return run?.id ?? '';
    };

    test('does not send it again blindly; a person who has looked has it sent', async () => {
      const to = await sendsTo('Sends blindly', {});
      const first = await givenUp(to, 'blind');
      vendor.answers = true;
      const { runId } = await again({ version: 'same', from: 'send' }, first);
      const [parked] = await standing(to.id, 'parked');
      expect(parked).toMatchObject({ id: runId });
      expect((await detail(runId)).steps.find(({ nodeId }) => nodeId === 'send')?.error?.code).toBe(
        'sent_without_answer',
      );
      expect(vendor.keys).toHaveLength(1);
      await client.call('POST', `/api/runs/${runId}/steps/send/decide`, { action: 'retry' });
      expect((await ended(runId)).status).toBe('succeeded');
      expect(vendor.keys).toHaveLength(2);
    });

    test('sends it under the key it had, for the vendor to know it by; through any number of runs again', async () => {
      const to = await sendsTo('Sends with a key', { honoursKey: true });
      const first = await givenUp(to, 'keyed');
      const second = await again({ version: 'same', from: 'send' }, first);
      await standing(to.id, 'parked');
      await client.call('POST', `/api/runs/${second.runId}/cancel`);
      await standing(to.id, 'cancelled');
      vendor.answers = true;
      const third = await again({ version: 'same' }, second.runId ?? '');
      expect((await ended(third.runId)).status).toBe('succeeded');
      expect(vendor.keys.length).toBeGreaterThanOrEqual(3);
      expect(new Set(vendor.keys).size).toBe(1);
      // What went through is written again, for that is what was asked for.
      await ended((await again({ version: 'same' }, third.runId ?? '')).runId);
      expect(new Set(vendor.keys).size).toBe(2);
    });

    test('sends something else under a key of its own', async () => {
      const to = await sendsTo('Sends something else', { honoursKey: true });
      const first = await givenUp(to, 'else');
      vendor.answers = true;
      const { input } = (await detail(first)).steps.find(({ nodeId }) => nodeId === 'send') ?? {};
      expect(input).toMatchObject({ body: { n: 1 } });
      const trigger = (await detail(first)).steps.find(({ nodeId }) => nodeId === 'incoming')?.output as object;
      const { runId } = await again({ version: 'same', input: { ...trigger, body: { n: 2 } } }, first);
      expect((await ended(runId)).status).toBe('succeeded');
      expect(new Set(vendor.keys).size).toBe(2);
    });
  });

  test('a dry run says what is taken over and what is written again, and starts nothing', async () => {
    const before = (await runsOf(flow.id)).length;
    const answer = await again({ version: 'same', from: 'third', dryRun: true });
    expect(answer).toEqual({
      runId: null,
      version: 1,
      carried: [
        { nodeId: 'first', name: 'Take the name', changed: false },
        { nodeId: 'second', name: 'Say the number', changed: false },
      ],
      gone: [],
      again: [{ nodeId: 'third', name: 'Say that it is done', since: 'same', writes: true }],
    });
    expect(await runsOf(flow.id)).toHaveLength(before);
  });

  test('from the beginning it is a run of its own with effects of its own, about the same event', async () => {
    const { runId, carried } = await again({ version: 'same' });
    expect(carried).toEqual([]);
    const run = await ended(runId);
    expect(run).toMatchObject({ status: 'succeeded', againOf: closed.id, againFrom: null, trigger: closed.trigger });
    expect(run.event?.id).toBe((await detail(closed.id)).event?.id);
    expect((await detail(closed.id)).again.map(({ id }) => id)).toContain(runId);
    const [first, second] = [await effectsOf(closed.id), await effectsOf(runId)];
    expect(second).toHaveLength(2);
    expect(first.filter((key) => second.includes(key))).toEqual([]);
  });

  test('from a step on, what came before is taken over and not done again', async () => {
    const { runId } = await again({ version: 'same', from: 'third' });
    const run = await ended(runId);
    expect(outcomes(run)).toEqual({ incoming: 'succeeded', first: 'carried', second: 'carried', third: 'succeeded' });
    expect(await effectsOf(runId)).toHaveLength(1);
  });

  test('with other data in place of what came', async () => {
    const { runId } = await again({ version: 'same', input: { body: { name: 'Summit', number: '8' } } });
    const run = await ended(runId);
    expect(run.status).toBe('succeeded');
    expect(run.event?.data).toEqual({ body: { name: 'Summit', number: '8' } });
    expect(run.steps.find(({ nodeId }) => nodeId === 'second')?.input).toMatchObject({ title: '8', body: 'Summit' });
    expect((await detail(closed.id)).event?.data).toMatchObject({ body: { name: 'Ridge' } });
  });

  test('with data that such a trigger never gives is refused, and a dry run says so', async () => {
    const refusal = async (input: object) => {
      const answer = await client.fetch('POST', `/api/runs/${closed.id}/rerun`, {
        version: 'same',
        input,
        dryRun: true,
      });
      const { code, path } = (await answer.json()) as { readonly code?: string; readonly path?: string };
      return [answer.status, code, path];
    };
    expect(await refusal({ body: {}, qery: {} })).toEqual([422, 'invalid_input', 'input.qery']);
    expect(await refusal({ body: {}, headers: 'none' })).toEqual([422, 'invalid_input', 'input.headers']);
  });

  test('with the version of today; the version it had stays possible', async () => {
    const draft = await client.call<FlowDetail>('GET', `/api/flows/${flow.id}`);
    const document = { schema: 1, positions: {}, ...documentOf('Say the number, louder') };
    await client.call(
      'PUT',
      `/api/flows/${flow.id}/draft`,
      { name: draft.name, document },
      { 'If-Match': `"${draft.revision}"` },
    );
    await client.call('POST', `/api/flows/${flow.id}/publish`, {});
    const now = await ended((await again({ version: 'current' })).runId);
    const then = await ended((await again({ version: 'same' })).runId);
    expect([now, then].map(({ flowVersion, status }) => [flowVersion, status])).toEqual([
      [2, 'succeeded'],
      [1, 'succeeded'],
    ]);
    expect(now.steps.map(({ name }) => name)).toContain('Say the number, louder');
  });

  test('once at a time, and only when it has ended', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() =>
        client.fetch('POST', `/api/runs/${closed.id}/rerun`, {
          version: 'same',
          input: { body: { name: 'stuck on purpose' } },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const [open] = await standing(flow.id, 'parked');
    const early = await client.fetch('POST', `/api/runs/${open?.id}/rerun`, { version: 'same' });
    expect(await codeOf(early)).toEqual([409, 'invalid_transition']);
    await client.call('POST', `/api/runs/${open?.id}/cancel`);
    await ended(open?.id ?? null);
    expect((await again({ version: 'same', dryRun: true }, open?.id)).version).toBe(1);
  });

  test('a step that is none is refused, and so is what nobody knows', async () => {
    for (const from of ['nowhere', 'incoming'])
      expect(
        await codeOf(await client.fetch('POST', `/api/runs/${closed.id}/rerun`, { version: 'same', from })),
      ).toEqual([422, 'invalid_input']);
  });

  test('a first run stays one per event, however often it was run again', async () => {
    await expect(
      up.owner.query(
        `insert into runs (company_id, flow_id, flow_version, plan_hash, event_id, trigger_node_id, carrier_id, lane, status)
         select company_id, flow_id, flow_version, plan_hash, event_id, trigger_node_id, 'other', 0, 'queued' from runs where id = $1`,
        [closed.id],
      ),
    ).rejects.toMatchObject({ code: '23505' });
  });
});

describe('people are told', () => {
  test('once that it works again, when the last that was stuck has gone through', async () => {
    const stuck = await needsNumber('Recovers');
    const lines = { trouble: '"Say the number" waits for you', again: '"Say the number" works again' };
    const about = async (title: string) =>
      (await notices(title)).filter(({ runId }) => runId !== null && ours.has(runId));
    for (const name of ['a', 'b']) await stuck.post(`recover-${name}`, { name });
    const parked = await standing(stuck.id, 'parked', 2);
    const ours = new Set(parked.map(({ id }) => id));
    expect(await about(lines.trouble)).toHaveLength(1);
    // The number is found meanwhile.
    await up.owner.query(
      `update steps set output = output || '{"body": {"name": "Ridge", "number": "9"}}' where run_id = any($1) and node_id = 'incoming'`,
      [[...ours]],
    );
    const [one, two] = parked;
    await client.call('POST', `/api/runs/${one?.id}/steps/second/decide`, { action: 'retry' });
    await standing(stuck.id, 'succeeded');
    expect(await about(lines.again)).toEqual([]);
    await client.call('POST', `/api/runs/${two?.id}/steps/second/decide`, { action: 'retry' });
    await standing(stuck.id, 'succeeded', 2);
    const [told] = await until('the notice', async () => {
      const found = await about(lines.again);
      return found.length > 0 && found;
    });
    expect(told).toMatchObject({ severity: 'info', seen: false, overAt: null });
    expect(told?.body).toMatch(/Recovers/);
    // What was told before is done with; new trouble is news.
    expect((await about(lines.trouble))[0]?.overAt).not.toBeNull();
    await stuck.post('recover-c', { name: 'c' });
    const [third] = await standing(stuck.id, 'parked');
    ours.add(third?.id ?? '');
    expect(await about(lines.trouble)).toMatchObject([{ seen: false, overAt: null, runId: third?.id }]);
    await client.call('POST', `/api/runs/${third?.id}/cancel`);
  });
});

describe('what people were told', () => {
  test('is over when the last that was stuck is given up; it works again when a new run gets through; new trouble is told anew', async () => {
    const stuck = await publishWebhookFlow(client, 'Given up', documentOf('Say it, or give up'));
    const trouble = () => notices('"Say it, or give up" waits for you');
    const again = () => notices('"Say it, or give up" works again');
    await stuck.post('given-up', { name: 'a' });
    const [run] = await standing(stuck.id, 'parked');
    await minute();
    expect(await trouble()).toMatchObject([{ seen: false, overAt: null }]);
    await client.call('POST', `/api/runs/${run?.id}/steps/second/decide`, { action: 'abort' });
    await standing(stuck.id, 'failed');
    await minute();
    expect((await trouble())[0]?.overAt).not.toBeNull();
    expect(await again()).toEqual([]);
    await stuck.post('gets-through', { name: 'b', number: '1' });
    const [through] = await standing(stuck.id, 'succeeded');
    await minute();
    await minute();
    expect(await again()).toMatchObject([
      { seen: false, runId: through?.id, body: expect.stringMatching(/Given up/) as unknown },
    ]);
    await stuck.post('stuck-again', { name: 'c' });
    const [later] = await standing(stuck.id, 'parked');
    expect(await trouble()).toMatchObject([{ seen: false, overAt: null, runId: later?.id }]);
    await client.call('POST', `/api/runs/${later?.id}/cancel`);
  });

  test('is seen by each person for themselves, and told once however many look at it, until it is over', async () => {
    const stuck = await publishWebhookFlow(client, 'Seen by one', documentOf('Seen by one'));
    const title = '"Seen by one" waits for you';
    const ines = await person(up, 'Ines', 'builder');
    const seenBy = async (who: StudioClient) =>
      (await who.call<Notice[]>('GET', '/api/notifications')).filter((notice) => notice.title === title);
    await stuck.post('seen-a', { name: 'a' });
    await standing(stuck.id, 'parked');
    const [notice] = await seenBy(client);
    await client.call('POST', '/api/notifications/read', { ids: [notice?.id] });
    expect(await seenBy(client)).toMatchObject([{ seen: true }]);
    expect(await seenBy(ines)).toMatchObject([{ seen: false, overAt: null }]);
    await stuck.post('seen-b', { name: 'b' });
    const parked = await standing(stuck.id, 'parked', 2);
    expect(await seenBy(client), 'more of the same is no news').toMatchObject([{ seen: true, runId: notice?.runId }]);
    await ines.call('POST', '/api/notifications/read', {});
    expect(await seenBy(ines)).toMatchObject([{ seen: true }]);
    for (const { id } of parked) await client.call('POST', `/api/runs/${id}/steps/second/decide`, { action: 'abort' });
    await standing(stuck.id, 'failed', 2);
    await minute();
    await stuck.post('seen-c', { name: 'c' });
    const [later] = await standing(stuck.id, 'parked');
    for (const who of [client, ines])
      expect(await seenBy(who), 'after it was over it is news to everybody').toMatchObject([
        { seen: false, overAt: null, runId: later?.id },
      ]);
    await client.call('POST', `/api/runs/${later?.id}/cancel`);
  });

  test('shows no card number that an error quotes, nor does any other place that shows the error', async () => {
    const card = '4111 1111 1111 1111';
    const quoting = await publishWebhookFlow(client, 'Quotes a card', {
      ...{ params: {}, connections: {} },
      nodes: {
        incoming: node('core.webhook', 'In'),
        refuse: node('core.map', 'Charge the card', { value: '=$error("Card " & trigger.body.card & " refused")' }),
      },
      edges: line('incoming', 'refuse'),
    });
    await quoting.post('quoted', { card });
    const [run] = await standing(quoting.id, 'parked');
    const groups = await client.call<StuckGroup[]>('GET', '/api/runs/groups');
    const seen: unknown[] = [
      await detail(run?.id),
      groups.filter(({ flowId }) => flowId === quoting.id),
      await notices('"Charge the card" waits for you'),
    ];
    await client.call('POST', `/api/runs/${run?.id}/steps/refuse/decide`, { action: 'abort' });
    await standing(quoting.id, 'failed');
    seen.push(await detail(run?.id), await runsOf(quoting.id));
    for (const place of seen) expect(JSON.stringify(place)).toMatch(/•••• 1111/);
    expect(JSON.stringify(seen)).not.toContain(card);
  });
});

describe('the accounts', () => {
  const accounts = () => client.call<Accounting>('GET', '/api/health/accounting');

  test('tie after all of this, also when a flow and its runs are removed', async () => {
    const gone = await needsNumber('Removed');
    await gone.post('removed', { name: 'a', number: '1' });
    await standing(gone.id, 'succeeded');
    const before = await accounts();
    expect(before).toMatchObject({ ties: true, events: { ties: true, strays: [] }, runs: { ties: true, strays: [] } });
    expect(before.events.withRuns).toBeGreaterThan(5);
    expect(before.runs.total).toBeGreaterThan(before.events.withRuns);
    await client.call('DELETE', `/api/flows/${gone.id}`);
    const after = await accounts();
    expect(after).toMatchObject({
      ties: true,
      events: { acknowledged: before.events.acknowledged, ignored: before.events.ignored + 1 },
      runs: { total: before.runs.total - 1 },
    });
  });

  test('an event that is lost is missed, named, and told to people once', async () => {
    const { rows } = await up.owner.query<{ id: string; event_id: string }>(
      `select id, event_id from runs r where rerun_of is null and event_id is not null and status = 'failed'
          and not exists (select from runs o where o.rerun_of = r.id) limit 1`,
    );
    await up.owner.query('update runs set event_id = null where id = $1', [rows[0]?.id]);
    expect(await accounts()).toMatchObject({ ties: false, events: { ties: false, strays: [rows[0]?.event_id] } });
    await minute();
    await minute();
    const told = () => notices('Something that came in is not accounted for');
    expect(await told()).toMatchObject([{ overAt: null }]);
    await up.owner.query('update runs set event_id = $2 where id = $1', [rows[0]?.id, rows[0]?.event_id]);
    expect((await accounts()).ties).toBe(true);
    await minute();
    expect((await told())[0]?.overAt).not.toBeNull();
  });

  test('a run in no known state is missed too', async () => {
    const [run] = await runsOf(flow.id);
    await up.owner.query(`update runs set finished_at = null where id = $1`, [run?.id]);
    expect(await accounts()).toMatchObject({ ties: false, runs: { ties: false, strays: [run?.id] } });
    await up.owner.query(`update runs set finished_at = $2 where id = $1`, [run?.id, run?.finishedAt]);
  });
});
