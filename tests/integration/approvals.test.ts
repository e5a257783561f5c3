import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import type {
  FlowDetail,
  LinkedQuestion,
  Notice,
  Page,
  Problem,
  Queue,
  RunDetail,
  RunSummary,
  TaskDetail,
  TaskSummary,
} from '@plumbline/engine/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { person } from '../support/person.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
/** Dana owns the demo's company; Ben builds, Vic looks on. */
let dana: StudioClient;
let ben: StudioClient;
let vic: StudioClient;
let otto: StudioClient;
let flow: WebhookFlow;

const SUB = 'sub@framing.example';
const edge = (from: string, to: string, port = 'out') => ({ id: `${from}:${port}:${to}`, from, port, to });

beforeAll(async () => {
  up = await testPlatform();
  dana = await up.client();
  ben = await person(up, 'Ben', 'builder');
  vic = await person(up, 'Vic', 'viewer');
  otto = await person(up, 'Otto', 'owner', { company: 'Outside Builders', slug: 'outside' });
  flow = await publishWebhookFlow(dana, 'Asks for approval', {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'Delivery'),
      ask: node('core.approval', 'Ask for approval', {
        title: '="Pay " & trigger.body.number & "?"',
        facts: '=[{ "label": "Vendor", "value": trigger.body.vendor }, { "label": "Lines", "value": 3 }]',
        amount: '=trigger.body.total',
        stages: [
          { approvers: `ben@people.example, ${SUB}`, need: 'any' },
          { from: '5000', approvers: 'owner' },
        ],
        outcomes: [{ id: 'changes', title: 'Ask for changes' }],
        form: [{ id: 'code', title: 'Cost code', required: true }],
      }),
      yes: node('core.notify', 'Approved', { title: '="Yes " & steps.ask.values.code & " by " & steps.ask.decidedBy' }),
      no: node('core.notify', 'Rejected', { title: '="No: " & steps.ask.comment' }),
    },
    edges: [edge('incoming', 'ask'), edge('ask', 'yes', 'approved'), edge('ask', 'no', 'rejected')],
  });
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
});

let deliveries = 0;
/** Starts a run and waits until it asks. */
async function asked(total: string): Promise<TaskDetail> {
  deliveries += 1;
  const number = `INV-${deliveries}`;
  await flow.post(number, { number, vendor: '<b>Cascade</b>', total });
  const summary = await until(`${number} to be asked`, async () => {
    const { items } = await dana.call<Page<TaskSummary>>('GET', '/api/tasks?view=open');
    return items.find(({ title }) => title === `Pay ${number}?`);
  });
  return await dana.call<TaskDetail>('GET', `/api/tasks/${summary.id}`);
}
const ended = async (runId: string) =>
  await until('the run to end', async () => {
    const run = await dana.call<RunDetail>('GET', `/api/runs/${runId}`);
    return run.finishedAt !== null && run;
  });
const problemOf = async (answer: Response) => ({ ...((await answer.json()) as Problem), status: answer.status });
const decide = (client: StudioClient, task: { readonly id: string }, body: object) =>
  client.fetch('POST', `/api/tasks/${task.id}/decide`, body);
const yes = { outcome: 'approved', values: { code: '06-100' } };

