import type { Page as PageOf, RunDetail, TaskDetail, TaskSummary } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { node, publishWebhookFlow, type WebhookFlow } from '../support/webhook-flow.ts';
import { objections, keepPictureOfFailure, see } from './looking.ts';
import { desktop, openStudio, phone, type Studio, type Visit } from './studio.ts';

const OWNER = 'dana@hartwell.example';
const SUB = 'office@cascade-framing.example';
const edge = (from: string, to: string, port = 'out') => ({ id: `${from}:${port}:${to}`, from, port, to });

let studio: Studio;
let client: StudioClient;
let inside: Visit;
let outside: Visit;
let flow: WebhookFlow;

beforeAll(async () => {
  studio = await openStudio();
  client = await studio.up.client();
  flow = await publishWebhookFlow(client, 'Invoice approval', {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'Delivery'),
      ask: node('core.approval', 'Ask for approval', {
        title: '="Pay " & trigger.body.number & " of Cascade Framing?"',
        text: 'Second floor framing at Cedar Ridge, as ordered.\nRetainage is 5 %.',
        facts:
          '=[{ "label": "Vendor", "value": "<img src=x onerror=alert(1)> Cascade" }, { "label": "Project", "value": "Cedar Ridge Lot 14" }]',
        amount: '=trigger.body.total',
        stages: [
          { title: 'Project', approvers: `${OWNER}, ${SUB}`, need: 'all' },
          { title: 'Office', from: '25000', approvers: 'owner' },
        ],
        outcomes: [{ id: 'changes', title: 'Ask for changes' }],
        form: [
          { id: 'code', title: 'Cost code', required: true },
          { id: 'lien', title: 'Lien waiver is in', type: 'yes_no' },
        ],
        comment: 'rejection',
        expiresAfterHours: 72,
      }),
      yes: node('core.notify', 'Say yes', { title: '="Approved by " & steps.ask.decidedBy' }),
      no: node('core.notify', 'Say no', { title: '="Rejected: " & steps.ask.comment' }),
    },
    edges: [edge('incoming', 'ask'), edge('ask', 'yes', 'approved'), edge('ask', 'no', 'rejected')],
  });
  [inside, outside] = await Promise.all([studio.openSignedIn(), studio.open()]);
});
afterAll(async () => {
  await studio[Symbol.asyncDispose]();
});
afterEach(() => expect([...inside.takeTroubles(), ...outside.takeTroubles()]).toEqual([]));

async function asked(number: string, total: string): Promise<TaskSummary> {
  await flow.post(number, { number, total });
  return await until('it to be asked', async () => {
    const { items } = await client.call<PageOf<TaskSummary>>('GET', '/api/tasks?view=open');
    return items.find(({ title }) => title.includes(number));
  });
}

const sideways = async (page: Page): Promise<readonly string[]> =>
  await page.evaluate(() =>
    [document.scrollingElement, document.querySelector('main')]
      .filter((element) => element !== null)
      .filter((element) => element.scrollWidth > Math.min(element.clientWidth, window.innerWidth))
      .map((element) => `${element.tagName} ${element.scrollWidth}`),
  );

/** Keeps a picture for whoever wants to look: PLUMBLINE_PICTURES names a folder. */
const picture = async (page: Page, name: string): Promise<void> => {
  const folder = process.env['PLUMBLINE_PICTURES'];
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
};

async function makeLink(task: TaskSummary): Promise<string> {
  const detail = await client.call<TaskDetail>('GET', `/api/tasks/${task.id}`);
  const seat = detail.stages[0]?.seats.find(({ outside: out }) => out);
  return (await client.call<{ url: string }>('POST', `/api/tasks/${task.id}/seats/${seat?.id}/link`)).url;
}

