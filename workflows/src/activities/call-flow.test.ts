import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FlowDocument } from '../flow/schema.ts';
import type { Dependencies } from './dependencies.ts';
import { createActivities } from './index.ts';
import { openBench, type Bench } from './testing.ts';
import {
  drawnEdge as edge,
  drawnNode as node,
  playedRun,
  publishFlow,
  scriptedVendor,
  withVendor,
  type PlayedRun,
  type ScriptedVendor,
} from './testing-flow.ts';

let bench: Bench;
let deps: Dependencies;
let vendor: ScriptedVendor;
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(() => {
  vendor = scriptedVendor();
  deps = withVendor(bench, vendor);
});
afterAll(() => bench.close());

const fields = [
  { id: 'amount', title: 'Amount', type: 'number', required: true },
  { id: 'note', title: 'Note' },
];
/** Takes an amount, writes, hands back what it wrote. */
const called = (name = '="booked " & trigger.values.amount'): Pick<FlowDocument, 'nodes' | 'edges'> => ({
  nodes: {
    t: node('core.flow-input', { fields }),
    write: node('test.write', { name }),
    back: node('core.return', { values: '={"text": steps.write.name}' }),
  },
  edges: [edge('t', 'write'), edge('write', 'back')],
});
const caller = (flow: string, more: object = {}): Pick<FlowDocument, 'nodes' | 'edges'> => ({
  nodes: {
    t: node('test.begin'),
    call: node('core.call-flow', { flow, values: '={"amount": trigger.amount}', ...more }),
    after: node('test.write', { name: '="after " & steps.call.result.text' }),
  },
  edges: [edge('t', 'call'), edge('call', 'after')],
});

async function callOf(run: PlayedRun): Promise<PlayedRun> {
  const [row] = await bench.database.asOwner<{ id: string; plan_hash: string }>(
    `select runs.id, plan_hash from runs join waits on waits.kind = 'run' and waits.key = runs.id::text where waits.run_id = $1`,
    [run.runId],
  );
  if (!row) throw new Error('Nothing was called');
  return playedRun(bench, deps, { runId: row.id, planHash: row.plan_hash });
}

/** Plays what a run called until a step of it stands, and gives that up. */
async function failIn(child: PlayedRun, nodeId: string): Promise<void> {
  await child.play();
  await child.settle(nodeId, { action: 'abort' });
  await child.play();
}

async function wakes(run: PlayedRun): Promise<number> {
  const [row] = await bench.database.asOwner<{ count: string }>('select count(*) from run_wakes where run_id = $1', [
    run.runId,
  ]);
  return Number(row?.count);
}

