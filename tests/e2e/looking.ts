import { AxeBuilder } from '@axe-core/playwright';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { expect, onTestFailed } from 'vitest';
import { PATIENCE_MS } from './studio.ts';

/** Keeps a picture of the page when the test that runs now fails. */
export function keepPictureOfFailure(page: Page): void {
  onTestFailed(async ({ task }) => {
    const folder = join(tmpdir(), 'plumbline-e2e');
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${task.name.replaceAll(/\W+/g, '-').slice(0, 80)}.png`);
    await page.screenshot({ path }).then(
      () => console.log(`What the page showed at ${page.url()}: ${path}`),
      () => undefined,
    );
  });
}

/** Waits until each of them is visible. */
export async function see(...locators: readonly Locator[]): Promise<void> {
  for (const locator of locators) await locator.waitFor();
}

/** Waits until it is not there, or not visible. */
export async function gone(...locators: readonly Locator[]): Promise<void> {
  for (const locator of locators) await locator.waitFor({ state: 'hidden' });
}

/** Waits until what `look` gives is as wanted. */
export async function eventually<T>(look: () => Promise<T> | T, wanted: T): Promise<void> {
  await expect.poll(look, { timeout: PATIENCE_MS, interval: 50 }).toEqual(wanted);
}

const wcag = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What axe objects to, a line each, once nothing moves any more: colours that are still turning are measured as they are in between. */
export async function objections(page: Page): Promise<readonly string[]> {
  await settled(page);
  const { violations } = await new AxeBuilder({ page }).withTags(wcag).analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) =>
        `${id}: ${target.join(' ')}: ${failureSummary?.split('\n').slice(1).join(' ').trim()}`,
    ),
  );
}

/** Waits until fonts are there and nothing moves that comes to an end; what ends may have begun something else. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    for (let round = 0; round < 3; round++) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const moving = document
        .getAnimations()
        .filter(({ effect }) => effect?.getComputedTiming().iterations !== Infinity);
      await Promise.all(moving.map(async ({ finished }) => await finished.catch(() => undefined)));
    }
  });
}
