import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FlowDocument } from '../../flow/schema.ts';
import type { Dependencies } from '../dependencies.ts';
import { createActivities } from '../index.ts';
import { RunEnded } from '../run-open.ts';
import { openBench, type Bench } from '../testing.ts';
import {
  breaking,
  drawnEdge as edge,
  drawnNode as node,
  playedRun,
  publishFlow,
  scriptedVendor,
  withVendor,
  type PlayedFlow,
  type PlayedRun,
  type ScriptedVendor,
} from '../testing-flow.ts';
import { keepValue, readKept } from './kept-values.ts';
import { getInLine } from './lock.ts';

let bench: Bench;
let vendor: ScriptedVendor;
/** Seconds that have passed. */
let passed: number;
let deps: Dependencies;
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(() => {
  vendor = scriptedVendor();
  passed = 0;
  deps = {
    ...withVendor(bench, vendor),
    now: () => new Date(bench.deps.now().getTime() + passed * 1_000),
  };
});
afterAll(() => bench.close());

/** trigger → the step in question → `yes <name>`, or by its other port → `no <name>` */
async function flow(step: FlowDocument['nodes'][string], other?: string): Promise<PlayedFlow> {
  return await publishFlow(bench, deps, {
    nodes: {
      t: node('test.begin'),
      step,
      yes: node('test.write', { name: '="yes " & trigger.name' }),
      ...(other ? { no: node('test.write', { name: '="no " & trigger.name' }) } : {}),
    },
    edges: [edge('t', 'step'), edge('step', 'yes'), ...(other ? [edge('step', 'no', other)] : [])],
  });
}
const begin = async (played: PlayedFlow, name: string, more: object = {}): Promise<PlayedRun> => {
  const run = await played.begin({ name, ...more });
  await run.play();
  return run;
};
const called = () => vendor.calls;
const isOver = async (run: PlayedRun) => (await run.play())?.ended;
const wakes = async (run: PlayedRun) =>
  (await bench.database.asOwner('select from run_wakes where run_id = $1', [run.runId])).length;

describe('only once', () => {
  test('lets the first with a key through, within its time', async () => {
    const played = await flow(node('core.only-once', { key: '=trigger.key', amount: 1, unit: 'hours' }), 'repeat');
    await begin(played, 'a', { key: 'k' });
    await begin(played, 'b', { key: 'k' });
    await begin(played, 'c', { key: 'other' });
    passed = 3_601;
    await begin(played, 'd', { key: 'k' });
    expect(called()).toEqual(['yes a', 'no b', 'yes c', 'yes d']);
  });

  test('lets a repetition through of the run that was the first, and no other', async () => {
    const played = await flow(node('core.only-once', { key: '=trigger.key', amount: 1, unit: 'hours' }), 'repeat');
    const first = await begin(played, 'a', { key: 'again' });
    const other = await begin(played, 'b', { key: 'again' });
    const repeat = async (of: PlayedRun, name: string): Promise<PlayedRun> => {
      const run = await played.begin({ name, key: 'again' });
      await bench.database.asOwner('update runs set rerun_of = $1 where id = $2', [of.runId, run.runId]);
      await run.play();
      return run;
    };
    const second = await repeat(first, 'a2');
    await repeat(second, 'a3');
    await repeat(other, 'b2');
    expect(called()).toEqual(['yes a', 'no b', 'yes a2', 'yes a3', 'no b2']);
  });

  test('has one first among many at the same moment', async () => {
    const played = await flow(node('core.only-once', { key: 'same' }), 'repeat');
    const runs = await Promise.all(Array.from({ length: 10 }, (_, index) => played.begin({ name: String(index) })));
    await Promise.all(runs.map((run) => run.play()));
    expect(called().filter((name) => name.startsWith('yes'))).toHaveLength(1);
    expect(called()).toHaveLength(10);
  });
});

