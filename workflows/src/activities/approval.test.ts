import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decideAs, hire, standing, addressOf, type AskedRun } from '../approvals/testing-approval.ts';
import type { FlowDocument } from '../flow/schema.ts';
import type { Dependencies } from './dependencies.ts';
import { createActivities } from './index.ts';
import { openBench, type Bench } from './testing.ts';
import { publishFlow, scriptedVendor, withVendor, type PlayedRun, type ScriptedVendor } from './testing-flow.ts';

let bench: Bench;
let deps: Dependencies;
let vendor: ScriptedVendor;
beforeAll(async () => {
  bench = await openBench();
  vendor = scriptedVendor();
  deps = withVendor(bench, vendor);
  await hire(bench, { Ana: 'owner', Ben: 'builder' });
});
afterAll(() => bench.close());

const node = (
  type: string,
  inputs: Readonly<Record<string, unknown>> = {},
  more: object = {},
): FlowDocument['nodes'][string] => ({
  ...{ type, version: 1, name: type, ...more },
  inputs: Object.fromEntries(
    Object.entries(inputs).map(([field, value]) => [
      field,
      typeof value === 'string' && value.startsWith('=')
        ? { kind: 'expression' as const, source: value.slice(1) }
        : { kind: 'literal' as const, value: value as string },
    ]),
  ),
});
const edge = (from: string, to: string, port = 'out') => ({ id: `${from}:${port}:${to}`, from, port, to });

/** Asks those who are named when it starts, and writes what was decided. */
const asking = (): Pick<FlowDocument, 'nodes' | 'edges'> => ({
  nodes: {
    t: node('test.begin'),
    ask: node('core.approval', {
      title: '="Pay " & trigger.name & "?"',
      stages: '=[{ "approvers": trigger.who, "from": "0" }]',
      remindEveryHours: 0,
    }),
    yes: node('test.write', { name: '="yes " & steps.ask.decidedBy' }),
    no: node('test.write', { name: '="no " & steps.ask.decidedBy' }),
    sorry: node('test.write', { name: 'sorry' }),
  },
  edges: [
    edge('t', 'ask'),
    edge('ask', 'yes', 'approved'),
    edge('ask', 'no', 'rejected'),
    edge('ask', 'sorry', 'error'),
  ],
});
const begin = async (name: string, who = addressOf(bench, 'Ben')) =>
  await (await publishFlow(bench, deps, asking())).begin({ name, who });

async function questions(run: PlayedRun): Promise<(AskedRun & { readonly iteration: string })[]> {
  const rows = await bench.database.asOwner<{ id: string; iteration: string }>(
    'select id, iteration from approvals where run_id = $1 order by opened_at, id',
    [run.runId],
  );
  return rows.map(({ id, iteration }) => ({ runId: run.runId, approvalId: id, iteration }));
}
async function question(run: PlayedRun): Promise<AskedRun> {
  const [first] = await questions(run);
  if (!first) throw new Error('Nothing is asked');
  return first;
}

