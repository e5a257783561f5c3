import type { GroupOutcome, Page, Problem, RunDetail, RunSummary, StuckGroup } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let client: StudioClient;
let flow: WebhookFlow;
let parked: RunDetail;

const CARD = '4242 4242 4242 4242';

beforeAll(async () => {
  up = await testPlatform();
  client = await up.client();
  flow = await publishWebhookFlow(client, 'Needs a title', {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'Delivery'),
      tell: node('core.notify', 'Tell the office', { title: '=trigger.body.title', body: '=trigger.body.text' }),
    },
    edges: line('incoming', 'tell'),
  });
  for (const name of ['one', 'two'])
    await flow.post(name, { text: `Paid with ${CARD}`, access_token: 'hush-hush', number: name });
  const runs = await until('two runs to be parked', async () => {
    const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}&status=parked`);
    return items.length === 2 && items;
  });
  parked = await client.call<RunDetail>('GET', `/api/runs/${runs[0]?.id}`);
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
});

const decide = (body: unknown) => client.fetch('POST', `/api/runs/${parked.id}/steps/tell/decide`, body);
const problemOf = async (answer: Response) => ({ ...((await answer.json()) as Problem), status: answer.status });

describe('a run as a person sees it', () => {
  test('shows neither the secrets nor the cards that came with it, in nothing the API answers about it', async () => {
    expect(parked.event?.data).toMatchObject({ body: { access_token: '••••••••', text: 'Paid with •••• 4242' } });
    const answers = await Promise.all(
      [`/api/runs/${parked.id}`, `/api/runs?flowId=${flow.id}`, `/api/flows/${flow.id}/samples`, '/api/queue'].map(
        async (path) => await (await client.fetch('GET', path)).text(),
      ),
    );
    for (const text of answers) {
      expect(text).not.toContain('hush-hush');
      expect(text).not.toContain(CARD);
    }
  });

  test('says what its step tried, and how many others came to the same', () => {
    const step = parked.steps.find(({ nodeId }) => nodeId === 'tell');
    expect(step).toMatchObject({ status: 'parked', similar: { waiting: 1, failed: 0 } });
    expect(step?.attempts).toMatchObject([{ attempt: 1, kind: 'invalid', code: 'required_missing' }]);
  });
});

describe('an edited input', () => {
  test('is refused before the run hears of it, with every problem and its field', async () => {
    const problem = await problemOf(await decide({ action: 'retry', input: { titel: 'Hello', body: 7 } }));
    expect(problem).toMatchObject({ status: 422, code: 'invalid_input' });
    expect(problem.findings?.map(({ code, field }) => [code, field])).toEqual([
      ['required_missing', 'title'],
      ['field_unknown', 'titel'],
      ['type_mismatch', 'body'],
    ]);
    expect(problem.findings?.[1]?.message).toMatch(/Do you mean "title"/);
    const still = await client.call<RunDetail>('GET', `/api/runs/${parked.id}`);
    expect(still.steps.find(({ nodeId }) => nodeId === 'tell')?.status).toBe('parked');
  });

  test('for many is laid over each of them, and a dry run says which it does not fit', async () => {
    const group = (await client.call<StuckGroup[]>('GET', '/api/runs/groups')).find(({ flowId }) => flowId === flow.id);
    expect(group).toMatchObject({ count: 2, type: 'core.notify', errorWay: false });
    const path = `/api/runs/groups/${group?.fingerprint}/decide`;
    const wrong = { action: 'retry', patch: { title: 7 }, dryRun: true };
    expect((await client.call<GroupOutcome>('POST', path, wrong)).refused).toHaveLength(2);
    const right = { action: 'retry', patch: { title: 'Paid', body: 'By card' }, dryRun: true };
    expect(await client.call<GroupOutcome>('POST', path, right)).toMatchObject({ count: 2, done: 0, refused: [] });
  });
});

describe('what is accepted', () => {
  const stepOf = (run: RunDetail, nodeId: string) => run.steps.find((step) => step.nodeId === nodeId);
  const parkedIn = async (flowId: string) =>
    await until('a run to be parked', async () => {
      const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flowId}&status=parked`);
      return items[0]?.id;
    });
  const ended = async (id: string) =>
    await until('the run to end', async () => {
      const run = await client.call<RunDetail>('GET', `/api/runs/${id}`);
      return run.finishedAt !== null && run;
    });

  test('goes through with the edited input, and the history keeps what came before', async () => {
    const other = await publishWebhookFlow(client, 'Needs a title too', {
      params: {},
      connections: {},
      nodes: {
        incoming: node('core.webhook', 'Delivery'),
        tell: node('core.notify', 'Tell the office', { title: '=trigger.body.title', body: 'From the site' }),
      },
      edges: line('incoming', 'tell'),
    });
    await other.post('edit', { text: 'no title' });
    const id = await parkedIn(other.id);
    await client.call('POST', `/api/runs/${id}/steps/tell/decide`, {
      action: 'retry',
      input: { title: 'Given by hand', body: 'From the site' },
    });
    const run = await ended(id);
    expect(run.status).toBe('succeeded');
    expect(stepOf(run, 'tell')).toMatchObject({ input: { title: 'Given by hand' } });
    expect(stepOf(run, 'tell')?.attempts.map(({ kind }) => kind)).toEqual(['invalid', undefined]);
  });

  test('goes the way that is chosen for many, of those that their step has', async () => {
    const [cases, kinds] = [
      [
        { id: 'small', title: 'Small', equals: 's' },
        { id: 'large', title: 'Large', equals: 'l' },
      ],
      ['small', 'large', 'default'],
    ] as const;
    const other = await publishWebhookFlow(client, 'Has several ways', {
      params: {},
      connections: {},
      nodes: {
        incoming: node('core.webhook', 'Delivery'),
        // A group of fields is nothing to choose by.
        choose: node('core.switch', 'Small or large', { value: '=trigger.body', cases }),
        ...Object.fromEntries(kinds.map((kind) => [`to_${kind}`, node('core.map', kind, { value: '={"kind": 1}' })])),
      },
      edges: [
        ...line('incoming', 'choose'),
        ...kinds.map((port) => ({ id: `choose:${port}`, from: 'choose', port, to: `to_${port}` })),
      ],
    });
    await other.post('ways', { size: 'unknown' });
    const id = await parkedIn(other.id);
    const group = (await client.call<StuckGroup[]>('GET', '/api/runs/groups')).find(
      ({ flowId }) => flowId === other.id,
    );
    expect(group?.ports).toEqual([
      { id: 'small', title: 'Small' },
      { id: 'large', title: 'Large' },
      { id: 'default', title: 'Everything else' },
    ]);
    const skip = (port: string, dryRun: boolean) =>
      client.call<GroupOutcome>('POST', `/api/runs/groups/${group?.fingerprint}/decide`, {
        ...{ action: 'skip', output: { matched: port }, port, dryRun },
      });
    expect((await skip('huge', true)).refused).toMatchObject([
      { runId: id, why: expect.stringContaining('no way out called "huge"') as unknown },
    ]);
    expect(await skip('large', false)).toMatchObject({ count: 1, done: 1, refused: [] });
    const run = await ended(id);
    expect(stepOf(run, 'choose')?.port).toBe('large');
    expect(kinds.filter((kind) => stepOf(run, `to_${kind}`)?.status === 'succeeded')).toEqual(['large']);
  });

  test('goes along the error way where the flow has drawn one', async () => {
    const other = await publishWebhookFlow(client, 'Has an error way', {
      params: {},
      connections: {},
      nodes: {
        incoming: node('core.webhook', 'Delivery'),
        tell: node('core.notify', 'Tell the office', { title: '=trigger.body.title', body: 'x' }),
        sorry: node('core.notify', 'Say sorry', { title: 'It did not work', body: '=steps.tell.error.message' }),
      },
      edges: [...line('incoming', 'tell'), { id: 'tell:error:sorry', from: 'tell', port: 'error', to: 'sorry' }],
    });
    await other.post('way', { text: 'no title' });
    const id = await parkedIn(other.id);
    await client.call('POST', `/api/runs/${id}/steps/tell/decide`, { action: 'error_port' });
    const run = await ended(id);
    expect([run.status, stepOf(run, 'tell')?.port, stepOf(run, 'sorry')?.status]).toEqual([
      'succeeded',
      'error',
      'succeeded',
    ]);
  });
});