async function linkFor(task: TaskDetail): Promise<string> {
  const seat = task.stages.flatMap(({ seats }) => seats).find(({ outside }) => outside);
  const { url } = await dana.call<{ url: string }>('POST', `/api/tasks/${task.id}/seats/${seat?.id}/link`);
  expect(new URL(url).origin).toBe(up.origin);
  return url.slice(url.lastIndexOf('/') + 1);
}
/** As somebody without an account: no cookie, no origin. */
const openLink = (token: string, init: RequestInit = {}) => fetch(`${up.origin}/api/approve/${token}`, init);
const answerLink = (token: string, body: object, headers: Record<string, string> = {}) =>
  openLink(token, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

describe('a small amount', () => {
  test('waits for those who are asked, goes on once one has approved, and hands on what they filled in', async () => {
    const task = await asked('4999.99');
    const run = await dana.call<RunDetail>('GET', `/api/runs/${task.runId}`);
    expect(run.approvals).toMatchObject([{ nodeId: 'ask', status: 'open', waitingFor: `one of Ben, ${SUB}` }]);
    expect(task.stages).toHaveLength(1);
    expect(await ben.call('GET', '/api/tasks/count')).toEqual({ mine: 1 });
    expect(
      (await ben.call<Notice[]>('GET', '/api/notifications')).find(({ taskId }) => taskId === task.id),
    ).toMatchObject({ seen: false, overAt: null });
    expect((await dana.call<Notice[]>('GET', '/api/notifications')).map(({ taskId }) => taskId)).not.toContain(task.id);

    expect(await problemOf(await decide(ben, task, { outcome: 'approved' }))).toMatchObject({
      status: 422,
      path: 'values.code',
    });
    expect((await decide(ben, task, yes)).status).toBe(200);
    const after = await ended(task.runId);
    expect([after.status, after.steps.find(({ nodeId }) => nodeId === 'ask')?.port]).toEqual(['succeeded', 'approved']);
    expect((await dana.call<Notice[]>('GET', '/api/notifications')).map(({ title }) => title)).toContain(
      'Yes 06-100 by Ben',
    );
    expect(await ben.call('GET', '/api/tasks/count')).toEqual({ mine: 0 });
    const notice = (await ben.call<Notice[]>('GET', '/api/notifications')).find(({ taskId }) => taskId === task.id);
    expect(notice?.overAt, 'a question that is answered is no news').not.toBeNull();
    expect(await problemOf(await decide(ben, task, yes))).toMatchObject({ status: 409, code: 'already_decided' });
  });
});

describe('a step that waits for a decision', () => {
  test('is told to go on by nobody: neither by itself nor among many', async () => {
    const task = await asked('10');
    const { waiting } = await ben.call<Queue>('GET', '/api/queue');
    expect(waiting.find(({ runId }) => runId === task.runId)).toMatchObject({
      nodeId: 'ask',
      awaits: { kind: 'decision', id: task.id },
    });
    expect(
      await problemOf(await ben.fetch('POST', `/api/runs/${task.runId}/steps/ask/wake`, { iteration: '' })),
    ).toMatchObject({ status: 409, detail: 'This step waits for a decision, and nothing else lets it go on.' });
    const steps = [{ runId: task.runId, nodeId: 'ask', iteration: '' }];
    expect(await ben.call('POST', '/api/queue/waiting', { action: 'wake', steps })).toMatchObject({
      done: 0,
      refused: [{ runId: task.runId, why: expect.stringContaining('a decision') as unknown }],
    });
    expect((await dana.call<TaskDetail>('GET', `/api/tasks/${task.id}`)).status).toBe('open');
    expect((await decide(ben, task, yes)).status).toBe(200);
    expect((await ended(task.runId)).status).toBe('succeeded');
  });
});

describe('a large amount', () => {
  test('is asked of the owner after the first stage, whose rejection ends it', async () => {
    const task = await asked('5000');
    expect(task.waitingFor).toBe(`one of Ben, ${SUB}, then Dana Hartwell`);
    expect(await problemOf(await decide(vic, task, yes))).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await decide(ben, task, yes)).status).toBe(200);
    expect(await problemOf(await decide(ben, task, yes))).toMatchObject({ status: 403, code: 'not_asked' });
    expect((await dana.call<TaskDetail>('GET', `/api/tasks/${task.id}`)).waitingFor).toBe('Dana Hartwell');
    expect((await decide(dana, task, { outcome: 'rejected', comment: 'Twice the order' })).status).toBe(200);
    const run = await ended(task.runId);
    expect(run.steps.find(({ nodeId }) => nodeId === 'ask')).toMatchObject({ port: 'rejected' });
    expect((await dana.call<Notice[]>('GET', '/api/notifications')).map(({ title }) => title)).toContain(
      'No: Twice the order',
    );
    const { rows } = await up.owner.query<{ actor: string; details: object }>(
      `select actor, details from audit_log where action = 'approval.decided' and target_id = $1 order by number`,
      [task.id],
    );
    expect(rows).toMatchObject([
      { actor: 'Ben', details: { outcome: 'approved', stage: 1, amount: '5000' } },
      { actor: 'Dana Hartwell', details: { outcome: 'rejected', stage: 2, comment: 'Twice the order' } },
    ]);
  });

  test('an admin who is not asked says in whose place, and that is on record', async () => {
    const task = await asked('10');
    expect(await problemOf(await decide(dana, task, yes))).toMatchObject({ status: 422, path: 'seatId' });
    const seat = task.stages[0]?.seats.find(({ name }) => name === 'Ben');
    expect((await decide(dana, task, { ...yes, seatId: seat?.id })).status).toBe(200);
    const { rows } = await up.owner.query(`select details from audit_log where target_id = $1`, [task.id]);
    expect(rows).toMatchObject([{ details: { insteadOf: 'Ben' } }]);
    await ended(task.runId);
  });
});

