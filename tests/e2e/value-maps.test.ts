import type { Page as PageOf, RunDetail, RunSummary, ValueMapDetail } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';
import { objections, eventually, gone, keepPictureOfFailure, see } from './looking.ts';
import { desktop, openStudio, phone, type Studio, type Visit } from './studio.ts';

let studio: Studio;
let client: StudioClient;
let visit: Visit;
let map: ValueMapDetail;
let flow: WebhookFlow;

beforeAll(async () => {
  studio = await openStudio();
  client = await studio.up.client();
  map = await client.call<ValueMapDetail>('POST', '/api/value-maps', {
    name: 'Cost codes',
    description: 'Ours to the accounts in QuickBooks',
    columns: [
      { id: 'code', title: 'Cost code', type: 'text', key: true },
      { id: 'account', title: 'Account', type: 'text', key: false },
      { id: 'rate', title: 'Tax rate', type: 'number', key: false },
      { id: 'taxed', title: 'Taxed', type: 'boolean', key: false },
    ],
    rows: Array.from({ length: 130 }, (_, index) => ({
      code: `03-${100 + index}`,
      account: `${5_100 + index}`,
      rate: 8.25,
      taxed: index % 3 === 0,
    })),
  });
  flow = await publishWebhookFlow(client, 'Bills by cost code', {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'Delivery'),
      find: node('core.lookup', 'Find the account', {
        source: 'map',
        map: { id: map.id, name: map.name },
        value: '=trigger.body.code',
      }),
    },
    edges: line('incoming', 'find'),
  });
  visit = await studio.openSignedIn({ permissions: ['clipboard-read', 'clipboard-write'] });
});
afterAll(async () => {
  await studio[Symbol.asyncDispose]();
});
afterEach(() => expect(visit.takeTroubles()).toEqual([]));