test('the error way is refused where the flow has drawn none', async () => {
  const problem = await problemOf(await decide({ action: 'error_port' }));
  expect(problem).toMatchObject({ status: 422, path: 'action' });
  expect(problem.detail).toMatch(/no way for errors from "Tell the office"/);
});

test('and by no skipping either: nothing after the step is left out as if it had gone well', async () => {
  const problem = await problemOf(await decide({ action: 'skip', output: 1, port: 'error' }));
  expect(problem).toMatchObject({ status: 422, path: 'port' });
  expect(problem.detail).toMatch(/no way for errors from "Tell the office"/);
});

test('a way out that the step does not have is refused, and its ways are named', async () => {
  const problem = await problemOf(await decide({ action: 'skip', output: {}, port: 'elsewhere' }));
  expect(problem).toMatchObject({ status: 422, path: 'port', fix: 'Choose one of these: out.' });
});

test.each([
  { action: 'skip', output: { a: 'x\u0000' } },
  { action: 'skip', output: 'half \ud800' },
  { action: 'retry', input: { title: 'x\u0000', body: 'y' } },
])('a text that cannot be stored is refused before the run hears of it: %j', async (decision) => {
  expect(await problemOf(await decide(decision))).toMatchObject({ status: 422, code: 'unsupported_character' });
  const still = await client.call<RunDetail>('GET', `/api/runs/${parked.id}`);
  expect(still.steps.find(({ nodeId }) => nodeId === 'tell')?.status).toBe('parked');
});

