import { createOwner } from '@plumbline/engine/auth/people';
import type { FlowDetail, FlowVersionDetail, FlowVersionSummary, Problem, Rerun } from '@plumbline/engine/contract';
import { StudioClient } from '@plumbline/engine/demo/studio-client';
import type { FlowDocument } from '@plumbline/workflows/flow';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';

let up: TestPlatform;
let dana: StudioClient;
let ben: StudioClient;
let flow: WebhookFlow;

beforeAll(async () => {
  up = await testPlatform();
  dana = await up.client();
  const pool = new pg.Pool({ connectionString: up.roleUrl('auth'), options: '-c search_path=auth', max: 1 });
  const person = { name: 'Ben Ortiz', email: 'ben@hartwell.example', password: 'a-long-enough-word' };
  await createOwner(pool, { ...person, company: 'Hartwell Homes', slug: 'hartwell-homes' });
  await pool.end();
  ben = new StudioClient(up.origin);
  await ben.call('POST', '/api/session', { email: person.email, password: person.password });
  flow = await publishWebhookFlow(dana, 'Tells the office', {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'Delivery'),
      tell: node('core.notify', 'Tell the office', { title: 'One', body: '=trigger.body.text' }),
    },
    edges: line('incoming', 'tell'),
  });
});
afterAll(async () => {
  await up[Symbol.asyncDispose]();
});

const read = () => dana.call<FlowDetail>('GET', `/api/flows/${flow.id}`);
const versions = () => dana.call<FlowVersionSummary[]>('GET', `/api/flows/${flow.id}/versions`);
async function change(who: StudioClient, edit: (document: FlowDocument) => FlowDocument): Promise<void> {
  const { name, draft, revision } = await read();
  await who.call(
    'PUT',
    `/api/flows/${flow.id}/draft`,
    { name, document: edit(draft) },
    { 'If-Match': `"${revision}"` },
  );
}
const titled = (title: string) => (document: FlowDocument) => ({
  ...document,
  nodes: { ...document.nodes, tell: node('core.notify', 'Tell the office', { title, body: '=trigger.body.text' }) },
});
const namesOf = (entries: readonly { readonly name: string }[] | undefined) => entries?.map(({ name }) => name);

test('a flow’s changes since the live version name everybody who made them, and go with the version', async () => {
  await change(ben, titled('Two'));
  await change(dana, titled('Three'));
  await change(ben, (document) => ({
    ...document,
    nodes: { ...document.nodes, extra: node('core.map', 'Extra', { value: '1' }) },
    edges: line('incoming', 'extra', 'tell'),
  }));
  const { authors } = await read();
  expect(namesOf(authors['step:tell'])).toEqual(['Dana Hartwell', 'Ben Ortiz']);
  expect(namesOf(authors['step:extra'])).toEqual(['Ben Ortiz']);
  await dana.call('POST', `/api/flows/${flow.id}/publish`, { note: 'Three, with an extra' });
  expect((await read()).authors).toEqual({});
  const [latest] = await versions();
  expect(latest).toMatchObject({ number: 2, publishedBy: 'Dana Hartwell', note: 'Three, with an extra' });
  expect(namesOf(latest?.authors['step:extra'])).toEqual(['Ben Ortiz']);
});

test('moving a step is nobody’s change', async () => {
  await change(ben, (document) => ({ ...document, positions: { tell: { x: 9, y: 9 } } }));
  expect((await read()).authors).toEqual({});
});

describe('rolling back', () => {
  const publishAgain = (number: number, body: object = {}) =>
    dana.fetch('POST', `/api/flows/${flow.id}/versions/${number}/publish`, body);

  test('publishes an old version under a new number, and a draft without changes of its own follows', async () => {
    await dana.call('POST', `/api/flows/${flow.id}/publish`, { note: 'Moved' });
    const answer = await publishAgain(1);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ number: 4, note: 'Back to version 1' });
    const one = await dana.call<FlowVersionDetail>('GET', `/api/flows/${flow.id}/versions/1`);
    const four = await dana.call<FlowVersionDetail>('GET', `/api/flows/${flow.id}/versions/4`);
    expect(four.document).toEqual(one.document);
    expect(four.planHash).toBe(one.planHash);
    expect(await read()).toMatchObject({ publishedVersion: 4, hasUnpublishedChanges: false, draft: one.document });
  });

  test('leaves a draft with changes of its own alone', async () => {
    await change(ben, titled('Mine'));
    expect((await publishAgain(2, { note: 'Two was better' })).status).toBe(200);
    const after = await read();
    expect(after).toMatchObject({ publishedVersion: 5, hasUnpublishedChanges: true });
    expect(after.draft.nodes['tell']?.inputs['title']).toEqual({ kind: 'literal', value: 'Mine' });
    expect(namesOf(after.authors['step:tell'])).toEqual(['Ben Ortiz']);
  });

  test('to what is live, or to what there never was, is refused', async () => {
    for (const [number, status] of [
      [5, 409],
      [99, 404],
    ] as const) {
      const answer = await publishAgain(number);
      expect([answer.status, ((await answer.json()) as Problem).fix]).toEqual([status, expect.stringMatching(/\w/)]);
    }
  });
});