async function open(path: string): Promise<Page> {
  const { page } = visit;
  keepPictureOfFailure(page);
  await page.goto(path);
  return page;
}
const read = () => client.call<ValueMapDetail>('GET', `/api/value-maps/${map.id}`);
/** A picture for people, where one is asked for. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['PLUMBLINE_PICTURES'];
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}

test('a value map is made, filled with what a spreadsheet copied, and saved, with the keyboard alone', async () => {
  const page = await open('/value-maps');
  await see(page.getByRole('link', { name: 'Cost codes' }));
  await page.getByRole('button', { name: 'New value map' }).press('Enter');
  await page.getByLabel('Name').fill('Vendors');
  await page.getByLabel('Key', { exact: true }).fill('Vendor');
  await page.getByLabel('Values').fill('Class, Location');
  await page.keyboard.press('Enter');
  await see(page.getByRole('heading', { name: 'Vendors' }));
  await page.getByRole('button', { name: 'Add a row' }).press('Enter');
  await eventually(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Vendor, row 1');
  await page.evaluate(() =>
    navigator.clipboard.writeText('Vendor\tClass\tLocation\nCascade\tFraming\tNorth\nAcme\tRoofing\t'),
  );
  await page.keyboard.press('ControlOrMeta+v');
  await eventually(() => page.getByLabel('Class, row 2').inputValue(), 'Roofing');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.type('cascade');
  await see(page.getByText('has the key "cascade" again'));
  await page.getByRole('button', { name: 'Remove row 3' }).press('Enter');
  await page.getByRole('button', { name: 'Save…' }).press('Enter');
  await see(page.getByText('2 rows added, 0 changed, 0 removed'));
  await page.getByLabel('Note').fill('From the list of March');
  await page.getByRole('button', { name: 'Save', exact: true }).press('Enter');
  await see(page.getByText('Version 2, 2 rows'));
  await page.getByRole('tab', { name: 'History' }).click();
  await see(page.getByText('From the list of March'));
});

test('two who save are told of each other, and what is not saved is not left by mistake', async () => {
  const page = await open(`/value-maps/${map.id}`);
  await page.getByLabel('Account, row 1', { exact: true }).fill('5999');
  const theirs = await read();
  await client.call(
    'PUT',
    `/api/value-maps/${map.id}`,
    {
      ...{ name: theirs.name, description: theirs.description, columns: theirs.columns },
      rows: theirs.rows.slice(0, 129),
    },
    { 'If-Match': `"${theirs.version}"` },
  );
  await page.getByRole('link', { name: 'Value maps' }).first().click();
  await see(page.getByRole('dialog', { name: 'Leave without saving?' }));
  await page.getByRole('button', { name: 'Stay' }).click();
  await page.getByRole('button', { name: 'Save…' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await see(page.getByText('saved by somebody else meanwhile'));
  visit.takeTroubles();
  await page.getByRole('button', { name: 'Load theirs, and lose my changes' }).click();
  await see(page.getByText('Version 2, 129 rows'));
  await eventually(() => page.getByLabel('Account, row 1', { exact: true }).inputValue(), '5100');
});

test('a file is looked at before its rows are put into the table', async () => {
  const page = await open(`/value-maps/${map.id}`);
  await page.getByRole('button', { name: 'Import…' }).click();
  await page.getByLabel('CSV file').setInputFiles({
    name: 'codes.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from('Cost code;Account\n03-100;5150\n09-900;5900\n'),
  });
  await see(page.getByText('1 row added, 1 changed, 0 removed, 128 as before'));
  expect(await objections(page)).toEqual([]);
  await picture(page, 'import');
  await page.getByRole('button', { name: 'Put into the table' }).click();
  await eventually(() => page.getByLabel('Account, row 1', { exact: true }).inputValue(), '5150');
  await page.getByRole('button', { name: 'Save…' }).click();
  await picture(page, 'save');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await see(page.getByText('Version 3, 130 rows'));
  await page.getByRole('tab', { name: 'History' }).click();
  await page.getByRole('button', { name: 'What changed in version 3' }).click();
  await see(page.getByRole('region', { name: 'Rows that change' }));
  expect(await objections(page)).toEqual([]);
  await picture(page, 'history');
  await page.getByRole('button', { name: 'Go back to version 1' }).click();
  await page.getByRole('button', { name: 'Go back to it', exact: true }).click();
  await see(page.getByText('Version 4, 130 rows'));
  await page.getByRole('tab', { name: 'Used by' }).click();
  await see(page.getByRole('link', { name: 'Bills by cost code' }));
  await page.getByRole('button', { name: 'Settings…' }).click();
  await page.getByRole('button', { name: 'Delete it…' }).click();
  await page.getByRole('button', { name: 'Delete it', exact: true }).click();
  await see(page.getByText('is used by "Bills by cost code"'));
  visit.takeTroubles();
});

test('a run that misses a row leads to the value map, and goes on once it is there', async () => {
  await flow.post('missing', { code: '77-777' });
  const run = await until('a run that waits', async () => {
    const { items } = await client.call<PageOf<RunSummary>>('GET', `/api/runs?flowId=${flow.id}&status=parked`);
    return items[0];
  });
  const page = await open(`/runs/${run.id}`);
  await see(page.getByRole('link', { name: 'Add the row to “Cost codes”' }));
  await picture(page, 'run');
  await page.getByRole('link', { name: 'Add the row to “Cost codes”' }).click();
  await see(page.getByText('Fill in the values for “77-777”'));
  await eventually(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Account, row 131');
  await page.keyboard.type('5777');
  await picture(page, 'missing-row');
  await page.getByRole('button', { name: 'Save…' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await see(page.getByText('131 rows'));
  await page.getByRole('link', { name: 'Back to the run' }).click();
  await page.getByRole('button', { name: 'Retry', exact: true }).click();
  const done = await until('the end', async () => {
    const now = await client.call<RunDetail>('GET', `/api/runs/${run.id}`);
    return now.status === 'succeeded' ? now : undefined;
  });
  expect(done.steps.find(({ nodeId }) => nodeId === 'find')?.output).toMatchObject({ value: '5777' });
});

test('the step’s form chooses the value map and its column', async () => {
  const page = await open(`/flows/${flow.id}`);
  await page.locator('.svelte-flow__node').filter({ hasText: 'Find the account' }).click();
  const panel = page.getByRole('complementary', { name: 'Step' });
  await see(panel.getByRole('link', { name: 'Open “Cost codes”' }));
  await panel.getByRole('combobox', { name: 'Column' }).click();
  await page.getByRole('option', { name: /Tax rate/ }).click();
  await eventually(() => panel.getByRole('combobox', { name: 'Column' }).inputValue(), 'Tax rate');
  expect(await objections(page)).toEqual([]);
  await picture(page, 'step');
  await see(page.getByText(/^Saved/).first());
});

test('events that have not begun are looked at, dropped for a reason, and put back', async () => {
  const { owner } = studio.up;
  await owner.query(
    `insert into events (company_id, kind, key, dedupe_key, data, next_attempt_at)
     select company_id, 'webhook', key, 'held:' || n, jsonb_build_object('body', jsonb_build_object('code', '03-10' || n)), now() + interval '1 hour'
       from subscriptions, generate_series(1, 4) n where flow_id = $1 and kind = 'webhook'`,
    [flow.id],
  );
  const page = await open('/queue');
  await page.getByRole('button', { name: 'Drop: Bills by cost code' }).click();
  await see(page.getByText('4 events, for Bills by cost code'));
  await page.getByLabel('Only those with').fill('03-102');
  await see(page.getByText('1 event, for Bills by cost code'));
  await page.getByLabel('Only those with').fill('');
  await see(page.getByText('4 events, for Bills by cost code'));
  await page.getByRole('checkbox').first().check();
  await page.getByRole('checkbox').nth(1).check();
  await page.getByLabel('Reason').fill('Sent by mistake');
  expect(await objections(page)).toEqual([]);
  await picture(page, 'drop');
  await page.getByRole('button', { name: 'Drop 2 events' }).click();
  await see(page.getByRole('heading', { name: /Dropped by hand/ }), page.getByText('2 events wait for their turn'));
  await picture(page, 'queue');
  expect(await objections(page)).toEqual([]);
  await page.goto('/health');
  await see(page.getByRole('link', { name: 'Dropped by hand' }), page.getByText('It ties').first());
  await page.goto('/queue');
  await page.getByRole('button', { name: /^Put back: 2 events/ }).click();
  await see(page.getByText('put back by Dana Hartwell'));
  await owner.query(`delete from events where status = 'pending'`);
});

describe.each([
  ['wide and light', desktop, 'light'],
  ['wide and dark', desktop, 'dark'],
  ['narrow and light', phone, 'light'],
  ['narrow and dark', phone, 'dark'],
] as const)('%s', (name, size, colorScheme) => {
  test('the list, the table and its history read well, and nothing is wider than the page', async () => {
    await visit.page.setViewportSize(size);
    await visit.page.emulateMedia({ colorScheme });
    for (const [path, ready] of [
      ['/value-maps', 'link'],
      [`/value-maps/${map.id}`, 'textbox'],
    ] as const) {
      const page = await open(path);
      await see(
        ready === 'link'
          ? page.getByRole('link', { name: 'Cost codes' })
          : page.getByLabel('Account, row 1', { exact: true }),
      );
      expect(await objections(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      await picture(page, `${ready === 'link' ? 'list' : 'table'} ${name}`);
    }
    const { page } = visit;
    await page.getByRole('tab', { name: 'History' }).click();
    await see(page.getByText('answers now'));
    expect(await objections(page)).toEqual([]);
    await gone(page.getByRole('dialog'));
    await picture(page, `versions ${name}`);
  });
});
