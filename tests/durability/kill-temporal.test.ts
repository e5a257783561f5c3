import { execFileSync } from 'node:child_process';
import type { Page, RunSummary } from '@plumbline/engine/contract';
import { expect, test } from 'vitest';
import { testPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow } from '../support/webhook-flow.ts';

test('Temporal dies while 100 webhooks arrive: every acknowledged one runs once', async () => {
  await using up = await testPlatform();
  const client = await up.client();
  const flow = await publishWebhookFlow(client, 'Counted', {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'In'),
      note: node('core.notify', 'Note', { title: '="Delivery " & $string(trigger.body.n)', body: 'Counted.' }),
    },
    edges: line('incoming', 'note'),
  });
  const acknowledged: number[] = [];
  for (let n = 0; n < 100; n++) {
    if (n === 30) process.kill(temporalPid(up.platform.temporal.pid()), 'SIGKILL');
    const answer = await flow.post(`delivery-${n}`, { n });
    if (answer.ok) acknowledged.push(n);
    await answer.arrayBuffer();
  }
  // Storing does not ask Temporal: none of them had to be refused.
  expect(acknowledged).toHaveLength(100);
  const counted = await until(
    'every delivery to have run',
    async () => {
      const { rows } = await up.owner.query<{ title: string; count: number }>(
        `select title, count(*)::int as count from notifications where title like 'Delivery %' group by title`,
      );
      return rows.length >= acknowledged.length && rows;
    },
    { withinMs: 150_000, everyMs: 250 },
  );
  expect(up.restarts).toContain('temporal');
  expect(counted.filter(({ count }) => count !== 1)).toEqual([]);
  await until('every run to have ended', async () => {
    const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`);
    return items.every(({ status }) => status === 'succeeded');
  });
  const { rows } = await up.owner.query<{ count: number }>(
    `select count(*)::int as count from runs where flow_id = $1`,
    [flow.id],
  );
  expect(rows[0]?.count).toBe(100);
}, 240_000);

/** The server itself stands under its tether. */
function temporalPid(tether: number | undefined): number {
  return Number(
    execFileSync('pgrep', ['-P', String(tether)], { encoding: 'utf8' })
      .trim()
      .split('\n')[0],
  );
}
