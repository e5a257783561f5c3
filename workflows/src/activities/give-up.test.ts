import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addressOf, decideAs, hire } from '../approvals/testing-approval.ts';
import type { FlowDocument } from '../flow/schema.ts';
import type { Dependencies } from './dependencies.ts';
import { openBench, type Bench } from './testing.ts';
import {
  drawnEdge as edge,
  drawnNode as node,
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
  await hire(bench, { Ben: 'builder' });
});
beforeEach(() => {
  vendor = scriptedVendor();
  deps = withVendor(bench, vendor);
});
afterAll(() => bench.close());

type Drawn = Pick<FlowDocument, 'nodes' | 'edges'>;

/** loop ( item "stop" → what ends it, any other → write → ask → pay ) → after */
function looped(ending: FlowDocument['nodes'][string], loop: object = {}, more: object = {}): Drawn {
  const parent = 'loop';
  const stages = [{ approvers: addressOf(bench, 'Ben'), from: '0' }];
  return {
    nodes: {
      t: node('test.begin'),
      loop: { ...node('core.for-each', { items: '=trigger.items', concurrency: 5, ...loop }), ...more },
      which: { ...node('core.if', { condition: '=loop.item = "stop"' }), parent },
      end: { ...ending, parent },
      write: { ...node('test.write', { name: '="write " & loop.item' }), parent },
      ask: { ...node('core.approval', { title: '="Pay " & loop.item & "?"', stages, remindEveryHours: 0 }), parent },
      pay: { ...node('test.write', { name: '="pay " & loop.item' }), parent },
      after: node('test.write', { name: 'after' }),
    },
    edges: [
      ...[
        edge('t', 'loop'),
        edge('loop', 'which', 'each'),
        edge('which', 'end', 'then'),
        edge('which', 'write', 'else'),
      ],
      ...[edge('write', 'ask'), edge('ask', 'pay', 'approved'), edge('loop', 'after')],
    ],
  };
}
const failing = () => ({ ...node('test.look', { name: '="look " & loop.item' }), onError: 'stop' as const });

async function begun(drawn: Drawn, given = deps, items = ['one', 'stop', 'two']): Promise<PlayedRun> {
  return await (await publishFlow(bench, given, drawn)).begin({ items });
}

/** What is open: questions, waits and steps. */
async function open(run: PlayedRun): Promise<Record<string, number>> {
  const [row] = await bench.database.asOwner<Record<string, number>>(
    `select (select count(*)::int from approvals where run_id = $1 and status = 'open') as questions,
            (select count(*)::int from waits where run_id = $1) as waits,
            (select count(*)::int from steps where run_id = $1 and status in ('running', 'waiting', 'parked')) as steps,
            (select count(*)::int from iterations where run_id = $1 and status = 'pending') as turns`,
    [run.runId],
  );
  return row ?? {};
}
const nothing = { questions: 0, waits: 0, steps: 0, turns: 0 };

async function questions(run: PlayedRun): Promise<{ readonly id: string; readonly iteration: string }[]> {
  return await bench.database.asOwner(
    `select id, iteration from approvals where run_id = $1 and status = 'open' order by iteration`,
    [run.runId],
  );
}