describe('a flow that is called', () => {
  test('gets what it asks for as what it asks for: digits as a number', async () => {
    const target = await publishFlow(
      bench,
      deps,
      called('=$type(trigger.values.amount) & " " & (trigger.values.amount + 1)'),
    );
    const run = await (await publishFlow(bench, deps, caller(target.flowId))).begin({ amount: '1250.50' });
    await run.play();
    await (await callOf(run)).play();
    expect(vendor.calls).toEqual(['number 1251.5']);
  });

  test('runs once as a run of its own; its caller waits, is woken, and takes over what it hands back', async () => {
    const target = await publishFlow(bench, deps, called());
    const run = await (await publishFlow(bench, deps, caller(target.flowId))).begin({ amount: 7 });
    expect(await run.play()).toEqual({ runId: run.runId, ended: false, wakeInMs: null });
    expect(await run.play()).toMatchObject({ ended: false });
    expect((await run.row())['status']).toBe('waiting');
    const child = await callOf(run);
    expect(await child.row()).toMatchObject({
      parent_run_id: run.runId,
      parent_node_id: 'call',
      depth: 1,
      status: 'queued',
    });
    expect((await child.play())?.ended).toBe(true);
    expect(await wakes(run)).toBe(1);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['booked 7', 'after booked 7']);
    const [count] = await bench.database.asOwner('select count(*)::int from runs where parent_run_id = $1', [
      run.runId,
    ]);
    expect(count).toEqual({ count: 1 });
  });

  test('that fails has its caller wait for a person, who may have it called anew', async () => {
    vendor.outcomes.set('booked 7', ['invalid']);
    const target = await publishFlow(bench, deps, called());
    const run = await (await publishFlow(bench, deps, caller(target.flowId))).begin({ amount: 7 });
    await run.play();
    const first = await callOf(run);
    await failIn(first, 'write');
    await run.play();
    expect((await run.steps())['call']).toMatchObject({
      status: 'parked',
      error: { code: 'called_flow_failed', message: 'The flow that was called failed: It was invalid.' },
    });
    expect(await run.settle('call', { action: 'retry' })).toBe(true);
    await run.play();
    const second = await callOf(run);
    expect(second.runId).not.toBe(first.runId);
    await second.play();
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['booked 7', 'booked 7', 'after booked 7']);
  });

  test('keeps the version its caller asks for', async () => {
    const target = await publishFlow(bench, deps, called());
    await publishFlow(bench, deps, called('="second " & trigger.values.amount'), { flowId: target.flowId, version: 2 });
    for (const [more, expected] of [
      [{ version: 1 }, 'booked 1'],
      [{}, 'second 1'],
    ] as const) {
      const run = await (await publishFlow(bench, deps, caller(target.flowId, more))).begin({ amount: 1 });
      await run.play();
      await (await callOf(run)).play();
      expect(vendor.calls.at(-1)).toBe(expected);
    }
  });

  test.each([
    ['is not handed what it needs', called(), { values: '={}' }, 'values_invalid'],
    ['is handed something of another kind', called(), { values: '={"amount": "many"}' }, 'values_invalid'],
    ['is handed what it does not know', called(), { values: '={"amount": 1, "amuont": 2}' }, 'field_unknown'],
    ['has no such version', called(), { version: 9 }, 'flow_not_published'],
    [
      'begins otherwise',
      { nodes: { t: node('test.begin'), a: node('test.look', { name: 'a' }) }, edges: [edge('t', 'a')] },
      {},
      'flow_takes_no_calls',
    ],
  ])('and %s is not begun, and its caller says why', async (_, document, more, code) => {
    const target = await publishFlow(bench, deps, document);
    const run = await (await publishFlow(bench, deps, caller(target.flowId, more))).begin({ amount: 1 });
    await run.play();
    expect((await run.steps())['call']).toMatchObject({ status: 'parked', error: { code } });
    expect(vendor.calls).toEqual([]);
    await expect(callOf(run)).rejects.toThrow('Nothing was called');
  });

  test('by itself ends where calls go too deep', async () => {
    const target = await publishFlow(bench, deps, called());
    await publishFlow(
      bench,
      deps,
      {
        nodes: {
          t: node('core.flow-input', { fields }),
          call: node('core.call-flow', { flow: target.flowId, values: '={"amount": trigger.values.amount + 1}' }),
        },
        edges: [edge('t', 'call')],
      },
      { flowId: target.flowId, version: 2 },
    );
    let run = await (await publishFlow(bench, deps, caller(target.flowId))).begin({ amount: 0 });
    for (let depth = 1; depth <= 8; depth++) {
      await run.play();
      run = await callOf(run);
    }
    await run.play();
    expect((await run.steps())['call']).toMatchObject({ status: 'parked', error: { code: 'call_too_deep' } });
  });

  test('is cancelled with its caller, and its carrier is told', async () => {
    const target = await publishFlow(bench, deps, called());
    const run = await (await publishFlow(bench, deps, caller(target.flowId))).begin({ amount: 7 });
    await run.play();
    const child = await callOf(run);
    await createActivities(deps).cancelRun({ companyId: bench.companyId, runId: run.runId });
    expect((await child.row())['status']).toBe('cancelled');
    expect(await wakes(child)).toBe(1);
    expect((await child.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual([]);
  });

  test.each([
    ['fails', 'stop', {}],
    ['is undone', 'compensate', { error: { kept: [] } }],
  ])('ends with its caller when that %s', async (_, onError, expected) => {
    vendor.outcomes.set('beside', ['invalid']);
    const target = await publishFlow(bench, deps, called());
    const { nodes, edges } = caller(target.flowId);
    const run = await (
      await publishFlow(bench, deps, {
        nodes: { ...nodes, beside: { ...node('test.write', { name: 'beside' }), onError: onError as 'stop' } },
        edges: [...edges, edge('t', 'beside')],
      })
    ).begin({ amount: 7 });
    expect((await run.play())?.ended).toBe(true);
    expect(await run.row()).toMatchObject({ status: 'failed', ...expected });
    const [child] = await bench.database.asOwner('select status from runs where parent_run_id = $1', [run.runId]);
    expect(child).toEqual({ status: 'cancelled' });
    expect(vendor.calls).toEqual(['beside']);
  });

  test('that wrote something is named among what stays, when its caller is undone', async () => {
    vendor.outcomes.set('after booked 7', ['invalid']);
    const target = await publishFlow(bench, deps, called());
    const { nodes, edges } = caller(target.flowId);
    const run = await (
      await publishFlow(bench, deps, {
        nodes: { ...nodes, after: { ...node('test.write', { name: 'after booked 7' }), onError: 'compensate' } },
        edges,
      })
    ).begin({ amount: 7 });
    await run.play();
    await (await callOf(run)).play();
    expect((await run.play())?.ended).toBe(true);
    expect(await run.row()).toMatchObject({ status: 'failed', error: { undone: [], kept: ['core.call-flow'] } });
  });

  test('that wrote something and then failed is named among what stays, too', async () => {
    const target = await publishFlow(bench, deps, {
      nodes: { ...called().nodes, worse: node('test.write', { name: 'worse' }) },
      edges: [...called().edges, edge('write', 'worse')],
    });
    vendor.outcomes.set('worse', ['invalid']);
    const { nodes, edges } = caller(target.flowId);
    const run = await (
      await publishFlow(bench, deps, {
        nodes: { ...nodes, call: { ...nodes['call'], onError: 'compensate' } as never },
        edges,
      })
    ).begin({ amount: 7 });
    await run.play();
    const child = await callOf(run);
    await failIn(child, 'worse');
    expect((await run.play())?.ended).toBe(true);
    expect(await run.row()).toMatchObject({ status: 'failed', error: { kept: ['core.call-flow'] } });
  });

  test('that failed is called anew when what it stands in is tried again', async () => {
    vendor.outcomes.set('booked 7', ['invalid']);
    const target = await publishFlow(bench, deps, called());
    const { nodes } = caller(target.flowId);
    const run = await (
      await publishFlow(bench, deps, {
        nodes: {
          t: nodes['t'] as never,
          all: node('core.scope', { onFailure: 'leave' }),
          call: { ...nodes['call'], parent: 'all' } as never,
        },
        edges: [edge('t', 'all'), edge('all', 'call', 'each')],
      })
    ).begin({ amount: 7 });
    await run.play();
    const first = await callOf(run);
    await failIn(first, 'write');
    await run.play();
    expect((await run.steps())['all']).toMatchObject({ status: 'parked' });
    expect(await run.settle('all', { action: 'retry' })).toBe(true);
    await run.play();
    const second = await callOf(run);
    expect(second.runId).not.toBe(first.runId);
    await second.play();
    expect((await run.play())?.ended).toBe(true);
    expect((await run.row())['status']).toBe('succeeded');
  });

  test('from a scope that is undone ends with it, and is called anew by the next try', async () => {
    vendor.outcomes.set('beside', ['invalid']);
    const target = await publishFlow(bench, deps, called());
    const { nodes } = caller(target.flowId);
    const inScope = { parent: 'all' };
    const run = await (
      await publishFlow(bench, deps, {
        nodes: {
          t: nodes['t'] as never,
          all: node('core.scope'),
          call: { ...nodes['call'], ...inScope } as never,
          beside: { ...node('test.write', { name: 'beside' }), ...inScope },
        },
        edges: [edge('t', 'all'), edge('all', 'call', 'each'), edge('all', 'beside', 'each')],
      })
    ).begin({ amount: 7 });
    await run.play();
    const children = () =>
      bench.database.asOwner<{ status: string }>(
        'select status from runs where parent_run_id = $1 order by queued_at, id',
        [run.runId],
      );
    expect((await children()).map(({ status }) => status)).toEqual(['cancelled']);
    await run.settle('all', { action: 'retry' });
    await run.play();
    expect((await children()).map(({ status }) => status).sort()).toEqual(['cancelled', 'queued']);
  });
});
