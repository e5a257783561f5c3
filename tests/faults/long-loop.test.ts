import type { Page, RunDetail, RunSummary } from '@plumbline/engine/contract';
import { carrierWorkflowId } from '@plumbline/workflows/payload-codec';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rssMb } from '../support/figures.ts';
import { expectAccountsTie } from '../support/ledger.ts';
import { testPlatform, type TestPlatform } from '../support/platform.ts';
import { report, size } from '../support/profile.ts';
import { askTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { line, node, publishWebhookFlow } from '../support/webhook-flow.ts';

/** In the full form as many as a loop may have. */
const ITEMS = size(2_000, 100_000);
/** A carrier is renewed before its history is longer. */
const HISTORY_MAX = 4_096;
const RISE_MAX_MB = 200;
/** Left to itself V8 takes some 400 MB before it tidies up, for as long as the machine has them; what is kept for each item would not fit into this. */
const HEAP_MB = 160;

let up: TestPlatform;
beforeAll(async () => {
  up = await testPlatform({ NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` }, { workers: 2, fsync: true });
});
afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
});

test('a loop over as many items as it may have does each once, and neither memory nor history grows with it', async () => {
  const client = await up.client();
  // The list comes with the delivery: an expression makes lists of up to ten thousand.
  const flow = await publishWebhookFlow(client, 'Long loop', {
    params: {},
    connections: {},
    nodes: {
      incoming: node('core.webhook', 'In'),
      each: node('core.for-each', 'Each', { items: '=trigger.body.list', concurrency: 50, limit: 100_000 }),
      take: node('core.map', 'Take', { value: '={"item": loop.item}' }, { parent: 'each' }),
      after: node('core.map', 'After', { value: '=steps.each.count' }),
    },
    edges: [...line('incoming', 'each', 'after'), { id: 'each:each:take', from: 'each', port: 'each', to: 'take' }],
  });
  const list = (length: number) => Array.from({ length }, (_, index) => index + 1);
  const ended = async (of: number, look: () => Promise<unknown> = () => Promise.resolve()): Promise<RunSummary> =>
    await until(
      'the loop to end',
      async () => {
        await look();
        const { items } = await client.call<Page<RunSummary>>('GET', `/api/runs?flowId=${flow.id}`);
        return items.length === of && items[0] !== undefined && items[0].finishedAt !== null && items[0];
      },
      { withinMs: size(120_000, 900_000), everyMs: 250 },
    );
  // Code has to be compiled before anything is measured.
  await flow.post('warm', { list: list(200) });
  await ended(1);

  const pids = up.platform.workers.map(({ pid }) => pid);
  const memory = async () => await Promise.all(pids.map(rssMb));
  const before = await memory();
  const peak = [...before];
  const began = performance.now();
  await flow.post('long', { list: list(ITEMS) });
  const { id } = await ended(2, async () => {
    for (const [index, mb] of (await memory()).entries()) peak[index] = Math.max(peak[index] ?? 0, mb);
  });
  const ms = performance.now() - began;
  const riseMb = peak.map((mb, index) => mb - (before[index] ?? 0));

  const run = await client.call<RunDetail>('GET', `/api/runs/${id}`);
  const histories = await historiesOf(run);
  const { rows } = await up.owner.query<Record<'steps' | 'succeeded' | 'places' | 'items', number>>(
    `select count(*)::int as steps, count(*) filter (where status = 'succeeded' and attempt = 1)::int as succeeded,
            count(distinct iteration)::int as places,
            count(distinct output ->> 'item') filter (where (output ->> 'item')::int = iteration::int + 1)::int as items
       from steps where run_id = $1 and node_id = 'take'`,
    [id],
  );
  const turns = await up.owner.query<{ status: string; count: number }>(
    'select status, count(*)::int as count from iterations where run_id = $1 group by status',
    [id],
  );
  report('Long loop', {
    items: ITEMS,
    ms: Math.round(ms),
    perSecond: Math.round((ITEMS / ms) * 1_000),
    heapMb: HEAP_MB,
    rssBeforeMb: before,
    riseMb,
    histories,
    restarts: up.restarts,
  });
  expect(run.status).toBe('succeeded');
  expect(rows).toEqual([{ steps: ITEMS, succeeded: ITEMS, places: ITEMS, items: ITEMS }]);
  expect(turns.rows).toEqual([{ status: 'done', count: ITEMS }]);
  const output = (nodeId: string) => run.steps.find((step) => step.nodeId === nodeId)?.output;
  expect(output('each')).toMatchObject({ count: ITEMS, succeeded: ITEMS, failed: 0, skipped: 0 });
  expect(output('after')).toBe(ITEMS);
  expect(Math.max(...histories)).toBeLessThanOrEqual(HISTORY_MAX);
  expect(Math.max(...riseMb)).toBeLessThanOrEqual(RISE_MAX_MB);
  expect(
    up.platform.workers.map(({ pid }) => pid),
    'the workers are the same',
  ).toEqual(pids);
  expect(up.restarts).toEqual([]);
  await expectAccountsTie(up);
});

/** Events of each workflow that carried a run, one after another: a carrier hands over to a fresh one under the same id. */
async function historiesOf({ id, carrierId }: RunDetail): Promise<number[]> {
  const { rows } = await up.owner.query<{ company_id: string }>('select company_id from runs where id = $1', [id]);
  const workflowId = carrierWorkflowId(rows[0]?.company_id ?? '', carrierId);
  return await askTemporal(up, (workflow) =>
    until('its carrier to end', async () => {
      const lengths: number[] = [];
      let over = false;
      // What is listed lags behind; what is described does not.
      for await (const { runId } of workflow.list({ query: `WorkflowId = "${workflowId}"` })) {
        const { historyLength, status } = await workflow.getHandle(workflowId, runId).describe();
        lengths.push(historyLength);
        over ||= status.name === 'COMPLETED';
      }
      return over && lengths;
    }),
  );
}
