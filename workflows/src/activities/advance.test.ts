import { randomUUID } from 'node:crypto';
import { json } from '@plumbline/db';
import { ConnectorFailure, type NodeType } from '@plumbline/nodes';
import { defineAction } from '@plumbline/nodes/sdk';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { Plan, PlanGraph, PlanNode } from '../flow/plan.ts';
import { planHash } from '../plan-hash.ts';
import { createActivities } from './index.ts';
import type { Dependencies } from './dependencies.ts';
import { openBench, type Bench } from './testing.ts';

type Outcome = 'ok' | 'unavailable' | 'invalid';

/** What each step does, call by call, and which were called: `run/node`. */
const script = new Map<string, Outcome[]>();
const calls: string[] = [];
let bench: Bench;
let deps: Dependencies;
beforeAll(async () => {
  bench = await openBench();
  const scripted: NodeType = defineAction({
    id: 'test.scripted',
    title: 'Do it',
    description: '',
    category: 'Data',
    icon: '',
    effect: 'create',
    idempotency: 'key',
    input: z.object({ name: z.string() }),
    output: z.object({ name: z.string() }),
    ports: [
      { id: 'out', title: 'Then' },
      { id: 'other', title: 'Else' },
    ],
    run: async ({ input: { name } }) => {
      calls.push(name);
      await Promise.resolve();
      const outcome = script.get(name)?.shift() ?? 'ok';
      if (outcome !== 'ok') throw new ConnectorFailure({ kind: outcome, message: `It was ${outcome}.` });
      return { output: { name } };
    },
  });
  const nodeTypes = new Map([...bench.catalog.nodeTypes, ['test.scripted@1', scripted]]);
  deps = { ...bench.deps, catalog: { ...bench.catalog, nodeTypes } };
});
afterAll(() => bench.close());

const node = (id: string, more: Partial<PlanNode> = {}): PlanNode => ({
  id,
  kind: 'action',
  join: { mode: 'any' },
  retry: { attempts: 3, initialSeconds: 1 },
  onError: 'park',
  disabled: false,
  ...more,
});
const line = (...ids: string[]): PlanGraph => ({
  nodes: [node('t', { kind: 'trigger' }), ...ids.map((id) => node(id))],
  edges: ids.map((to, index) => ({ from: index === 0 ? 't' : (ids[index - 1] as string), port: 'out', to })),
});

/** Queues runs of a graph whose steps are called `<run>/<node>`. */
async function queue(
  graph: PlanGraph,
  scripts: Readonly<Record<string, readonly Outcome[]>> = {},
  runs = 1,
  others: Plan['steps'] = {},
) {
  const { companyId, database } = bench;
  const steps = Object.fromEntries(
    graph.nodes
      .filter(({ kind }) => kind !== 'trigger')
      .map(({ id }) => [
        id,
        {
          type: 'test.scripted',
          version: 1,
          name: id,
          inputs: { name: { kind: 'expression' as const, source: `run.id & "/${id}"`, reads: [] } },
        },
      ]),
  );
  const plan: Plan = { format: 1, engine: 'jsonata@2.2.2', graph, steps: { ...steps, ...others }, params: {} };
  const hash = planHash(plan);
  const flowId = randomUUID();
  await database.asOwner(`insert into plans (company_id, hash, plan) values ($1, $2, $3) on conflict do nothing`, [
    companyId,
    hash,
    json(plan),
  ]);
  await database.asOwner(
    `insert into flows (id, company_id, name, status, draft) values ($1, $2, 'Flow', 'on', '{}')`,
    [flowId, companyId],
  );
  const runIds = Array.from({ length: runs }, () => randomUUID() as string);
  for (const runId of runIds) {
    await database.asOwner(
      `insert into runs (id, company_id, flow_id, flow_version, plan_hash, trigger_node_id, carrier_id, lane, status, queued_at) values ($1, $2, $3, 1, $4, 't', 'carrier', 0, 'queued', $5)`,
      [runId, companyId, flowId, hash, deps.now()],
    );
    await database.asOwner(
      `insert into steps (company_id, run_id, node_id, iteration, status, attempt, port, output, started_at) values ($1, $2, 't', '', 'succeeded', 1, 'out', '{}', now())`,
      [companyId, runId],
    );
  }
  const [runId = ''] = runIds;
  for (const [nodeId, outcomes] of Object.entries(scripts)) script.set(`${runId}/${nodeId}`, [...outcomes]);
  const activities = createActivities(deps);
  return {
    runId,
    runIds,
    planHash: hash,
    advance: (ids: readonly string[] = runIds) => activities.advance({ companyId, planHash: hash, runIds: ids }),
    settle: (nodeId: string, decision: Parameters<typeof activities.settleStep>[0]['decision']) =>
      activities.settleStep({ companyId, planHash: hash, runId, nodeId, iteration: '', decision, exclusive: true }),
    called: (id = runId) => calls.filter((name) => name.startsWith(id)).map((name) => name.split('/')[1]),
    steps: async () =>
      Object.fromEntries(
        (
          await database.asOwner<{ node_id: string; status: string }>(
            `select node_id, status from steps where run_id = $1 and node_id <> 't'`,
            [runId],
          )
        ).map((row) => [row.node_id, row.status]),
      ),
    run: async (id = runId) =>
      (
        await database.asOwner<{ status: string; error: { message: string } | null; finished_at: Date | null }>(
          'select status, error, finished_at from runs where id = $1',
          [id],
        )
      )[0],
  };
}