describe('a loop that is over while some of its turns wait', () => {
  test('because one left it asks nobody any more', async () => {
    const run = await begun(looped(node('core.leave-loop')));
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toEqual(['write one', 'write two', 'after']);
    expect((await run.row())['status']).toBe('succeeded');
    expect(await open(run)).toEqual(nothing);
    const [asked] = await bench.database.asOwner<{ id: string }>('select id from approvals where run_id = $1', [
      run.runId,
    ]);
    if (!asked) throw new Error('Nothing was asked');
    expect(await decideAs(bench, deps, { runId: run.runId, approvalId: asked.id }, 'Ben', 'approved')).toBe(
      'approval_over',
    );
    expect((await run.steps())['ask 0']).toMatchObject({ status: 'failed' });
  });

  test('because one failed, and that has a way of its own, asks nobody any more', async () => {
    vendor.outcomes.set('look stop', ['invalid']);
    const drawn = looped(failing(), {}, { onError: 'port' });
    drawn.edges.push(edge('loop', 'after', 'error'));
    const run = await begun(drawn);
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls.at(-1)).toBe('after');
    expect(await open(run)).toEqual(nothing);
  });

  test('and whose worker dies in between gives them up all the same', async () => {
    for (const when of ['after-turn-closed', 'before-run-ended']) {
      let left = 1;
      const dying: Dependencies = {
        ...deps,
        crashPoint: (point) => {
          if (point === when && left-- > 0) throw new Error('The worker is gone');
        },
      };
      const run = await begun(looped(node('core.leave-loop')), dying);
      await expect(run.play()).rejects.toThrow('The worker is gone');
      // What it had written is still on its way to the disk.
      await setTimeout(100);
      expect((await run.play())?.ended).toBe(true);
      expect(await open(run)).toEqual(nothing);
    }
  });

  test('because one failed keeps them open while a person may have it tried again, and goes on with them then', async () => {
    vendor.outcomes.set('look stop', ['invalid']);
    const run = await begun(looped(failing()));
    expect(await run.play()).toMatchObject({ ended: false });
    expect((await run.steps())['loop']).toMatchObject({ status: 'parked' });
    const asked = await questions(run);
    expect(asked.map(({ iteration }) => iteration)).toEqual(['0', '2']);
    await run.settle('loop', { action: 'retry' });
    await run.play();
    expect(await questions(run)).toEqual(asked);
    for (const { id } of asked)
      expect(await decideAs(bench, deps, { runId: run.runId, approvalId: id }, 'Ben', 'approved')).toBe('ok');
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls.toSorted()).toEqual(
      ['write one', 'write two', 'look stop', 'look stop', 'pay one', 'pay two', 'after'].toSorted(),
    );
  });

  test.each([
    [{ action: 'skip', output: {} }, 'succeeded'],
    [{ action: 'error_port' }, 'succeeded'],
    [{ action: 'abort' }, 'failed'],
  ] as const)(
    'because one failed, and that a person does not have tried again (%o: %s), asks nobody any more',
    async (decision, status) => {
      vendor.outcomes.set('look stop', ['invalid']);
      const drawn = looped(failing());
      drawn.edges.push(edge('loop', 'after', 'error'));
      const run = await begun(drawn);
      await run.play();
      expect(await questions(run)).toHaveLength(2);
      expect(await run.settle('loop', decision)).toBe(true);
      expect((await run.play())?.ended).toBe(true);
      expect((await run.row())['status']).toBe(status);
      expect(vendor.calls.includes('after')).toBe(status === 'succeeded');
      expect(await open(run)).toEqual(nothing);
    },
  );

  test('in a loop that is tried again waits its time once more, however often it is looked at', async () => {
    vendor.outcomes.set('look stop', ['invalid']);
    let time = deps.now().getTime();
    const given = { ...deps, now: () => new Date(time) };
    const drawn = looped(failing(), {}, { onError: 'stop', parent: 'outer' });
    drawn.nodes['outer'] = node('core.for-each', { items: '=["only"]' });
    drawn.nodes['ask'] = { ...node('core.wait', { amount: 10, unit: 'minutes' }), parent: 'loop' };
    drawn.nodes['after'] = { ...node('test.write', { name: 'after' }), parent: 'outer' };
    drawn.edges = [...drawn.edges.slice(1), edge('t', 'outer'), edge('outer', 'loop', 'each')].map((one) =>
      one.from === 'ask' ? edge('ask', 'pay') : one,
    );
    const run = await begun(drawn, given);
    await run.play();
    expect((await run.steps())['outer']).toMatchObject({ status: 'parked' });
    await run.settle('outer', { action: 'retry' });
    expect(await run.play()).toMatchObject({ ended: false, wakeInMs: 600_000 });
    time += 400_000;
    expect(await run.play()).toMatchObject({ ended: false, wakeInMs: 200_000 });
    time += 200_000;
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls.toSorted()).toEqual(
      ['write one', 'write two', 'look stop', 'look stop', 'pay one', 'pay two', 'after'].toSorted(),
    );
  });

  test('in a loop that is tried again asks anew, and does nothing else again', async () => {
    vendor.outcomes.set('look stop', ['invalid']);
    const drawn = looped(failing(), {}, { onError: 'stop', parent: 'outer' });
    drawn.nodes['outer'] = node('core.for-each', { items: '=["only"]' });
    drawn.nodes['after'] = { ...node('test.write', { name: 'after' }), parent: 'outer' };
    drawn.edges = [...drawn.edges.slice(1), edge('t', 'outer'), edge('outer', 'loop', 'each')];
    const run = await begun(drawn);
    expect(await run.play()).toMatchObject({ ended: false });
    expect((await run.steps())['outer']).toMatchObject({ status: 'parked' });
    expect(await questions(run)).toEqual([]);
    await run.settle('outer', { action: 'retry' });
    expect(await run.play()).toMatchObject({ ended: false, wakeInMs: null });
    const asked = await questions(run);
    expect(asked.map(({ iteration }) => iteration)).toEqual(['0.0', '0.2']);
    for (const { id } of asked)
      expect(await decideAs(bench, deps, { runId: run.runId, approvalId: id }, 'Ben', 'approved')).toBe('ok');
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls.toSorted()).toEqual(
      ['write one', 'write two', 'look stop', 'look stop', 'pay one', 'pay two', 'after'].toSorted(),
    );
    expect((await run.row())['status']).toBe('succeeded');
  });
});

describe('a turn that is over while something in it waits', () => {
  /** loop ( ask, and beside it what ends the turn ) → after; or the same in a scope in the loop */
  const beside = (ending: FlowDocument['nodes'][string], loop: object, inScope: boolean): Drawn => {
    const parent = inScope ? 'all' : 'loop';
    const stages = [{ approvers: addressOf(bench, 'Ben'), from: '0' }];
    return {
      nodes: {
        t: node('test.begin'),
        loop: node('core.for-each', { items: '=trigger.items', ...loop }),
        ...(inScope && { all: { ...node('core.scope'), parent: 'loop' } }),
        ask: { ...node('core.approval', { title: 'Pay?', stages, remindEveryHours: 0 }), parent },
        end: { ...ending, parent },
        after: node('test.write', { name: '="after " & steps.loop.succeeded' }),
      },
      edges: [
        ...[edge('t', 'loop'), edge(parent, 'ask', 'each'), edge(parent, 'end', 'each'), edge('loop', 'after')],
        ...(inScope ? [edge('loop', 'all', 'each')] : []),
      ],
    };
  };

  test.each([
    ['with the next item', node('core.next-item'), {}, 'after 2'],
    ['out of the loop', node('core.leave-loop'), {}, 'after 1'],
    [
      'as failed',
      { ...node('test.look', { name: 'x' }), onError: 'stop' as const },
      { onItemError: 'skip' },
      'after 0',
    ],
  ])('%s asks nobody any more', async (_, ending, loop, after) => {
    for (const inScope of [false, true]) {
      vendor.outcomes.set('x', ['invalid', 'invalid']);
      const run = await begun(beside(ending, loop, inScope), deps, ['a', 'b']);
      expect((await run.play())?.ended).toBe(true);
      expect(vendor.calls.at(-1)).toBe(after);
      expect(await open(run), inScope ? 'in a scope' : 'in the loop').toEqual(nothing);
    }
  });
});
