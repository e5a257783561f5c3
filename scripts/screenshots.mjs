/**
 * Draws the pictures of the docs anew: brings up a Plumbline of its own, plays the demo, and looks at it with a browser.
 * Run with Node 24 after a build: `node scripts/screenshots.mjs`.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { playDemo } from '../engine/src/demo/scenario.ts';
import { openStudio } from '../tests/e2e/studio.ts';
import { until } from '../tests/support/until.ts';

const folder = fileURLToPath(new URL('../docs/images', import.meta.url));
const LIMIT_BYTES = 300_000;

mkdirSync(folder, { recursive: true });
await using studio = await openStudio();
const client = await studio.up.client();
const { page } = await studio.openSignedIn({ colorScheme: 'light' });

await takeInstall();
const { run } = await playDemo(studio.up.origin, () => undefined);
const { flowId } = await client.call('GET', `/api/runs/${run}`);
await addCondition();
const large = await approveSome();
await takeEditor();
await takeRun();
await takeRecords();
await takeConnections();

async function takeInstall() {
  for (const connector of ['quickbooks', 'slack']) await client.connectSandbox(connector);
  await page.goto('/templates/approved-invoice-to-quickbooks-bill');
  await page.getByRole('button', { name: 'Continue' }).click();
  for (const [label, option] of [
    ['Expense account', '5210 Lumber and Trusses'],
    ['Slack channel', 'accounts-payable'],
  ]) {
    await page.getByRole('combobox', { name: label }).click();
    await page.getByRole('option', { name: option }).click();
  }
  await page.getByRole('heading', { name: 'Install', exact: true }).click();
  await take('install-light');
}

/** What a newcomer does next: large bills go to the team as well. */
async function addCondition() {
  const { name, draft, revision } = await client.call('GET', `/api/flows/${flowId}`);
  const { nodes, edges, positions } = draft;
  const expression = (source) => ({ kind: 'expression', source });
  const document = {
    ...draft,
    nodes: {
      ...nodes,
      large: {
        type: 'core.if',
        version: 1,
        name: 'Over 10,000?',
        inputs: {
          condition: expression('($exists(trigger.record.total) and $moneyCompare(trigger.record.total, "10000") > 0)'),
        },
      },
      team: {
        type: 'core.notify',
        version: 1,
        name: 'Tell the owner',
        inputs: {
          title: expression('trigger.record.number & " is over 10,000"'),
          body: expression('trigger.record.vendorName & ", " & trigger.record.projectName'),
        },
      },
    },
    edges: [
      ...edges.filter(({ id }) => id !== 'bill:out:message'),
      { id: 'bill:out:large', from: 'bill', port: 'out', to: 'large' },
      { id: 'large:then:team', from: 'large', port: 'then', to: 'team' },
      { id: 'large:else:message', from: 'large', port: 'else', to: 'message' },
    ],
    positions: {
      ...positions,
      large: { x: 0, y: 450 },
      team: { x: -150, y: 620 },
      message: { x: 150, y: 620 },
    },
  };
  await client.call('PUT', `/api/flows/${flowId}/draft`, { name, document }, { 'If-Match': `"${revision}"` });
  await client.call('POST', `/api/flows/${flowId}/publish`, { note: 'Large bills are told to the owner' });
}

/** Approves invoices, a large one last. @returns its run */
async function approveSome() {
  const { items } = await client.call('GET', '/api/records/vendor_invoice?status=submitted');
  const [over] = items
    .filter(({ data }) => Number(data.total) > 10_000)
    .toSorted((a, b) => a.data.lines.length - b.data.lines.length);
  const chosen = [...items.filter((item) => item !== over).slice(0, 4), over];
  let last;
  for (const { id } of chosen) {
    await client.call('POST', `/api/records/vendor_invoice/${id}/status`, { to: 'approved' });
    last = await until('the run to end', async () => {
      const { runs } = await client.call('GET', `/api/records/vendor_invoice/${id}`);
      return runs.find(({ status }) => status === 'succeeded');
    });
  }
  return last;
}

async function takeEditor() {
  await page.goto(`/flows/${flowId}`);
  await page.getByRole('button', { name: 'Runs', exact: true }).click();
  await page.getByText('The canvas shows version 2').waitFor();
  await page.locator('.svelte-flow__node').filter({ hasText: 'Create the bill' }).click();
  await page.getByRole('complementary', { name: 'Step' }).getByText('Output').waitFor();
  await page.getByRole('button', { name: 'Fit the flow' }).click();
  await take('editor-light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await take('editor-dark');
  await page.emulateMedia({ colorScheme: 'light' });
}

async function takeRun() {
  await page.goto(`/runs/${large.id}`);
  await page.getByRole('button', { name: 'Create the bill' }).click();
  await page.getByRole('region', { name: 'Output' }).waitFor();
  await take('run-light');
}

async function takeRecords() {
  await page.goto('/records/vendor_invoice?q=Lot+15,+Fern');
  await page
    .getByRole('button', { name: /^Approve / })
    .first()
    .waitFor();
  await take('records-light');
}

async function takeConnections() {
  await page.goto('/settings/integrations');
  await page.getByText('Hartwell Homes LLC').first().waitFor();
  await take('connections-light');
}

/** Takes the picture once nothing loads or moves any more, and with nothing of the moment on it. */
async function take(name) {
  await page.mouse.move(0, 899);
  await page.evaluate(async () => {
    document.activeElement?.blur();
    await document.fonts.ready;
    const moving = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().iterations !== Infinity);
    await Promise.all(moving.map(({ finished }) => finished.catch(() => undefined)));
  });
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path });
  const { size } = statSync(path);
  console.log(`  ${name.padEnd(18)} ${Math.round(size / 1_000)} kB`);
  if (size > LIMIT_BYTES) throw new Error(`${name}.png is larger than ${LIMIT_BYTES / 1_000} kB.`);
}