describe('at most so many', () => {
  test('gives each its turn, so many in each window, in the order they came', async () => {
    const played = await flow(node('core.throttle', { limit: 2, amount: 1, unit: 'minutes' }));
    const runs = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) runs.push(await begin(played, name));
    expect(called()).toEqual(['yes a', 'yes b']);
    passed = 59;
    for (const run of runs) await run.play();
    expect(called()).toHaveLength(2);
    passed = 60;
    for (const run of runs) await run.play();
    expect(called()).toEqual(['yes a', 'yes b', 'yes c', 'yes d']);
    expect(await runs[4]?.play()).toMatchObject({ wakeInMs: 60_000 });
    passed = 120;
    expect(await isOver(runs[4] as PlayedRun)).toBe(true);
  });

  test('sends the rest another way where it may not wait, and keeps a pace for each key', async () => {
    const step = node('core.throttle', { limit: 1, unit: 'minutes', otherwise: 'skip', key: '=trigger.key' });
    const played = await flow(step, 'over');
    for (const [name, key] of [
      ['a', 'x'],
      ['b', 'x'],
      ['c', 'y'],
    ] as const)
      await begin(played, name, { key });
    passed = 60;
    await begin(played, 'd', { key: 'x' });
    expect(called()).toEqual(['yes a', 'no b', 'yes c', 'yes d']);
  });
});

describe('waiting for quiet', () => {
  test('goes on with the last one; those before it know at once', async () => {
    const played = await flow(node('core.debounce', { amount: 60, unit: 'seconds' }), 'newer');
    const first = await begin(played, 'a');
    passed = 30;
    const second = await begin(played, 'b');
    expect(await wakes(first)).toBe(1);
    expect(await isOver(first)).toBe(true);
    passed = 80;
    expect(await second.play()).toMatchObject({ ended: false, wakeInMs: 10_000 });
    passed = 90;
    expect(await isOver(second)).toBe(true);
    expect(called()).toEqual(['no a', 'yes b']);
    passed = 100;
    const third = await begin(played, 'c');
    expect(await third.play()).toMatchObject({ wakeInMs: 60_000 });
    expect(called()).toHaveLength(2);
  });
});

