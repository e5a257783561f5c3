import { execFileSync } from 'node:child_process';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFailed, test } from 'vitest';
import { eventually, gone, keepPictureOfFailure, see } from './looking.ts';
import { openStudio, type Studio, type Visit } from './studio.ts';

const invoiceFlow = 'Approved invoice → QuickBooks bill, and tell Slack';
const webhookFlow = 'Any system → Slack message';

let studio: Studio;
let visit: Visit;
let page: Page;
let failed = false;

/** What the tour leaves behind for its later parts. */
let invoice = '';
let bill = '';
let firstRun = '';

beforeAll(async () => {
  studio = await openStudio();
  visit = await studio.open();
  ({ page } = visit);
});
afterAll(async () => {
  await studio[Symbol.asyncDispose]();
});
beforeEach(({ skip }) => {
  // Each part goes on where the one before it ended.
  skip(failed, 'an earlier part of the tour failed');
  onTestFailed(() => {
    failed = true;
  });
  keepPictureOfFailure(page);
});
afterEach(() => {
  expect(visit.takeTroubles(), 'errors in the console and requests that failed').toEqual([]);
});

const rail = (name: string): Locator => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name });
const button = (name: string | RegExp): Locator => page.getByRole('button', { name });
const heading = (name: string | RegExp): Locator => page.getByRole('heading', { name });
const step = (name: string): Locator =>
  page.getByRole('region', { name: 'Steps of the run' }).getByRole('button', { name });
const card = (name: string): Locator =>
  page.getByRole('region', { name: 'Canvas' }).locator('.svelte-flow__node').filter({ hasText: name });

/** The panel of the step that is open in the editor. */
const panel = (): Locator => page.getByRole('complementary', { name: 'Step' });
const field = (name: string): Locator => panel().getByRole('group', { name: new RegExp(`^${name}`) });
/** On the page of a run: which version ran. */
const version = (number: number): Locator => page.getByText(`version ${number}`, { exact: true });
const showBill = (): Locator => page.getByRole('link', { name: /^Show bill \d+/ });

async function choose(label: string, option: string): Promise<void> {
  await page.getByRole('combobox', { name: label }).click();
  await page.getByRole('option', { name: option }).click();
}

async function pickData(title: string, words: string, entry: RegExp): Promise<void> {
  const picker = page.getByRole('dialog', { name: `Data for ${title}` });
  await picker.getByRole('combobox', { name: 'Search data' }).fill(words);
  await picker.getByRole('treeitem', { name: entry }).click();
}

/** The vendor invoices that wait for approval. */
async function openInvoices(): Promise<void> {
  await rail('Records').click();
  await page.getByRole('link', { name: 'Vendor invoices' }).click();
  await page.getByRole('combobox', { name: 'Status' }).selectOption('submitted');
  await see(button(/^Approve INV-/).first());
  await eventually(async () => (await page.getByRole('row').count()) - (await button(/^Approve INV-/).count()), 1);
}

/** Approves an invoice of the list whose total is as wanted. @returns its number */
async function approveOne(wanted: (total: number) => boolean): Promise<string> {
  await openInvoices();
  for (const row of await page
    .getByRole('row')
    .filter({ has: button(/^Approve INV-/) })
    .all()) {
    const total = Number(/\$([\d,]+\.\d\d)/.exec(await row.innerText())?.[1]?.replaceAll(',', ''));
    if (!wanted(total)) continue;
    const number = await row.getByRole('link').first().innerText();
    await row.getByRole('button', { name: `Approve ${number}` }).click();
    return number;
  }
  throw new Error('No invoice in the list has such a total.');
}

/** Opens the run about something from the page of runs, once it has appeared there by itself and succeeded. */
async function openRunAbout(subject: string): Promise<void> {
  await rail('Runs').click();
  const row = page.getByRole('row').filter({ hasText: subject });
  await see(row.getByText('Done'));
  await row.getByRole('link').click();
  await see(heading(subject));
}

async function statusOf(name: string): Promise<string> {
  return await step(name).locator('[data-status]').innerText();
}

/** Typing that takes longer is undone in more than one step. */
async function whileItSays(name: 'Undo' | 'Redo', title: string): Promise<void> {
  do await button(name).click();
  while ((await button(name).getAttribute('title')) === title);
}