test('a run goes on in its version while others are published, and is counted there until it ends', async () => {
  const title = (text: string) => (document: FlowDocument) => titled(text)({ ...document });
  await change(dana, title('=trigger.body.title'));
  await dana.call('POST', `/api/flows/${flow.id}/publish`, {});
  const live = (await read()).publishedVersion;
  await flow.post('drain', { text: 'no title' });
  const parked = await until('the run to be parked', async () => {
    const { items } = await dana.call<{ items: { id: string }[] }>('GET', `/api/runs?flowId=${flow.id}&status=parked`);
    return items[0];
  });
  await change(dana, title('Always'));
  await dana.call('POST', `/api/flows/${flow.id}/publish`, {});
  const openIn = async () => (await versions()).find(({ number }) => number === live)?.openRuns;
  expect(await openIn()).toBe(1);
  await dana.call('POST', `/api/runs/${parked.id}/steps/tell/decide`, { action: 'abort' });
  await until('the version to be drained', async () => (await openIn()) === 0);

  // What running it again in today's version would take over and do, and what has changed since.
  const preview = await dana.call<Rerun>('POST', `/api/runs/${parked.id}/rerun`, {
    version: 'current',
    from: 'tell',
    dryRun: true,
  });
  expect(preview).toMatchObject({
    runId: null,
    again: [{ nodeId: 'tell', since: 'changed', writes: true }],
    gone: [],
  });
});

describe('publishing', () => {
  const publish = (revision?: number | string) =>
    dana.fetch(
      'POST',
      `/api/flows/${flow.id}/publish`,
      {},
      revision === undefined ? {} : { 'If-Match': `"${revision}"` },
    );
  const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code];

  test('takes only the revision that was looked at, where one is named; what a colleague saved since stays a draft, and theirs', async () => {
    await change(dana, titled('Looked at'));
    const { revision } = await read();
    await change(ben, titled('Nobody looked'));
    const before = await versions();
    expect(await codeOf(await publish(revision))).toEqual([409, 'revision_conflict']);
    expect(await codeOf(await publish('seven'))).toEqual([422, 'invalid_input']);
    expect(await versions()).toEqual(before);
    const after = await read();
    expect(namesOf(after.authors['step:tell'])).toEqual(['Ben Ortiz', 'Dana Hartwell']);
    expect((await publish(after.revision)).status).toBe(200);
    expect(await read()).toMatchObject({ hasUnpublishedChanges: false, authors: {} });
  });

  test('several times at once, and rolling back at once, makes a version of each', async () => {
    const last = (await read()).publishedVersion ?? 0;
    const back = dana.fetch('POST', `/api/flows/${flow.id}/versions/1/publish`, {});
    const answers = await Promise.all([publish(), publish(), back, publish(), publish()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const numbers = await Promise.all(answers.map(async (one) => ((await one.json()) as { number: number }).number));
    expect(numbers.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5].map((more) => last + more));
  });

  test('while somebody saves, loses nobody’s name: it goes live with the change, or stays with the draft', async () => {
    for (let round = 0; round < 8; round++) {
      await change(dana, titled(`Round ${round}`));
      const { name, draft, revision } = await read();
      const document = titled(`Of Ben, ${round}`)(draft);
      const saving = ben.fetch(
        'PUT',
        `/api/flows/${flow.id}/draft`,
        { name, document },
        { 'If-Match': `"${revision}"` },
      );
      const statuses = (await Promise.all([publish(), saving])).map(({ status }) => status);
      expect(statuses).toEqual([200, 200]);
      const after = await read();
      const [latest] = await versions();
      const holder = after.hasUnpublishedChanges ? after.authors : latest?.authors;
      expect(namesOf(holder?.['step:tell'])).toContain('Ben Ortiz');
    }
  });
});