describe('collecting', () => {
  const step = (more: object) => node('core.collect', { item: '=trigger.name', amount: 10, unit: 'minutes', ...more });

  test('goes on with all of it when there are enough; the others went along', async () => {
    const played = await flow(step({ count: 3 }), 'joined');
    const first = await begin(played, 'a');
    await begin(played, 'b');
    expect(called()).toEqual(['no b']);
    await begin(played, 'c');
    expect(await wakes(first)).toBe(1);
    expect(await isOver(first)).toBe(true);
    expect((await first.steps())['step']?.['output']).toEqual({ items: ['a', 'b', 'c'], count: 3 });
    expect(called()).toEqual(['no b', 'no c', 'yes a']);
  });

  test('goes on with what there is when its time is up, and begins anew', async () => {
    const played = await flow(step({ count: 100 }), 'joined');
    const first = await begin(played, 'a');
    await begin(played, 'b');
    passed = 600;
    expect(await isOver(first)).toBe(true);
    expect((await first.steps())['step']?.['output']).toEqual({ items: ['a', 'b'], count: 2 });
    const next = await begin(played, 'c');
    expect(await next.play()).toMatchObject({ ended: false, wakeInMs: 600_000 });
  });

  test('goes on in another run when the one that waited has ended; what that one brought is its own', async () => {
    const played = await flow(step({ count: 3 }), 'joined');
    const first = await begin(played, 'a');
    await begin(played, 'b');
    await createActivities(deps).cancelRun({ companyId: bench.companyId, runId: first.runId });
    const next = await begin(played, 'c');
    expect(await next.play()).toMatchObject({ ended: false, wakeInMs: 600_000 });
    await begin(played, 'd');
    expect(await isOver(next)).toBe(true);
    expect((await next.steps())['step']?.['output']).toEqual({ items: ['b', 'c', 'd'], count: 3 });
    expect(called()).toEqual(['no b', 'no d', 'yes c']);
  });

  test('is not taken over by another run while it is ending: what it brought is neither lost nor handed on twice', async () => {
    const played = await flow(step({ count: 100 }), 'joined');
    const first = await begin(played, 'a');
    passed = 600;
    // Another run comes at the very moment at which the first one's wait is gone.
    let second: PlayedRun | undefined;
    const tenant: Dependencies['store']['tenant'] = async (companyId, work) => {
      const result = await bench.deps.store.tenant(companyId, work);
      const waits = await bench.database.asOwner('select from waits where run_id = $1', [first.runId]);
      if (waits.length === 0 && !second) second = await begin(played, 'b');
      return result;
    };
    const store = new Proxy(bench.deps.store, {
      get: (target, name) => {
        if (name === 'tenant') return tenant;
        const member = Reflect.get(target, name, target) as unknown;
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    const [report] = await createActivities({ ...deps, store }).advance({
      ...{ companyId: bench.companyId, planHash: played.planHash, runIds: [first.runId] },
    });
    expect(report?.ended).toBe(true);
    expect((await first.steps())['step']?.['output']).toEqual({ items: ['a'], count: 1 });
    passed = 1_200;
    expect(await isOver(second as PlayedRun)).toBe(true);
    expect((await second?.steps())?.['step']?.['output']).toEqual({ items: ['b'], count: 1 });
  });

  test('loses and doubles no item of many that come at the same moment', async () => {
    const played = await flow(step({ count: 4 }), 'joined');
    const runs = await Promise.all(Array.from({ length: 12 }, (_, index) => played.begin({ name: String(index) })));
    await Promise.all(runs.map((run) => run.play()));
    const ended = await Promise.all(runs.map((run) => run.play()));
    expect(ended.every((report) => report?.ended)).toBe(true);
    const outputs = await Promise.all(
      runs.map(async (run) => (await run.steps())['step']?.['output'] as { items: string[] }),
    );
    const batches = outputs.map(({ items }) => items).filter((items) => items.length > 0);
    expect(batches.map((items) => items.length)).toEqual([4, 4, 4]);
    expect(batches.flat().sort()).toEqual(runs.map((_, index) => String(index)).sort());
  });
});

describe('one at a time', () => {
  const guarded = (permits = 1, name = 'month-end') =>
    publishFlow(bench, deps, {
      nodes: {
        t: node('test.begin'),
        lock: node('core.lock', { name, permits }),
        inside: node('test.write', { name: '="in " & trigger.name' }),
        unlock: node('core.unlock', { name }),
        after: node('test.write', { name: '="after " & trigger.name' }),
      },
      edges: [edge('t', 'lock'), edge('lock', 'inside'), edge('inside', 'unlock'), edge('unlock', 'after')],
    });

  test('lets the next in when one is let go, in the order they came', async () => {
    const played = await guarded();
    vendor.outcomes.set('in a', ['invalid']);
    const [a, b, c] = [await begin(played, 'a'), await begin(played, 'b'), await begin(played, 'c')];
    expect(called()).toEqual(['in a']);
    await a.settle('inside', { action: 'retry' });
    expect(await isOver(a)).toBe(true);
    expect([await wakes(b), await wakes(c)]).toEqual([1, 0]);
    expect(await c.play()).toMatchObject({ ended: false });
    expect(await isOver(b)).toBe(true);
    expect(await isOver(c)).toBe(true);
    expect(called()).toEqual(['in a', 'in a', 'after a', 'in b', 'after b', 'in c', 'after c']);
  });

  test.each([
    ['fails', async (run: PlayedRun) => void (await run.settle('inside', { action: 'abort' }), await run.play())],
    [
      'is cancelled',
      (run: PlayedRun) => createActivities(deps).cancelRun({ companyId: bench.companyId, runId: run.runId }),
    ],
  ])('lets the next in when the run that holds it %s', async (name, end) => {
    const played = await guarded(1, name);
    vendor.outcomes.set('in a', ['invalid']);
    const [a, b] = [await begin(played, 'a'), await begin(played, 'b')];
    await end(a);
    expect(await wakes(b)).toBe(1);
    expect(await isOver(b)).toBe(true);
  });

  test('in turns of a loop side by side: what one lets go of is its own, and the others keep their place in line', async () => {
    const played = await publishFlow(bench, deps, {
      nodes: {
        t: node('test.begin'),
        loop: node('core.for-each', { items: '=trigger.items', concurrency: 3 }),
        lock: { ...node('core.lock', { name: 'by turns' }), parent: 'loop' },
        inside: { ...node('test.write', { name: '="in " & loop.item' }), parent: 'loop' },
        unlock: { ...node('core.unlock', { name: 'by turns' }), parent: 'loop' },
      },
      edges: [edge('t', 'loop'), edge('loop', 'lock', 'each'), edge('lock', 'inside'), edge('inside', 'unlock')],
    });
    const run = await played.begin({ items: ['a', 'b', 'c', 'd'] });
    for (let n = 0; n < 8 && !(await run.play())?.ended; n++);
    expect((await run.row())['status']).toBe('succeeded');
    expect([...called()].sort()).toEqual(['in a', 'in b', 'in c', 'in d']);
  });

  test('is not taken by a step whose run was ended while it was on its way there', async () => {
    const played = await guarded(1, 'by the ended');
    const run = await played.begin({ name: 'a' });
    await createActivities(deps).cancelRun({ companyId: bench.companyId, runId: run.runId });
    const place = {
      ...{ companyId: bench.companyId, flowId: played.flowId, runId: run.runId },
      nodeId: 'lock',
      iteration: '',
    };
    await expect(
      getInLine(deps.store, place, { name: 'by the ended', permits: 1, now: deps.now() }),
    ).rejects.toBeInstanceOf(RunEnded);
    expect(await isOver(await begin(played, 'b'))).toBe(true);
  });

  test('in branches side by side: what one lets go of is its own, and the other keeps its place in line', async () => {
    const branch = (id: string) => ({
      [`lock_${id}`]: node('core.lock', { name: 'by branches' }),
      [`in_${id}`]: node('test.write', { name: `in ${id}` }),
      [`unlock_${id}`]: node('core.unlock', { name: 'by branches' }),
    });
    const played = await publishFlow(bench, deps, {
      nodes: { t: node('test.begin'), ...branch('a'), ...branch('b') },
      edges: ['a', 'b'].flatMap((id) => [
        ...[edge('t', `lock_${id}`), edge(`lock_${id}`, `in_${id}`), edge(`in_${id}`, `unlock_${id}`)],
      ]),
    });
    const run = await played.begin();
    for (let n = 0; n < 6 && !(await run.play())?.ended; n++);
    expect((await run.row())['status']).toBe('succeeded');
    expect([...called()].sort()).toEqual(['in a', 'in b']);
  });

  test('is let go of with a turn that failed before it came to that', async () => {
    vendor.outcomes.set('in a', ['invalid']);
    const played = await publishFlow(bench, deps, {
      nodes: {
        t: node('test.begin'),
        loop: node('core.for-each', { items: '=trigger.items', onItemError: 'skip' }),
        lock: { ...node('core.lock', { name: 'by failing turns' }), parent: 'loop' },
        inside: { ...node('test.write', { name: '="in " & loop.item' }), parent: 'loop' },
        unlock: { ...node('core.unlock', { name: 'by failing turns' }), parent: 'loop' },
      },
      edges: [edge('t', 'loop'), edge('loop', 'lock', 'each'), edge('lock', 'inside'), edge('inside', 'unlock')],
    });
    const run = await played.begin({ items: ['a', 'b'] });
    for (let n = 0; n < 6 && !(await run.play())?.ended; n++);
    expect(called()).toEqual(['in a', 'in b']);
    expect((await run.row())['status']).toBe('succeeded');
  });

  test('is let go of with a try that is undone, so that the next one gets it', async () => {
    vendor.outcomes.set('in a', ['invalid']);
    const played = await publishFlow(bench, deps, {
      nodes: {
        t: node('test.begin'),
        all: node('core.scope'),
        lock: { ...node('core.lock', { name: 'by tries' }), parent: 'all' },
        inside: { ...node('test.write', { name: '="in " & trigger.name' }), parent: 'all' },
        unlock: { ...node('core.unlock', { name: 'by tries' }), parent: 'all' },
      },
      edges: [edge('t', 'all'), edge('all', 'lock', 'each'), edge('lock', 'inside'), edge('inside', 'unlock')],
    });
    const run = await begin(played, 'a');
    const [other] = [await begin(played, 'b')];
    expect(await isOver(other)).toBe(true);
    await run.settle('all', { action: 'retry' });
    for (let n = 0; n < 4 && !(await run.play())?.ended; n++);
    expect((await run.row())['status']).toBe('succeeded');
    expect(called()).toEqual(['in a', 'in b', 'in a']);
  });

  test('lets as many in as it is told, and never more', async () => {
    const played = await guarded(2, 'two');
    vendor.outcomes.set('in a', ['invalid']);
    vendor.outcomes.set('in b', ['invalid']);
    const runs = [await begin(played, 'a'), await begin(played, 'b'), await begin(played, 'c')];
    expect(called()).toEqual(['in a', 'in b']);
    await runs[1]?.settle('inside', { action: 'retry' });
    await runs[1]?.play();
    expect(await isOver(runs[2] as PlayedRun)).toBe(true);
  });
});

describe('what flows remember', () => {
  test('is not put back by a step that is carried out again after somebody else wrote', async () => {
    const run = await (await flow(node('core.recall', { key: 'again' }), 'missing')).begin({ name: 'r' });
    const by = `effect of ${run.runId}`;
    await bench.database.asOwner(
      `insert into effects (company_id, key, run_id, node_id, iteration, state) values ($1, $2, $3, 'keep', '', 'intent')`,
      [bench.companyId, by, run.runId],
    );
    const keep = (value: string, key: string) =>
      keepValue(deps.store, bench.companyId, {
        ...{ collection: 'general', key: 'again', value, expiresAt: null, by: key, now: deps.now() },
      });
    const first = await keep('one', by);
    await keep('two', 'another step');
    expect(await keep('one', by)).toEqual(first);
    const read = await readKept(deps.store, bench.companyId, { collection: 'general', key: 'again', now: deps.now() });
    expect(read.value).toBe('two');
  });

  test('is read by a later run, until it expires or is forgotten', async () => {
    const remember = (value: unknown, days = 0) =>
      publishFlow(bench, deps, {
        nodes: { t: node('test.begin'), keep: node('core.remember', { key: 'k', value, days }) },
        edges: [edge('t', 'keep')],
      });
    const recall = await flow(node('core.recall', { key: 'k' }), 'missing');
    const read = async () => (await (await begin(recall, 'r')).steps())['step']?.['output'];
    expect(await read()).toEqual({ found: false, value: null });
    await begin(await remember({ cursor: 7 }, 1), 'w');
    expect(await read()).toEqual({ found: true, value: { cursor: 7 } });
    passed = 86_400;
    expect(await read()).toEqual({ found: false, value: null });
    await begin(await remember('again'), 'w');
    expect(await read()).toEqual({ found: true, value: 'again' });
    await begin(await remember(null), 'w');
    expect(await read()).toEqual({ found: false, value: null });
  });
});

test('a turn is kept when what came after it was lost, wherever the connection broke', async () => {
  const played = await flow(
    node('core.throttle', { key: '=trigger.name', limit: 1, unit: 'hours', otherwise: 'skip' }),
    'over',
  );
  for (let which = 1; ; which++) {
    const run = await played.begin({ name: String(which) });
    const { store, asked } = breaking(deps.store, which, 'before');
    const input = { companyId: bench.companyId, planHash: played.planHash, runIds: [run.runId] };
    await createActivities({ ...deps, store, leaseMs: 0 })
      .advance(input)
      .catch(() => undefined);
    await bench.database.asOwner(
      `update effects set updated_at = now() - interval '1 minute' where run_id = $1 and state = 'intent'`,
      [run.runId],
    );
    expect(await isOver(run)).toBe(true);
    expect((await run.steps())['step'], `exchange ${which}`).toMatchObject({ port: 'out', output: { passed: true } });
    if (asked() < which) break;
  }
});

test('a run that is taken up again keeps its turn', async () => {
  const played = await flow(node('core.throttle', { limit: 1, unit: 'minutes' }));
  await begin(played, 'a');
  const run = await played.begin({ name: 'b' });
  await Promise.all([run.advance(), playedRun(bench, deps, { runId: run.runId, planHash: played.planHash }).advance()]);
  passed = 60;
  expect(await isOver(run)).toBe(true);
  expect(called()).toEqual(['yes a', 'yes b']);
});