test('many go on at once with fields replaced in each, once they were looked at', async () => {
  const group = (await client.call<StuckGroup[]>('GET', '/api/runs/groups')).find(({ flowId }) => flowId === flow.id);
  const other = (await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}&status=parked`)).items.find(
    ({ id }) => id !== parked.id,
  );
  const outcome = await client.call<GroupOutcome>('POST', `/api/runs/groups/${group?.fingerprint}/decide`, {
    action: 'retry',
    patch: { title: 'Paid', body: 'By card' },
    dryRun: false,
    runIds: [other?.id],
  });
  expect(outcome).toMatchObject({ count: 1, done: 1, refused: [] });
  await until(
    'it to succeed',
    async () => (await client.call<RunDetail>('GET', `/api/runs/${other?.id}`)).status === 'succeeded',
  );
});

test('what started a run comes back with its secrets when it was sent back masked', async () => {
  await client.call('POST', `/api/runs/${parked.id}/steps/tell/decide`, { action: 'abort' });
  await until('the run to end', async () => (await client.call<RunDetail>('GET', `/api/runs/${parked.id}`)).finishedAt);
  const given = parked.event?.data as { readonly body: Readonly<Record<string, unknown>> };
  const { runId } = await client.call<{ runId: string }>('POST', `/api/runs/${parked.id}/rerun`, {
    version: 'same',
    input: { ...given, body: { ...given.body, title: 'Corrected' } },
  });
  const { rows } = await up.owner.query<{ data: unknown }>(
    'select events.data from runs join events on events.id = runs.event_id where runs.id = $1',
    [runId],
  );
  expect(rows[0]?.data).toMatchObject({
    body: { title: 'Corrected', access_token: 'hush-hush', text: `Paid with ${CARD}` },
  });
});
