import type { Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { visitInParts } from './in-parts.ts';
import { objections, eventually, gone, see } from './looking.ts';

const shared = visitInParts();
let page: Page;
beforeAll(() => {
  ({ page } = shared);
});

const dialog = (name: string | RegExp): Locator => page.getByRole('dialog', { name });
const palette = (): Locator => dialog('Add a step');
const canvas = (): Locator => page.getByRole('region', { name: 'Canvas' });
const card = (name: RegExp): Locator => canvas().getByLabel(name);
const isFocused = async (locator: Locator): Promise<boolean> =>
  await locator.evaluate((element) => element === document.activeElement);

async function press(...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** Goes there with the Tab key only. */
async function tabTo(target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await see(target);
  for (let times = 0; times < 80; times++) {
    if (await isFocused(target)) return;
    await press(key);
  }
  throw new Error(`80 times ${key} did not lead to ${target.toString()}.`);
}

/** Opens the palette with a key, and takes what is found for the words. */
async function addStep(words: string, found: string | RegExp): Promise<void> {
  await press('/');
  await see(palette());
  await eventually(async () => await isFocused(palette().getByRole('combobox')), true);
  await page.keyboard.type(words);
  await see(palette().getByRole('option', { name: found, selected: true }));
  await press('Enter');
  await gone(palette());
}

/** Leaves the open step for its card. */
async function backToCanvas(): Promise<void> {
  await tabTo(page.getByRole('button', { name: 'Close the step' }), 'Shift+Tab');
  await press('Enter');
  await eventually(
    async () => await page.evaluate(() => document.activeElement?.classList.contains('svelte-flow__node')),
    true,
  );
}

/** Walks along the lines to a step: up to the trigger, and down again, into loops first. */
async function walkTo(target: Locator): Promise<void> {
  await press('ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowUp');
  const chosen = async (): Promise<boolean> =>
    await target.evaluate((element) => element === document.activeElement && element.matches('.selected'));
  for (let times = 0; times < 6; times++) {
    await page.waitForTimeout(250);
    if (await chosen()) return;
    await press('ArrowDown');
  }
  throw new Error(`Arrows did not lead to ${target.toString()}.`);
}

async function noViolations(): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    expect(await objections(page), colorScheme).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

describe('a loop, without a mouse', () => {
  test('it is drawn, and a step is put inside it', async () => {
    await page.goto('/flows');
    await see(page.getByRole('heading', { name: 'No flows yet' }));
    await press('Control+k');
    await see(dialog('Find anything'));
    await page.keyboard.type('new flow');
    await press('Enter');
    await see(page.getByRole('heading', { name: 'What starts this flow?' }));
    await addStep('someone', 'Someone starts it');
    await backToCanvas();
    await addStep('each item', 'For each item');
    await tabTo(page.getByRole('textbox', { name: 'List' }));
    await page.keyboard.insertText('["Framing", "Roofing", "Paint"]');
    await backToCanvas();
    await addStep('shape', 'Shape data');
    await see(card(/^Step 3, Shape data, .*in For each item/));
    await tabTo(page.getByRole('textbox', { name: 'Value' }));
    await page.keyboard.type('=');
    const code = page.locator('.cm-content');
    await eventually(async () => await isFocused(code), true);
    await page.keyboard.insertText('loop.item');
    await see(page.getByRole('button', { name: 'Problems: none' }));
  });

  test('what ends a turn is offered inside a loop only', async () => {
    await press('Escape');
    await backToCanvas();
    await addStep('next item', 'Next item');
    await see(card(/^Step 4, Next item/));
    await page.keyboard.press('Control+z');
    await gone(card(/^Step 4, Next item/));
    await eventually(async () => await canvas().locator('.svelte-flow__node').count(), 3);
  });

  test('a step moves out of the loop and back in with a bracket', async () => {
    await walkTo(card(/^Step \d, Shape data/));
    await press('[');
    await see(card(/^Step 3, Shape data(?!.*in For each)/));
    await press(']');
    await see(card(/^Step 3, Shape data, .*in For each item/));
  });

  test('deleting the loop asks about its steps, and keeping them is one step to undo', async () => {
    await walkTo(card(/^Step 2, For each item/));
    await press('Delete');
    const asks = dialog(/Delete “For each item”/);
    await see(asks);
    await noViolations();
    await tabTo(asks.getByRole('button', { name: 'Keep the steps' }));
    await press('Enter');
    await gone(asks);
    await see(card(/^Step 2, Shape data/));
    await press('Control+z');
    await see(card(/^Step 3, Shape data, .*in For each item/));
  });

  test('the loop is closed and opened again', async () => {
    await walkTo(card(/^Step 2, For each item/));
    await press('c');
    await gone(card(/^Step \d, Shape data/));
    await press('c');
    await see(card(/^Step \d, Shape data/));
  });

  test('the step is tried alone, and its result pinned', async () => {
    await walkTo(card(/^Step 3, Shape data/));
    await press('Enter');
    await tabTo(page.getByRole('tab', { name: 'Setup' }));
    await press('ArrowRight');
    await see(page.getByRole('button', { name: 'Test this step' }));
    await press('Control+Enter');
    await see(page.getByRole('region', { name: 'What came of the test' }).getByText('"Framing"').first());
    await tabTo(page.getByRole('button', { name: 'Pin this result' }));
    await press('Enter');
    await see(page.getByRole('region', { name: 'Pinned result' }));
    await noViolations();
    await tabTo(page.getByRole('button', { name: 'Unpin' }));
    await press('Enter');
    await gone(page.getByRole('region', { name: 'Pinned result' }));
  });

  test('everything is tried, and the loop says how far it came', async () => {
    await backToCanvas();
    await press('Control+Enter');
    await see(canvas().getByText('3 of 3'));
    await tabTo(page.getByRole('button', { name: 'Clear the test' }), 'Shift+Tab');
    await press('Enter');
    await gone(page.getByRole('button', { name: 'Clear the test' }));
  });

  test('it is published, runs, and item 2 is looked at in the run', async () => {
    await press('Control+Shift+p');
    const publish = dialog(/^Publish/);
    await tabTo(publish.getByRole('button', { name: 'Publish version 1' }));
    await press('Enter');
    await see(page.getByText('Version 1 is published.'));
    await gone(publish);
    const flowId = new URL(page.url()).pathname.split('/')[2] ?? '';
    const client = await shared.studio.up.client();
    await client.call('POST', `/api/flows/${flowId}/switch`, { on: true });
    await client.call('POST', `/api/flows/${flowId}/start`, { values: {} });
    await tabTo(page.getByRole('button', { name: /^Runs/ }), 'Shift+Tab');
    await press('Enter');
    await see(canvas().getByText('3 of 3'));
    await tabTo(card(/^Step \d, Shape data/));
    await press('Enter');
    await tabTo(page.getByRole('combobox', { name: /^Item of For each item/ }), 'Shift+Tab');
    await press('ArrowDown');
    await see(page.getByRole('region', { name: 'Output' }).getByText('"Roofing"'));
    await noViolations();
  });
});