describe('a run', () => {
  test('goes to its end in one call, and stays there', async () => {
    const run = await queue(line('a', 'b', 'c'));
    expect(await run.advance()).toEqual([{ runId: run.runId, ended: true, wakeInMs: null }]);
    expect(await run.run()).toMatchObject({ status: 'succeeded', error: null });
    expect(await run.advance()).toMatchObject([{ ended: true }]);
    expect(run.called()).toEqual(['a', 'b', 'c']);
  });

  test('is carried beside fifty others of its plan, each on its own', async () => {
    const run = await queue(line('a', 'b'), { b: ['invalid'] }, 50);
    const reports = await run.advance();
    expect(reports.map(({ ended }) => ended)).toEqual([false, ...Array.from({ length: 49 }, () => true)]);
    expect(reports[0]).toMatchObject({ ended: false, wakeInMs: null });
    for (const id of run.runIds.slice(1)) expect((await run.run(id))?.status).toBe('succeeded');
    expect((await run.run())?.status).toBe('parked');
  });

  test('that waits says for how long, and goes on with the next attempt when it is due', async () => {
    const run = await queue(line('a', 'b'), { a: ['unavailable', 'ok'] });
    const [report] = await run.advance();
    expect(report).toEqual({ runId: run.runId, ended: false, wakeInMs: 1_000 });
    expect((await run.run())?.status).toBe('waiting');
    // Called too early, as after a restart, it only says again how long.
    expect((await run.advance())[0]?.wakeInMs).toBe(1_000);
    expect(run.called()).toEqual(['a']);
    const later = { ...deps, now: () => new Date(deps.now().getTime() + 1_000) };
    const [done] = await createActivities(later).advance({
      companyId: bench.companyId,
      planHash: await hashOf(run.runId),
      runIds: [run.runId],
    });
    expect(done?.ended).toBe(true);
    expect(run.called()).toEqual(['a', 'a', 'b']);
  });

  test('parks where it cannot go on; a retry, with all its attempts, goes on from there', async () => {
    const run = await queue(line('a', 'b'), { b: ['invalid', 'ok'] });
    expect(await run.advance()).toMatchObject([{ ended: false, wakeInMs: null }]);
    await run.settle('b', { action: 'retry' });
    expect(await run.advance()).toMatchObject([{ ended: true }]);
    expect(run.called()).toEqual(['a', 'b', 'b']);
    expect((await run.run())?.status).toBe('succeeded');
  });

  test.each([
    [{ action: 'skip', output: { name: 'by hand' } } as const, ['left'], 'succeeded'],
    [{ action: 'skip', output: {}, port: 'other' } as const, ['right'], 'succeeded'],
    [{ action: 'abort' } as const, [], 'failed'],
  ])('that is decided as %j goes on by %j and has %s', async (decision, next, status) => {
    const graph: PlanGraph = {
      nodes: [node('t', { kind: 'trigger' }), node('a'), node('left'), node('right')],
      edges: [
        { from: 't', port: 'out', to: 'a' },
        { from: 'a', port: 'out', to: 'left' },
        { from: 'a', port: 'other', to: 'right' },
      ],
    };
    const run = await queue(graph, { a: ['invalid'] });
    await run.advance();
    await run.settle('a', decision);
    expect(await run.advance()).toMatchObject([{ ended: true }]);
    expect(run.called().slice(1)).toEqual(next);
    expect((await run.run())?.status).toBe(status);
  });

  test('goes on by the error way of a step that has one, and skips the other', async () => {
    const graph: PlanGraph = {
      nodes: [node('t', { kind: 'trigger' }), node('a', { onError: 'port' }), node('good'), node('bad')],
      edges: [
        { from: 't', port: 'out', to: 'a' },
        { from: 'a', port: 'out', to: 'good' },
        { from: 'a', port: 'error', to: 'bad' },
      ],
    };
    const run = await queue(graph, { a: ['invalid'] });
    expect(await run.advance()).toMatchObject([{ ended: true }]);
    expect(await run.steps()).toEqual({ a: 'failed', good: 'skipped', bad: 'succeeded' });
    expect((await run.run())?.status).toBe('succeeded');
  });

  test('ends when a step stops it, also while another branch waits', async () => {
    const graph: PlanGraph = {
      nodes: [node('t', { kind: 'trigger' }), node('stops', { onError: 'stop' }), node('waits'), node('later')],
      edges: [
        { from: 't', port: 'out', to: 'stops' },
        { from: 't', port: 'out', to: 'waits' },
        { from: 'waits', port: 'out', to: 'later' },
      ],
    };
    const run = await queue(graph, { stops: ['invalid'], waits: ['unavailable'] });
    expect(await run.advance()).toMatchObject([{ ended: true }]);
    expect(await run.run()).toMatchObject({ status: 'failed', error: { message: 'It was invalid.' } });
    expect(await run.steps()).toMatchObject({ stops: 'failed', waits: 'failed' });
    expect(run.called()).not.toContain('later');
  });

  test('that two workers carry on at once calls every vendor once', async () => {
    const run = await queue(line('a', 'b', 'c'));
    const reports = await Promise.all([run.advance(), run.advance()]);
    for (const [report] of reports) expect(report?.ended).toBe(true);
    expect([...run.called()].sort()).toEqual(['a', 'b', 'c']);
  });

  test('is taken up again where a dead worker left it', async () => {
    const run = await queue(line('a', 'b'));
    await bench.database.asOwner(
      `insert into steps (company_id, run_id, node_id, iteration, status, attempt, port, output, started_at, finished_at) values ($1, $2, 'a', '', 'succeeded', 1, 'out', '{"name":"x"}', now(), now())`,
      [bench.companyId, run.runId],
    );
    await bench.database.asOwner(
      `insert into steps (company_id, run_id, node_id, iteration, status, attempt, started_at) values ($1, $2, 'b', '', 'running', 2, now())`,
      [bench.companyId, run.runId],
    );
    expect(await run.advance()).toMatchObject([{ ended: true }]);
    expect(run.called()).toEqual(['b']);
    const [row] = await bench.database.asOwner(`select attempt from steps where run_id = $1 and node_id = 'b'`, [
      run.runId,
    ]);
    expect(row).toEqual({ attempt: 2 });
  });

  test('whose database is away for a moment throws instead of parking', async () => {
    const run = await queue(line('a'));
    const broken = Object.assign(new Error('the database system is shutting down'), { code: '57P01' });
    const away = (['tenant', 'script'] as const).map((way) => vi.spyOn(deps.store, way).mockRejectedValue(broken));
    await expect(run.advance()).rejects.toBe(broken);
    for (const spy of away) spy.mockRestore();
    expect(await run.advance()).toMatchObject([{ ended: true }]);
    expect(run.called()).toEqual(['a']);
  });
});

