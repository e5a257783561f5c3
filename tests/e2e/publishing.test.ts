import type { FlowDetail } from '@plumbline/engine/contract';
import type { StudioClient } from '@plumbline/engine/demo/studio-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { line, node, publishWebhookFlow } from '../support/webhook-flow.ts';
import { gone, keepPictureOfFailure, see } from './looking.ts';
import { openStudio, type Studio, type Visit } from './studio.ts';

let studio: Studio;
let client: StudioClient;
let visit: Visit;
let flowId: string;

const titled = (title: string) => ({
  incoming: node('core.webhook', 'Delivery'),
  tell: node('core.notify', 'Tell the office', { title, body: 'From the site' }),
});

beforeAll(async () => {
  studio = await openStudio();
  client = await studio.up.client();
  const document = { params: {}, connections: {}, nodes: titled('One'), edges: line('incoming', 'tell') };
  ({ id: flowId } = await publishWebhookFlow(client, 'Tells the office', document));
  await save(titled('Two'));
  visit = await studio.openSignedIn();
});
afterAll(async () => {
  await studio[Symbol.asyncDispose]();
});

async function save(nodes: object): Promise<void> {
  const { name, draft, revision } = await client.call<FlowDetail>('GET', `/api/flows/${flowId}`);
  const body = { name, document: { ...draft, nodes, edges: line(...Object.keys(nodes)) } };
  await client.call('PUT', `/api/flows/${flowId}/draft`, body, { 'If-Match': `"${revision}"` });
}

test('what a colleague saves while the changes are looked at is shown before it is published', async () => {
  const { page } = visit;
  keepPictureOfFailure(page);
  await page.goto(`/flows/${flowId}`);
  await page.getByRole('button', { name: 'Publish' }).click();
  const dialog = page.getByRole('dialog', { name: 'Publish Tells the office' });
  await see(dialog.getByText('Tell the office'));
  expect(await dialog.getByText('Check the numbers').count()).toBe(0);

  await save({ ...titled('Two'), extra: node('core.map', 'Check the numbers', { value: '1' }) });
  const publish = dialog.getByRole('button', { name: 'Publish version 2' });
  await publish.click();
  await see(dialog.getByText('This flow has been changed since you looked at it'));
  await see(dialog.getByText('Check the numbers').first());
  const between = await client.call<FlowDetail>('GET', `/api/flows/${flowId}`);
  expect(between).toMatchObject({ publishedVersion: 1, hasUnpublishedChanges: true });
  expect(visit.takeTroubles()).toEqual([expect.stringContaining('409')]);

  await publish.click();
  await see(page.getByText('Version 2 is published.'));
  await gone(dialog);
  const after = await client.call<FlowDetail>('GET', `/api/flows/${flowId}`);
  expect(after).toMatchObject({ publishedVersion: 2, hasUnpublishedChanges: false });
  expect(visit.takeTroubles()).toEqual([]);
});