describe('a link for somebody outside', () => {
  test('shows what is asked, decides nothing by being looked at, and is good for one decision', async () => {
    const task = await asked('12.50');
    const token = await linkFor(task);
    for (const method of ['GET', 'HEAD', 'GET']) expect((await openLink(token, { method })).status).toBe(200);
    const answer = await openLink(token);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('set-cookie')).toBeNull();
    const question = (await answer.json()) as LinkedQuestion;
    expect(question).toMatchObject({
      ...{ companyName: 'Hartwell Homes', name: SUB, amount: '12.50', title: task.title },
      facts: [
        { label: 'Vendor', value: '<b>Cascade</b>' },
        { label: 'Lines', value: '3' },
      ],
    });
    expect(JSON.stringify(question)).not.toContain('ben@people.example');
    expect((await dana.call<TaskDetail>('GET', `/api/tasks/${task.id}`)).status).toBe('open');

    const page = await fetch(`${up.origin}/approve/${token}`);
    expect([
      page.headers.get('cache-control'),
      page.headers.get('referrer-policy'),
      page.headers.get('x-frame-options'),
    ]).toEqual(['no-store', 'no-referrer', 'DENY']);
    // The page is the same for every token: nothing of a request gets into it.
    expect(await page.text()).not.toContain('Cascade');

    expect((await answerLink(token, { outcome: 'approved' })).status).toBe(422);
    const foreign = await answerLink(token, yes, { Origin: 'https://evil.example' });
    expect(await problemOf(foreign)).toMatchObject({ status: 403, code: 'origin_forbidden' });
    const simple = await openLink(token, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain' },
      body: JSON.stringify(yes),
    });
    expect(simple.status).toBeGreaterThanOrEqual(400);
    expect((await dana.call<TaskDetail>('GET', `/api/tasks/${task.id}`)).status).toBe('open');

    const both = await Promise.all([answerLink(token, yes), answerLink(token, { ...yes, outcome: 'changes' })]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      204,
      expect.toSatisfy((status) => status === 409 || status === 410),
    ]);
    expect(await problemOf(await openLink(token))).toMatchObject({ status: 410, code: 'link_used' });
    expect(await problemOf(await answerLink(token, yes))).toMatchObject({ status: 410, code: 'link_used' });
    await ended(task.runId);
    const { rows } = await up.owner.query(
      `select actor from audit_log where action = 'approval.decided' and target_id = $1`,
      [task.id],
    );
    expect(rows).toEqual([{ actor: `${SUB} (by link)` }]);
  });

  test('no longer works when it is withdrawn, replaced, or somebody else has decided', async () => {
    const task = await asked('1');
    const seat = task.stages[0]?.seats.find(({ outside }) => outside);
    const first = await linkFor(task);
    const second = await linkFor(task);
    expect((await problemOf(await answerLink(first, yes))).code).toBe('link_revoked');
    expect((await ben.fetch('DELETE', `/api/tasks/${task.id}/seats/${seat?.id}/link`)).status).toBe(403);
    expect((await ben.fetch('POST', `/api/tasks/${task.id}/seats/${seat?.id}/link`)).status).toBe(403);
    expect((await dana.fetch('DELETE', `/api/tasks/${task.id}/seats/${seat?.id}/link`)).status).toBe(204);
    expect((await problemOf(await answerLink(second, yes))).code).toBe('link_revoked');
    const third = await linkFor(task);
    await decide(ben, task, yes);
    expect((await problemOf(await answerLink(third, yes))).code).toBe('already_decided');
    await ended(task.runId);
  });

  test('cannot be guessed: whatever is no link gets one answer, and too much of it is slowed down', async () => {
    const problems = await Promise.all(
      ['x', 'A'.repeat(43), 'A'.repeat(44), '%00', '..%2ftasks'].map(
        async (token) => await problemOf(await openLink(token)),
      ),
    );
    for (const problem of problems) expect(problem).toMatchObject({ status: 404, code: 'not_found' });
    const many = await Promise.all(Array.from({ length: 40 }, async () => (await openLink('B'.repeat(43))).status));
    expect(many).toContain(429);
  });
});