async function hashOf(runId: string): Promise<string> {
  const [row] = await bench.database.asOwner<{ plan_hash: string }>('select plan_hash from runs where id = $1', [
    runId,
  ]);
  return row?.plan_hash ?? '';
}

describe('a wait', () => {
  const graph = line('before', 'pause', 'after');
  const withWait = async () => {
    const run = await queue(graph, {}, 1, {
      pause: {
        type: 'core.wait',
        version: 1,
        name: 'Wait',
        inputs: { amount: { kind: 'literal', value: 2 }, unit: { kind: 'literal', value: 'days' } },
      },
    });
    const at = (ms: number) =>
      createActivities({ ...deps, now: () => new Date(deps.now().getTime() + ms) }).advance({
        companyId: bench.companyId,
        planHash: run.planHash,
        runIds: [run.runId],
      });
    return { run, at };
  };

  test('holds a run until its time, and then lets it go on without trying again', async () => {
    const { run, at } = await withWait();
    expect(await at(0)).toMatchObject([{ ended: false, wakeInMs: 2 * 86_400_000 }]);
    expect((await run.run())?.status).toBe('waiting');
    expect(await at(86_400_000)).toMatchObject([{ ended: false, wakeInMs: 86_400_000 }]);
    expect(run.called()).toEqual(['before']);
    expect(await at(2 * 86_400_000)).toMatchObject([{ ended: true }]);
    expect(run.called()).toEqual(['before', 'after']);
    const [row] = await bench.database.asOwner(
      `select attempt, output, suspended from steps where run_id = $1 and node_id = 'pause'`,
      [run.runId],
    );
    expect(row).toEqual({
      attempt: 1,
      suspended: false,
      output: { waitedUntil: new Date(deps.now().getTime() + 2 * 86_400_000).toISOString() },
    });
  });
});

