import type { Page as PageOf, RunDetail, RunSummary } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';
import { eventually, gone, keepPictureOfFailure, see } from './looking.ts';
import { openStudio, type Studio, type Visit } from './studio.ts';

let studio: Studio;
let client: StudioClient;
let visit: Visit;
let flow: WebhookFlow;
let runId: string;

const edge = (from: string, to: string, port = 'out') => ({ id: `${from}:${port}:${to}`, from, port, to });

beforeAll(async () => {
  studio = await openStudio();
  client = await studio.up.client();
  flow = await publishWebhookFlow(client, 'Tells each code', {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'Delivery'),
      lines: node('core.for-each', 'For each line', { items: '=trigger.body.lines' }),
      tell: { ...node('core.notify', 'Tell the office', { title: '=loop.item.code', body: 'x' }), parent: 'lines' },
      next: { ...node('core.next-item', 'Next line'), parent: 'lines' },
    },
    edges: [edge('incoming', 'lines'), edge('lines', 'tell', 'each'), edge('tell', 'next')],
  });
  await flow.post('one', { number: 'PO-7781', api_key: 'hush-hush', lines: [{ code: '01' }, {}, { code: '03' }] });
  runId = await until('the run to be parked', async () => {
    const { items } = await client.call<PageOf<RunSummary>>('GET', '/api/runs?status=parked');
    return items[0]?.id;
  });
  visit = await studio.openSignedIn();
});
afterAll(async () => {
  await studio[Symbol.asyncDispose]();
});
afterEach(() => expect(visit.takeTroubles()).toEqual([]));

describe('a run that needs a person', () => {
  test('shows the round of the loop with the trouble, and what led there with its secrets masked', async () => {
    const { page } = visit;
    keepPictureOfFailure(page);
    await page.goto(`/runs/${runId}`);
    await see(page.getByRole('button', { name: 'Round 2' }), page.getByRole('heading', { name: 'Attempts' }));
    await page.getByRole('button', { name: /Delivery/ }).click();
    await see(page.getByRole('region', { name: 'Output' }).getByText('body'));
    expect(await page.content()).not.toContain('hush-hush');
  });

  test('goes on with an edited input, whose problems are shown while it is written', async () => {
    const { page } = visit;
    keepPictureOfFailure(page);
    await page.goto(`/runs/${runId}`);
    await page.getByRole('button', { name: 'Edit input and retry…' }).click();
    const input = page.getByLabel('Input (JSON)');
    const retry = page.getByRole('button', { name: 'Retry with this input' });
    await input.fill('{"titel": "02"}');
    await see(page.getByText('Do you mean "title"?'));
    expect(await retry.isDisabled()).toBe(true);
    await input.fill('{"title": "02", "body": "x"}');
    await retry.click();
    await gone(page.getByRole('dialog'));
    await eventually(async () => (await client.call<RunDetail>('GET', `/api/runs/${runId}`)).status, 'succeeded');
    await see(page.getByText('3: 3 done'));
  });
});

test('a round that is not listed is opened by its number, and the address leads there', async () => {
  const { page } = visit;
  keepPictureOfFailure(page);
  const { owner } = studio.up;
  await owner.query(
    `insert into steps (company_id, run_id, node_id, iteration, status, attempt, started_at, finished_at, closed)
     select company_id, id, 'tell', n::text, 'succeeded', 1, now(), now(), true from runs cross join generate_series(3, 2999) n where id = $1`,
    [runId],
  );
  await owner.query(
    `update steps set output = jsonb_set(output, '{count}', '3000') where run_id = $1 and node_id = 'lines'`,
    [runId],
  );
  await page.goto(`/runs/${runId}`);
  const number = page.getByLabel('Round of “For each line”, 1 to 3,000');
  await number.fill('3001');
  await number.press('Enter');
  await see(page.getByText('Give a number from 1 to 3,000.'));
  await number.fill('2,950');
  await number.press('Enter');
  await see(page.getByRole('button', { name: 'Round 2950', expanded: true }));
  await eventually(() => new URL(page.url()).search, '?loop=lines&round=2950');
  await page.reload();
  await see(page.getByRole('button', { name: 'Round 2950', expanded: true }));
  await owner.query(`delete from steps where run_id = $1 and iteration = '2949'`, [runId]);
  await page.reload();
  await see(page.getByText('Round 2,950 is not there'));
});

test('a run is found by a number that came with it; the address holds what the list is narrowed by', async () => {
  const { page } = visit;
  keepPictureOfFailure(page);
  await until(
    'it to be noted',
    async () => (await client.call<PageOf<RunSummary>>('GET', '/api/runs?q=po-7781')).items[0],
  );
  await page.goto('/runs');
  await page.getByLabel('Search runs').fill('po-77');
  const token = page.getByRole('button', { name: 'Remove “po-77”' });
  await see(token, page.getByRole('link', { name: 'Webhook' }));
  await eventually(() => new URL(page.url()).searchParams.get('q'), 'po-77');
  await page.getByLabel('Search runs').blur();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/runs/${runId}`);
  await page.goBack();
  await token.click();
  await gone(token);
});

test('two versions are compared field by field, and the old one is published again', async () => {
  const { page } = visit;
  keepPictureOfFailure(page);
  const { name, draft, revision } = await client.call<{ name: string; draft: { nodes: object }; revision: number }>(
    'GET',
    `/api/flows/${flow.id}`,
  );
  const tell = { ...node('core.notify', 'Tell everybody', { title: '=loop.item.code', body: 'y' }), parent: 'lines' };
  const document = { ...draft, nodes: { ...draft.nodes, tell } };
  await client.call('PUT', `/api/flows/${flow.id}/draft`, { name, document }, { 'If-Match': `"${revision}"` });

  await page.goto(`/flows/${flow.id}`);
  await page.getByRole('button', { name: 'Publish' }).click();
  await see(page.getByRole('dialog').getByText('by Dana Hartwell'));
  await page.getByRole('button', { name: 'Publish version 2' }).click();
  await gone(page.getByRole('dialog'));

  await page.goto(`/flows/${flow.id}/versions?from=1&to=2`);
  const changes = page.getByRole('list', { name: 'Changes' });
  await see(
    changes.getByText('Tell everybody').first(),
    changes.locator('del').getByText('x', { exact: true }),
    changes.locator('ins').getByText('y', { exact: true }),
  );
  await page.getByRole('button', { name: 'Roll back to version 1' }).click();
  await page.getByRole('button', { name: 'Roll back', exact: true }).click();
  await see(page.getByText('Version 3 is live: it is what version 1 was.'), page.getByText('Back to version 1'));
});