test('an approval is decided in the studio and by a link, and the run goes on', async () => {
  const task = await asked('INV-2001', '30000');
  const { page } = inside;
  keepPictureOfFailure(page);
  await page.goto('/tasks');
  await see(page.getByRole('link', { name: 'Pay INV-2001 of Cascade Framing?' }));
  // Without a mouse: the list by j, the task by Enter.
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await see(page.getByRole('heading', { name: 'Your decision' }), page.getByText('$30,000.00'));
  await see(page.getByText('<img src=x onerror=alert(1)> Cascade'));

  // The engine says what is missing, beside its field.
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await see(page.getByText('Cost code is missing.'));
  inside.takeTroubles();
  await page.getByLabel('Cost code').fill('06-100');
  await page.getByLabel('Lien waiver is in').selectOption('yes');
  await page.getByLabel('Comment').fill('As ordered.');
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await see(page.getByRole('heading', { name: 'Decisions' }), page.getByText('As ordered.', { exact: true }));

  // The other of the two is outside of the company.
  await page.getByRole('button', { name: 'Make a link…' }).click();
  const dialog = page.getByRole('dialog');
  await see(dialog.getByText('Plumbline does not send e-mail yet', { exact: false }));
  expect(await objections(page), 'the link').toEqual([]);
  await picture(page, 'task-link');
  const address = (await dialog.locator('code').textContent()) ?? '';
  await page.getByRole('button', { name: 'Done' }).click();

  const visitor = outside.page;
  keepPictureOfFailure(visitor);
  await visitor.goto(address);
  await see(visitor.getByText(`Hartwell Homes asks ${SUB}`), visitor.getByText('$30,000.00'));
  expect((await client.call<TaskDetail>('GET', `/api/tasks/${task.id}`)).decisions).toHaveLength(1);
  await visitor.getByLabel('Cost code').fill('06-110');
  await visitor.getByRole('button', { name: 'Approve', exact: true }).click();
  await see(visitor.getByRole('heading', { name: 'Thank you' }));
  await visitor.reload();
  await see(visitor.getByText('You have decided with this link already.'));
  outside.takeTroubles();

  // The second stage is the owner's alone.
  await page.goto(`/runs/${task.runId}`);
  await page.getByRole('link', { name: 'Dana Hartwell' }).click();
  await see(page.getByText('waits for Dana Hartwell').first());
  await page.getByRole('button', { name: 'Reject', exact: true }).click();
  await see(page.getByText('A comment is needed with this answer.'));
  inside.takeTroubles();
  await page.getByLabel('Comment').fill('Over the budget of the lot.');
  await page.getByRole('button', { name: 'Reject', exact: true }).click();
  await see(page.getByRole('status').filter({ hasText: 'Rejected' }));
  const run = await until('the run to end', async () => {
    const found = await client.call<RunDetail>('GET', `/api/runs/${task.runId}`);
    return found.finishedAt !== null && found;
  });
  expect(run.steps.find(({ nodeId }) => nodeId === 'ask')?.port).toBe('rejected');
});

describe.each([
  ['light', desktop],
  ['dark', desktop],
  ['light', phone],
  ['dark', phone],
] as const)('in %s colours', (colorScheme, size) => {
  test(`nothing is in the way at ${size.width} px`, async () => {
    const number = `INV-3${colorScheme === 'dark' ? 1 : 0}${size.width}`;
    const task = await asked(number, '12480.50');
    const name = `${colorScheme}-${size.width}`;
    for (const { page } of [inside, outside]) {
      keepPictureOfFailure(page);
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme });
    }
    const { page } = inside;
    for (const [path, ready, place] of [
      ['/tasks', page.getByRole('link', { name: new RegExp(number) }), 'tasks'],
      ['/tasks?view=decided', page.getByRole('link', { name: /INV-2001/ }), 'decided'],
      [`/tasks/${task.id}`, page.getByRole('heading', { name: 'Your decision' }), 'task'],
      [`/runs/${task.runId}`, page.getByText('Waits for').first(), 'run'],
    ] as const) {
      await page.goto(path);
      await see(ready);
      expect(await objections(page), place).toEqual([]);
      expect(await sideways(page), place).toEqual([]);
      await picture(page, `${place}-${name}`);
    }
    await page.goto(`/tasks/${task.id}`);
    await page.getByRole('button', { name: 'Hand it to somebody else…' }).click();
    await see(page.getByRole('dialog').getByLabel('Colleague'));
    expect(await objections(page), 'handing on').toEqual([]);
    await page.keyboard.press('Escape');

    await outside.page.goto(await makeLink(task));
    await see(outside.page.getByRole('button', { name: 'Ask for changes' }));
    expect(await objections(outside.page), 'the page of a link').toEqual([]);
    expect(await sideways(outside.page), 'the page of a link').toEqual([]);
    await picture(outside.page, `approve-${name}`);
  });
});