describe('runs that are carried on ahead of their carrier', () => {
  const activities = () => createActivities(deps);
  const input = (run: { readonly planHash: string; readonly runIds: readonly string[] }) => ({
    companyId: bench.companyId,
    planHash: run.planHash,
    runIds: run.runIds,
  });

  test('are done when it comes', async () => {
    const run = await queue(line('a', 'b'), {}, 3);
    const worker = activities();
    await worker.advanceQueued(input(run));
    expect((await run.run())?.status).toBe('succeeded');
    const reports = await worker.advance({ ...input(run), first: true });
    expect(reports.every(({ ended }) => ended)).toBe(true);
    expect(run.called()).toEqual(['a', 'b']);
  });

  test('are joined by it in the same process, and shared with it in another', async () => {
    for (const carrier of ['same', 'other'] as const) {
      const run = await queue(line('a', 'b', 'c'));
      const worker = activities();
      const [, [report]] = await Promise.all([
        worker.advanceQueued(input(run)),
        (carrier === 'same' ? worker : activities()).advance({ ...input(run), first: true }),
      ]);
      expect(report?.ended).toBe(true);
      expect([...run.called()].sort()).toEqual(['a', 'b', 'c']);
    }
  });

  test('are taken by one of all the workers that hear of them, and by none once they have begun', async () => {
    const run = await queue(line('a'), { a: ['invalid'] });
    await Promise.all(Array.from({ length: 4 }, () => activities().advanceQueued(input(run))));
    expect(run.called()).toEqual(['a']);
    await activities().advanceQueued(input(run));
    expect(run.called()).toEqual(['a']);
    expect((await run.run())?.status).toBe('parked');
    expect(await run.advance()).toMatchObject([{ ended: false }]);
  });
});
