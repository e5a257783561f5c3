import type { Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { visitInParts } from './in-parts.ts';
import { eventually, gone, see } from './looking.ts';

const shared = visitInParts();
let page: Page;
beforeAll(() => {
  ({ page } = shared);
});

const heading = (name: string | RegExp): Locator =>
  page.getByRole('heading', { name, exact: typeof name === 'string' });
const dialog = (name: string): Locator => page.getByRole('dialog', { name });
const palette = (): Locator => dialog('Add a step');
const canvas = (): Locator => page.getByRole('region', { name: 'Canvas' });
const cards = async (): Promise<readonly (string | null)[]> =>
  await Promise.all(
    (await canvas().locator('.svelte-flow__node').all()).map(async (card) => await card.getAttribute('aria-label')),
  );

const isFocused = async (locator: Locator): Promise<boolean> =>
  await locator.evaluate((element) => element === document.activeElement);

async function press(...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** Goes there with the Tab key only. */
async function tabTo(target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let times = 0; times < 60; times++) {
    if (await isFocused(target)) return;
    await press(key);
  }
  throw new Error(`60 times ${key} did not lead to ${target.toString()}.`);
}

/** Opens the palette with a key, and takes what is found for the words. */
async function addStep(words: string, found: string): Promise<void> {
  await press('/');
  await see(palette());
  await eventually(async () => await isFocused(palette().getByRole('combobox')), true);
  await page.keyboard.type(words);
  await see(palette().getByRole('option', { name: found, selected: true }));
  await press('Enter');
  await gone(palette());
}

describe('without a mouse', () => {
  test('the pages are reached with g and a letter', async () => {
    await page.goto('/flows');
    await see(heading('No flows yet'));
    for (const [key, title] of [
      ['r', 'Runs'],
      ['d', 'Records'],
      ['t', 'Templates'],
      ['c', 'Connections'],
      ['n', 'Notifications'],
      ['f', 'Flows'],
    ] as const) {
      await press('g', key);
      await see(page.getByRole('heading', { level: 1, name: title }));
    }
  });

  test('Ctrl+K finds a page by its name', async () => {
    await press('Control+k');
    await see(dialog('Find anything'));
    await page.keyboard.type('templ');
    await press('Enter');
    await see(page.getByRole('heading', { level: 1, name: 'Templates' }));
    await gone(dialog('Find anything'));
  });

  test('a question mark shows the shortcuts, and Escape puts them away', async () => {
    await press('?');
    const sheet = dialog('Keyboard shortcuts');
    await see(sheet.getByText('Find a page, a flow or something to do'));
    await page.keyboard.type('notif');
    await gone(sheet.getByText('Next row'));
    await see(sheet.getByText('Notifications'));
    await press('Escape');
    await gone(sheet);
  });

  test('a list is walked with j and k, and searched with a slash', async () => {
    await press('g', 'd');
    await see(page.getByRole('link', { name: 'Vendor invoices' }));
    const rows = page.locator('[data-row]');
    await press('j', 'j', 'k');
    expect(await isFocused(rows.first())).toBe(true);
    await press('Enter');
    await see(page.getByRole('searchbox'));
    await press('/');
    expect(await isFocused(page.getByRole('searchbox'))).toBe(true);
  });

  test('a flow of three steps is drawn, named and filled in', async () => {
    await press('Escape', 'Control+k');
    await see(dialog('Find anything'));
    await page.keyboard.type('new flow');
    await press('Enter');
    await see(heading('What starts this flow?'));

    await addStep('webhook', 'webhook');
    await addStep('team', 'Tell the team');
    await addStep('team', 'Tell the team');
    await eventually(async () => (await cards()).length, 3);

    await press('F2');
    await page.keyboard.type('Tell them again');
    await tabTo(page.getByRole('textbox', { name: 'Title' }));
    await page.keyboard.type('Something came in again');
    await eventually(async () => (await cards()).some((label) => label?.startsWith('Step 3, Tell them again')), true);
  });

  test('publishing says why it cannot be, and leads to the step', async () => {
    await press('Control+Shift+p');
    const publish = dialog('Publish New flow');
    await see(publish.getByText('Step 2 “Tell the team” needs attention'));
    expect(await publish.getByRole('button', { name: 'Publish version 1' }).isDisabled()).toBe(true);
    await tabTo(publish.getByRole('button', { name: 'Show the problems' }));
    await press('Enter');
    await gone(publish);
    await tabTo(page.getByRole('region', { name: 'Problems' }).getByRole('button', { name: /Tell the team/ }));
    await press('Enter');
    const title = page.getByRole('textbox', { name: 'Title' });
    await eventually(async () => await isFocused(title), true);
    await page.keyboard.type('Something came in');
    await see(page.getByRole('button', { name: 'Problems: none' }));
  });

  test('what was done is undone and done again', async () => {
    await tabTo(page.getByRole('button', { name: 'Close the step' }), 'Shift+Tab');
    await press('Enter');
    await eventually(async () => await isFocused(canvas().getByLabel(/^Step 2, Tell the team/)), true);
    const count = async (): Promise<number> => (await cards()).length;
    await press('Control+a', 'Delete');
    await eventually(count, 0);
    await press('Control+z');
    await eventually(count, 3);
    await press('Control+Shift+z');
    await eventually(count, 0);
    await press('Control+z');
    await eventually(count, 3);
  });

  test('the flow is published', async () => {
    await press('Control+Shift+p');
    const publish = dialog('Publish New flow');
    await tabTo(publish.getByRole('button', { name: 'Publish version 1' }));
    await press('Enter');
    await see(page.getByText('Version 1 is published.'));
    await gone(publish);
  });
});