describe('a run that asks for approval', () => {
  test('asks once, however often it is carried on, and goes the way that was decided', async () => {
    const run = await begin('once');
    for (let round = 0; round < 3; round++)
      expect(await run.play()).toEqual({ runId: run.runId, ended: false, wakeInMs: null });
    expect(await questions(run)).toHaveLength(1);
    expect((await run.row())['status']).toBe('waiting');
    expect(await decideAs(bench, deps, await question(run), 'Ben', 'approved')).toBe('ok');
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toContain('yes Ben');
    expect((await run.steps())['no']).toMatchObject({ status: 'skipped' });
  });

  test('keeps the decision while a later step is tried again', async () => {
    vendor.outcomes.set('yes Ben', ['invalid']);
    const run = await begin('kept');
    await run.play();
    await decideAs(bench, deps, await question(run), 'Ben', 'approved');
    await run.play();
    expect((await run.steps())['yes']).toMatchObject({ status: 'parked' });
    await run.settle('yes', { action: 'retry' });
    expect((await run.play())?.ended).toBe(true);
    expect(await questions(run)).toHaveLength(1);
  });

  test('that cannot be put to anybody waits for a person, and asks anew when it is tried again', async () => {
    const run = await begin('nobody', 'the boss');
    await run.play();
    expect((await run.steps())['ask']).toMatchObject({ status: 'parked', error: { code: 'approver_unknown' } });
    expect(await questions(run)).toEqual([]);
    const stages = [{ approvers: addressOf(bench, 'Ana'), from: '0' }];
    await run.settle('ask', { action: 'retry', input: { title: 'Pay?', stages, remindEveryHours: 0 } });
    await run.play();
    expect(await decideAs(bench, deps, await question(run), 'Ana', 'rejected')).toBe('ok');
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls).toContain('no Ana');
  });

  test('takes its question back when it is cancelled', async () => {
    const run = await begin('cancelled');
    await run.play();
    const task = await question(run);
    await createActivities(deps).cancelRun({ companyId: bench.companyId, runId: run.runId });
    expect(await standing(bench, task)).toMatchObject({ status: 'withdrawn', wakes: 0 });
    expect(await decideAs(bench, deps, task, 'Ben', 'approved')).toBe('approval_over');
  });

  test('takes its question back when somebody drops the step, and goes no way from there', async () => {
    const run = await begin('dropped');
    await run.play();
    const task = await question(run);
    expect(await run.settle('ask', { action: 'abort' })).toBe(true);
    expect((await standing(bench, task)).status).toBe('withdrawn');
    expect(await decideAs(bench, deps, task, 'Ben', 'approved')).toBe('approval_over');
    expect((await run.play())?.ended).toBe(true);
    expect((await run.row())['status']).toBe('failed');
    expect(vendor.calls).not.toContain('sorry');
  });

  test('asks for each turn of a loop on its own', async () => {
    const who = addressOf(bench, 'Ben');
    const flow = await publishFlow(bench, deps, {
      nodes: {
        t: node('test.begin'),
        each: node('core.for-each', { items: '=trigger.bills', concurrency: 2 }),
        ask: node(
          'core.approval',
          { title: '="Pay " & loop.item & "?"', stages: [{ approvers: who, from: '0' }], remindEveryHours: 0 },
          { parent: 'each' },
        ),
        pay: node('test.write', { name: '="pay " & loop.item' }, { parent: 'each' }),
      },
      edges: [edge('t', 'each'), edge('each', 'ask', 'each'), edge('ask', 'pay', 'approved')],
    });
    const run = await flow.begin({ bills: ['A', 'B'] });
    await run.play();
    const tasks = await questions(run);
    expect(tasks.map(({ iteration }) => iteration).toSorted()).toEqual(['0', '1']);
    for (const task of tasks) expect(await decideAs(bench, deps, task, 'Ben', 'approved')).toBe('ok');
    expect((await run.play())?.ended).toBe(true);
    expect(vendor.calls.filter((call) => call.startsWith('pay')).toSorted()).toEqual(['pay A', 'pay B']);
  });
});

describe('a scope that is tried again after a decision', () => {
  const drawn = (title: string): Pick<FlowDocument, 'nodes' | 'edges'> => ({
    nodes: {
      t: node('test.begin'),
      all: node('core.scope'),
      ask: node(
        'core.approval',
        { title, stages: '=[{ "approvers": trigger.who, "from": "0" }]', remindEveryHours: 0 },
        { parent: 'all' },
      ),
      pay: node('test.write', { name: '="pay " & trigger.name & " by " & steps.ask.decidedBy' }, { parent: 'all' }),
    },
    edges: [edge('t', 'all'), edge('all', 'ask', 'each'), edge('ask', 'pay', 'approved')],
  });
  /** Until it waits for a person because paying failed. */
  const decidedAndFailed = async (title: string, name: string): Promise<PlayedRun> => {
    vendor.outcomes.set(`pay ${name} by Ben`, ['invalid']);
    const run = await (await publishFlow(bench, deps, drawn(title))).begin({ name, who: addressOf(bench, 'Ben') });
    await run.play();
    await decideAs(bench, deps, await question(run), 'Ben', 'approved');
    await run.play();
    expect((await run.row())['status']).toBe('parked');
    await run.settle('all', { action: 'retry' });
    return run;
  };

  test('asks nobody again for what was decided', async () => {
    const run = await decidedAndFailed('="Pay " & trigger.name & "?"', 'twice');
    expect((await run.play())?.ended).toBe(true);
    expect(await questions(run)).toHaveLength(1);
    expect((await run.row())['status']).toBe('succeeded');
    expect(vendor.calls.filter((name) => name === 'pay twice by Ben')).toHaveLength(2);
  });

  test('asks again when what is asked is another thing', async () => {
    const run = await decidedAndFailed('="Pay " & trigger.name & ", draw " & $string($random()) & "?"', 'otherwise');
    expect(await run.play()).toMatchObject({ ended: false });
    expect(await questions(run)).toHaveLength(2);
  });
});
