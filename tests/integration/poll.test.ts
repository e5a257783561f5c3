import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page, RunDetail, RunSummary, TriggerInfo } from '@plumbline/engine/contract';
import { expect, test } from 'vitest';
import { testPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, publishFlow } from '../support/webhook-flow.ts';

test('a new item of a list starts a run, also after the flow was published anew and the API came up again', async () => {
  let list = [{ id: 1, name: 'Old' }];
  const server = createServer((_, response) => response.end(JSON.stringify({ items: list })));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using up = await testPlatform({ PLUMBLINE_ALLOWED_PRIVATE_ORIGINS: origin });
  const client = await up.client();
  const flow = await publishFlow(client, 'Price list', {
    params: {},
    connections: {},
    nodes: {
      news: node('core.poll', 'Prices', { url: `${origin}/prices`, itemsPath: 'items', everyMinutes: 1 }),
      take: node('core.map', 'Take', { value: '=trigger.item.name' }),
    },
    edges: line('news', 'take'),
  });
  const lastPoll = async (): Promise<TriggerInfo['poll']> =>
    (await client.call<TriggerInfo[]>('GET', `/api/flows/${flow.id}/triggers`))[0]?.poll;
  const runs = async () => (await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`)).items;
  const polled = async (since: string | null | undefined) =>
    await until('a poll', async () => {
      const poll = await lastPoll();
      return poll?.lastAt !== null && poll?.lastAt !== since && poll;
    });
  const first = await polled(null);
  expect(first).toMatchObject({ error: null });
  expect(await runs()).toEqual([]);

  await client.call('POST', `/api/flows/${flow.id}/publish`, {});
  list = [...list, { id: 2, name: 'New' }];
  await up.platform.workers[0]?.stop();
  await up.platform.workers[0]?.start();
  await up.owner.query('update subscriptions set next_poll_at = now() where flow_id = $1', [flow.id]);
  await polled(first.lastAt);
  const [run] = await until('the run to end', async () => {
    const found = await runs();
    return found[0]?.status === 'succeeded' && found;
  });
  const detail = await client.call<RunDetail>('GET', `/api/runs/${run?.id}`);
  expect(detail.event).toMatchObject({ kind: 'poll', data: { item: { id: 2, name: 'New' } } });
  expect(await runs()).toHaveLength(1);
  server.close();
});