test('a company sees nothing of another’s tasks, and a run that is cancelled takes its question back', async () => {
  const task = await asked('77');
  expect(await otto.call('GET', '/api/tasks?view=open')).toEqual({ items: [] });
  expect((await decide(otto, task, yes)).status).toBe(404);
  await dana.call('POST', `/api/runs/${task.runId}/cancel`);
  await ended(task.runId);
  expect((await dana.call<TaskDetail>('GET', `/api/tasks/${task.id}`)).status).toBe('withdrawn');
  expect(await problemOf(await decide(ben, task, yes))).toMatchObject({ status: 409, code: 'approval_over' });
});

test('a colleague to whom it is handed decides in that place', async () => {
  const task = await asked('88');
  expect(
    (await problemOf(await ben.fetch('POST', `/api/tasks/${task.id}/delegate`, { to: 'vic@people.example' }))).path,
  ).toBe('to');
  await ben.call('POST', `/api/tasks/${task.id}/delegate`, { to: 'dana@hartwell.example' });
  expect(await problemOf(await decide(ben, task, yes))).toMatchObject({ code: 'not_asked' });
  expect((await decide(dana, task, yes)).status).toBe(200);
  await ended(task.runId);
});

test('a run again from a later step takes the decision over and asks nobody', async () => {
  const { items } = await dana.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}&status=succeeded`);
  const first = await dana.call<RunDetail>('GET', `/api/runs/${items.at(-1)?.id}`);
  expect(first.steps.find(({ nodeId }) => nodeId === 'ask')?.port).toBe('approved');
  const { runId } = await dana.call<{ runId: string }>('POST', `/api/runs/${first.id}/rerun`, {
    version: 'same',
    from: 'yes',
  });
  const again = await ended(runId);
  expect(again.approvals).toEqual([]);
  expect(again.steps.find(({ nodeId }) => nodeId === 'ask')).toMatchObject({
    carried: true,
    output: first.steps.find(({ nodeId }) => nodeId === 'ask')?.output,
  });
});

test('a drawing that is tried out asks nobody', async () => {
  const before = await up.owner.query('select count(*) from approvals');
  const { runId } = await dana.call<{ runId: string }>('POST', `/api/flows/${flow.id}/tests`, {
    trigger: {
      nodeId: 'incoming',
      output: { headers: {}, query: {}, body: { number: 'T-1', vendor: 'x', total: '9' } },
    },
  });
  const run = await ended(runId);
  expect(run.steps.find(({ nodeId }) => nodeId === 'ask')).toMatchObject({ simulated: true, port: 'approved' });
  expect((await up.owner.query('select count(*) from approvals')).rows).toEqual(before.rows);
});

test('the template by amount can be installed with names of people, and is without a finding', async () => {
  const installed = await dana.call<FlowDetail>('POST', '/api/templates/invoice-approval-by-amount/install', {
    connections: {},
    params: { first: 'builder', second: 'owner', third: 'owner' },
    turnOn: true,
  });
  expect([installed.findings, installed.status]).toEqual([[], 'on']);
});
