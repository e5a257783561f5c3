import type { Accounting } from '@plumbline/engine/contract';
import { carrierWorkflowId } from '@plumbline/workflows/payload-codec';
import { expect } from 'vitest';
import type { MockVendor } from './mock-vendor.ts';
import type { TestPlatform } from './platform.ts';
import type { Sender } from './sender.ts';
import { askTemporal } from './temporal.ts';
import { until } from './until.ts';

/** Where the runs of a flow stand, by status. */
export async function standing(up: TestPlatform, flowId: string): Promise<Readonly<Record<string, number>>> {
  const { rows } = await up.owner.query<{ status: string; count: number }>(
    'select status, count(*)::int as count from runs where flow_id = $1 group by status',
    [flowId],
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

/**
 * Waits until every acknowledged delivery has its run and every run has ended.
 * @returns how long that took, in milliseconds.
 */
export async function untilSettled(
  up: TestPlatform,
  flowId: string,
  sender: Pick<Sender, 'acked'>,
  { withinMs = 180_000, everyMs = 100 }: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<number> {
  const began = performance.now();
  let last: unknown;
  await until(
    `${sender.acked.size} runs to end`,
    async () => {
      // The database may be the one that is away.
      last = await standing(up, flowId).catch(String);
      const { succeeded = 0, failed = 0, cancelled = 0 } = last as Record<string, number>;
      return succeeded + failed + cancelled >= sender.acked.size;
    },
    { withinMs, everyMs },
  ).catch(async (error: unknown) => {
    const open = await openRuns(up, flowId).catch(String);
    throw new Error(`${String(error)}: ${JSON.stringify(last)}, ${JSON.stringify(open)}`);
  });
  return performance.now() - began;
}

/** What is known of runs that have not ended, the oldest first: in the ledger, and in Temporal. */
async function openRuns(up: TestPlatform, flowId: string): Promise<readonly unknown[]> {
  const { rows } = await up.owner.query<{ company_id: string; carrier_id: string }>(
    `select runs.company_id, runs.id, runs.carrier_id, runs.status, runs.queued_at, runs.started_at, runs.confirmed_at, now() as now,
            (select jsonb_agg(jsonb_build_object('node', node_id, 'status', status, 'attempt', attempt, 'next', next_attempt_at))
               from steps where steps.run_id = runs.id and status <> 'succeeded') as steps
       from runs where flow_id = $1 and finished_at is null order by queued_at limit 5`,
    [flowId],
  );
  return await askTemporal(up, (workflow) =>
    Promise.all(
      rows.map(async (row) => {
        const handle = workflow.getHandle(carrierWorkflowId(row.company_id, row.carrier_id));
        const { status, raw, historyLength } = await handle.describe();
        return { ...row, temporal: { status: status.name, historyLength, task: raw.pendingWorkflowTask } };
      }),
    ),
  );
}

/** Nothing lost, nothing doubled: each acknowledged delivery has one run, each run its effects, once and in order. */
export async function expectAllOnce(given: {
  readonly up: TestPlatform;
  readonly flowId: string;
  readonly sender: Pick<Sender, 'acked'>;
  readonly vendor: Pick<MockVendor, 'effects' | 'doubled' | 'outOfOrder'>;
  readonly writes: number;
}): Promise<void> {
  const { up, flowId, sender, vendor, writes } = given;
  const { rows } = await up.owner.query<{ id: string; runs: number; succeeded: number }>(
    `select events.dedupe_key as id, count(*)::int as runs, count(*) filter (where runs.status = 'succeeded')::int as succeeded
       from runs join events on events.id = runs.event_id where runs.flow_id = $1 group by events.dedupe_key`,
    [flowId],
  );
  const found = new Map(rows.map((row) => [row.id, row]));
  expect(
    [...sender.acked].filter((id) => !found.has(id)),
    'lost',
  ).toEqual([]);
  expect(
    rows.filter(({ runs }) => runs !== 1),
    'runs doubled',
  ).toEqual([]);
  expect(
    rows.filter(({ succeeded }) => succeeded !== 1),
    'runs that did not succeed',
  ).toEqual([]);
  expect(vendor.doubled(), 'effects doubled').toEqual([]);
  expect(vendor.outOfOrder(), 'effects out of order').toEqual([]);
  const effects = Map.groupBy(vendor.effects, ({ id }) => id);
  expect(
    [...sender.acked].filter((id) => effects.get(id)?.length !== writes),
    'effects missing',
  ).toEqual([]);
}

/** The product's own accounts tie. */
export async function expectAccountsTie(up: TestPlatform): Promise<Accounting> {
  const client = await up.client();
  const accounting = await client.call<Accounting>('GET', '/api/health/accounting');
  expect(accounting).toMatchObject({ ties: true, events: { strays: [] }, runs: { strays: [] } });
  return accounting;
}

/** Runs of a flow that are on their way; what is killed while there are none proves nothing. */
export async function underWay(up: TestPlatform, flowId: string): Promise<number> {
  const { rows } = await up.owner.query<{ count: number }>(
    'select count(*)::int as count from runs where flow_id = $1 and finished_at is null',
    [flowId],
  );
  return rows[0]?.count ?? 0;
}