describe('a newcomer', () => {
  test('enters the demo company with one press', async () => {
    await page.goto('/');
    await button('Try the demo company').click();
    await see(heading('No flows yet'));
  });

  test('installs the invoice template through both consent pages', async () => {
    await rail('Templates').click();
    await page.getByRole('link', { name: invoiceFlow }).click();
    for (const [title, account] of [
      ['QuickBooks Online', 'Hartwell Homes LLC'],
      ['Slack', 'Hartwell Homes'],
    ] as const) {
      await button(`Connect ${title} sandbox`).click();
      await see(heading(`${title} sandbox`));
      await page.getByRole('radio', { name: account }).check();
      await button('Approve').click();
      await see(page.getByRole('group', { name: title }).getByRole('radio', { name: account, checked: true }));
    }
    await button('Continue').click();
    await choose('Expense account', 'Framing Labor');
    await choose('Slack channel', 'accounts-payable');
    await button('Continue').click();
    await button('Install and turn on').click();
    await see(heading(invoiceFlow), page.getByRole('switch', { name: `${invoiceFlow} is on`, checked: true }));
    await see(card('An invoice is approved'), card('Create the bill'), card('Tell the channel'));
  });

  test('approves an invoice, and its run appears and succeeds while the page is open', async () => {
    await openInvoices();
    const number = await button(/^Approve INV-/)
      .first()
      .getAttribute('aria-label');
    invoice = number?.replace('Approve ', '') ?? '';
    await page.getByRole('link', { name: invoice }).click();
    await page.evaluate(() => Object.assign(window, { neverReloaded: true }));
    await see(page.getByText('No flow has run about it.'));
    await button('Approve').click();
    const row = page.getByRole('row').filter({ hasText: invoiceFlow });
    await see(row.getByText('Done'), showBill());
    expect(await page.evaluate(() => 'neverReloaded' in window)).toBe(true);
    bill = /Show bill (\d+)/.exec((await showBill().textContent()) ?? '')?.[1] ?? '';
    await row.getByRole('link').click();
    await see(heading(invoice), version(1));
    firstRun = page.url();
  });

  test('sees what went into each step, what came out, and how long it took', async () => {
    for (const name of ['An invoice is approved', 'Find or create the vendor', 'Create the bill', 'Tell the channel']) {
      await see(step(name));
      expect(await step(name).innerText()).toMatch(/\d\s?m?s|started it/);
    }
    const chosen = page.getByRole('region', { name: 'The chosen step' });
    const input = chosen.getByRole('region', { name: 'Input' });
    const output = chosen.getByRole('region', { name: 'Output' });
    await step('Create the bill').click();
    await see(
      chosen.getByRole('heading', { name: 'Create the bill' }),
      input.getByText(invoice),
      output.getByText(invoice),
    );
    await see(output.getByRole('listitem').filter({ hasText: new RegExp(`^id\\s*${bill}$`) }));
    await step('Tell the channel').click();
    await see(input.getByText(`Bill ${invoice} for`), output.getByText(/^\d{10}\.\d{6}$/));
  });

  test('finds the bill and the message in the vendors’ own pages', async () => {
    await page.getByRole('link', { name: 'Open record' }).click();
    const [books] = await Promise.all([page.waitForEvent('popup'), showBill().click()]);
    await see(books.getByText(invoice).first());
    await books.goto('/sandbox/slack/ui');
    await books.getByRole('link', { name: 'accounts-payable' }).click();
    await see(books.getByText(`Bill ${invoice} for`));
    await books.close();
  });

  test('adds a condition with the plus on a line', async () => {
    await page.goto(firstRun);
    await page.getByRole('link', { name: 'Open flow' }).click();
    await button('Add a step between Create the bill and Tell the channel').click();
    await page.getByRole('combobox', { name: 'Search steps' }).fill('condition');
    await page.getByRole('option', { name: /^Condition/ }).click();
    await panel().getByRole('textbox', { name: 'Name of the step' }).fill('Over 10,000?');
    await panel().getByRole('button', { name: 'Choose a field' }).click();
    await pickData('condition 1', 'record total', /^Total/);
    await eventually(
      async () => await panel().getByRole('combobox', { name: 'Comparison of condition 1' }).inputValue(),
      'more',
    );
    await panel().getByRole('textbox', { name: 'Value of condition 1' }).fill('10,000');
    await see(
      card('If Total is more than 10,000'),
      panel()
        .getByTestId('preview')
        .getByText(/^(yes|no)$/),
    );
    expect(await panel().getByRole('combobox', { name: 'Values shown are of' }).innerText()).toContain(invoice);
  });

  test('maps a field to data from before, and sees its value on a real invoice', async () => {
    await button('Add a step after Over 10,000?, Otherwise').click();
    await page.getByRole('combobox', { name: 'Search steps' }).fill('team');
    await page.getByRole('option', { name: 'Tell the team' }).click();
    await button('Pick data for Title').click();
    await pickData('Title', 'record number', /^Number/);
    await see(field('Title').getByTestId('preview').getByText(invoice));
    await see(button('Problems: none'));
  });

  test('sees in red what reads a field that does not exist, and takes it back', async () => {
    await button('Text: expression').click();
    await page.getByRole('textbox', { name: 'Text expression' }).click();
    await page.keyboard.insertText('trigger.record.totl');
    const red = field('Text').getByRole('status');
    await see(button('Problems: 1 error'), red.getByText('totl').first());
    await eventually(async () => (await card('Tell the team').getAttribute('aria-label'))?.includes('1 problem'), true);
    await whileItSays('Undo', 'Undo change Text');
    await see(button('Problems: none'));
    await gone(red);
    await whileItSays('Redo', 'Redo change Text');
    await see(button('Problems: 1 error'), red);
    await whileItSays('Undo', 'Undo change Text');
    await see(button('Problems: none'));
  });

  test('finds the draft saved by itself, and publishes it as version 2', async () => {
    await see(page.getByRole('status').filter({ hasText: 'Saved just now' }));
    await page.reload();
    await see(card('If Total is more than 10,000'), card('Tell the team'), page.getByText('Changed since'));
    await button('Publish').click();
    const dialog = page.getByRole('dialog', { name: `Publish ${invoiceFlow}` });
    await see(dialog.getByText('Over 10,000?').first());
    await dialog.getByRole('button', { name: 'Publish version 2' }).click();
    await see(page.getByText('Version 2 is published.'), page.getByText('v2', { exact: true }));
    await gone(dialog, page.getByText('Changed since'));
  });

  test.each([
    ['over', (total: number) => total > 10_000, 'Tell the channel', 'Tell the team'],
    ['under', (total: number) => total < 10_000, 'Tell the team', 'Tell the channel'],
  ] as const)(
    'approves an invoice %s 10,000, and it goes its own way through version 2',
    async (_, wanted, done, skipped) => {
      const number = await approveOne(wanted);
      await openRunAbout(number);
      await see(version(2), step('Over 10,000?'));
      expect(await step(done).innerText()).toMatch(/\d\s?m?s/);
      expect(await statusOf(done)).toBe('Done');
      expect(await statusOf(skipped)).toBe('Skipped');
    },
  );

  test('finds the first run as it was, on version 1', async () => {
    await page.goto(firstRun);
    await see(version(1), step('Create the bill'));
    expect(await step('Over 10,000?').count()).toBe(0);
    await page.getByRole('link', { name: 'Open flow' }).click();
    await button('Runs').click();
    await page.getByRole('region', { name: 'Runs of this flow' }).getByRole('button', { name: invoice }).click();
    await see(page.getByText('The canvas shows version 1'), card('Tell the channel'));
    await gone(card('Over 10,000?'));
  });

  test('posts a webhook twice with the command the page shows, and one run comes of it', async () => {
    await rail('Templates').click();
    await page.getByRole('link', { name: webhookFlow }).click();
    await see(page.getByRole('radio', { name: 'Hartwell Homes', checked: true }));
    await button('Continue').click();
    await choose('Slack channel', 'accounts-payable');
    await button('Continue').click();
    await button('Install and turn on').click();
    await card('A webhook arrives').click();
    await button('Show the curl command with its secret').click();
    const command = await page.getByLabel('curl command').innerText();
    const answers = [1, 2].map(
      () => JSON.parse(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' })) as unknown,
    );
    expect(answers).toEqual([
      { accepted: true, duplicate: false },
      { accepted: true, duplicate: true },
    ]);
    await rail('Runs').click();
    await page.getByRole('combobox', { name: 'Flow' }).selectOption(webhookFlow);
    const rows = page.getByRole('row').filter({ hasText: webhookFlow });
    await see(rows.first().getByText('Done'));
    expect(await rows.count()).toBe(1);
    await rows.getByRole('link').click();
    await step('Tell the channel').click();
    await see(page.getByRole('region', { name: 'Input' }).getByText('Hello from the job site'));
  });
});
