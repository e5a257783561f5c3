import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@plumbline/db/embedded';
import { findTemporalCli } from '@plumbline/engine/start/temporal-cli';
import { startTemporal, type TemporalServer } from '@plumbline/engine/start/temporal-server';
import type {
  Activities,
  LaneReport,
  SettleStepInput,
  StepDecision,
  StepRef,
} from '@plumbline/workflows/activities/contract';
import {
  CarrierBusyError,
  Carriers,
  StepNotParkedError,
  StepNotWaitingError,
  TemporalAwayError,
} from '@plumbline/workflows/client';
import { carrierWorkflowId } from '@plumbline/workflows/payload-codec';
import { Client, Connection } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openLink } from '../support/bad-network.ts';

const plain: PayloadCodec = {
  encode: (payloads) => Promise.resolve(payloads),
  decode: (payloads) => Promise.resolve(payloads),
};
const companyId = randomUUID();

let dataDir: string;
let temporal: TemporalServer;
let connection: NativeConnection;
let worker: Worker;
let running: Promise<void>;
let carriers: Carriers;

type Standing = Omit<LaneReport, 'runId'> & { readonly parked?: readonly string[] };
const ended: Standing = { ended: true, wakeInMs: null };
const parkedAt = (...parked: string[]): Standing => ({ ended: false, wakeInMs: null, parked });
const wakes = (wakeInMs: number): Standing => ({ ended: false, wakeInMs });

/** Where each run stands, call by call, and everything the workflow asked for: a ledger that only remembers. */
const standings = new Map<string, Standing[]>();
const advances: string[][] = [];
const settled: SettleStepInput[] = [];
const cancelled: string[] = [];
const woken: StepRef[] = [];
/** Steps that wait for a decision, `run/node`: each takes one. */
const parkedSteps = new Set<string>();
/** Steps that wait for a time, `run/node`: each can be woken, and given up once. */
const timed = new Set<string>();
/** Runs whose carrying on takes until this is settled. */
const slow = new Map<string, Promise<void>>();
const activities: Activities = {
  advance: async ({ runIds }) => {
    advances.push([...runIds]);
    await Promise.all(runIds.map((runId) => slow.get(runId)));
    return runIds.map((runId) => {
      const { parked = [], ...report } = standings.get(runId)?.shift() ?? ended;
      for (const nodeId of parked) parkedSteps.add(`${runId}/${nodeId}`);
      return { runId, ...report };
    });
  },
  settleStep: (input) => {
    const name = `${input.runId}/${input.nodeId}`;
    if (settled.some(({ decisionId }) => decisionId === input.decisionId)) return Promise.resolve(true);
    const open =
      parkedSteps.delete(name) || (input.decision.action === 'abort' && input.exclusive && timed.delete(name));
    if (open) settled.push(input);
    return Promise.resolve(open);
  },
  wakeStep: (input) => {
    const waits = timed.has(`${input.runId}/${input.nodeId}`);
    if (waits) woken.push(input);
    return Promise.resolve(waits);
  },
  cancelRun: ({ runId }) => {
    cancelled.push(runId);
    return Promise.resolve();
  },
};

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'plumbline-carrier-'));
  const { path } = await findTemporalCli(process.env, () => undefined);
  temporal = await startTemporal({ cli: path, dataDir, port: await freePort(), uiPort: await freePort() });
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  connection = await NativeConnection.connect({ address: temporal.address });
  worker = await Worker.create({
    connection,
    taskQueue: 'carrier-test',
    activities: { ...activities },
    workflowsPath: fileURLToPath(new URL('../../workflows/src/workflows/index.ts', import.meta.url)),
  });
  running = worker.run();
  carriers = new Carriers({ address: temporal.address, namespace: 'default', codec: plain, taskQueue: 'carrier-test' });
});
afterAll(async () => {
  worker?.shutdown();
  await running;
  await carriers?.close();
  await connection?.close();
  await temporal?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** Starts a carrier; the scripts say where its first run, and each other, stand after each time they were carried on. */
async function carry(script: readonly Standing[] = [], runs = 1, others: readonly Standing[] = []) {
  const runIds = Array.from({ length: runs }, () => randomUUID() as string);
  const [runId = ''] = runIds;
  for (const id of runIds) standings.set(id, [...(id === runId ? script : others)]);
  const carrierId = randomUUID();
  const input = { companyId, carrierId, planHash: 'hash', runIds };
  await carriers.start(input);
  const { workflow } = new Client({ connection: await Connection.connect({ address: temporal.address }) });
  const workflowId = carrierWorkflowId(companyId, carrierId);
  const handle = workflow.getHandle(workflowId);
  const firstRun = workflow.getHandle(workflowId, (await handle.describe()).runId);
  return {
    runId,
    runIds,
    again: () => carriers.start(input),
    /** How often the run was carried on. */
    times: (id = runId) => advances.filter((ids) => ids.includes(id)).length,
    decide: (nodeId: string, decision: StepDecision, id = runId) =>
      carriers.decide({ companyId, carrierId }, { runId: id, nodeId, iteration: '', decision }),
    wake: (nodeId: string, by = carriers) => by.wake({ companyId, carrierId }, { runId, nodeId, iteration: '' }),
    look: (ids: readonly string[] = [runId]) => carriers.look({ companyId, carrierId }, ids),
    firstOutcome: async () => (await firstRun.describe()).status.name,
    cancel: () => carriers.cancel({ companyId, carrierId }, runId),
    ended: () => handle.result(),
    bytes: async () => (await handle.describe()).historySize,
  };
}

const eventually = { timeout: 20_000, interval: 50 };

/** Has a run that rests carried on, and takes as long about it as nobody says that it is done. @returns what says so */
async function setToWork(run: Awaited<ReturnType<typeof carry>>): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  slow.set(run.runId, promise);
  await run.wake('timed');
  await vi.waitFor(() => expect(run.times()).toBe(2), eventually);
  return () => {
    slow.delete(run.runId);
    resolve();
  };
}

describe('a carrier', () => {
  test('has a run carried on once, however often it is started', async () => {
    const run = await carry();
    await run.again();
    await run.ended();
    await run.again();
    expect(run.times()).toBe(1);
  });

  test('has its runs carried on together first, then each on its own', async () => {
    const run = await carry([parkedAt('a')], 20);
    await vi.waitFor(() => run.decide('a', { action: 'abort' }), eventually);
    await run.ended();
    expect(run.runIds.map((id) => run.times(id))).toEqual([2, ...Array.from({ length: 19 }, () => 1)]);
  });

  test('waits as long as a run says, over and over', async () => {
    const began = performance.now();
    const run = await carry([wakes(300), wakes(200), wakes(0)]);
    await run.ended();
    expect(run.times()).toBe(4);
    expect(performance.now() - began).toBeGreaterThanOrEqual(490);
  });

  test('records a decision before it answers, and goes on', async () => {
    const run = await carry([parkedAt('a')]);
    await vi.waitFor(() => run.decide('a', { action: 'retry' }), eventually);
    expect(settled.filter(({ runId }) => runId === run.runId)).toEqual([
      {
        companyId,
        planHash: 'hash',
        runId: run.runId,
        nodeId: 'a',
        iteration: '',
        decision: { action: 'retry' },
        decisionId: expect.any(String) as string,
        exclusive: false,
      },
    ]);
    await run.ended();
    expect(run.times()).toBe(2);
  });

  test('lets the first of many decisions at once stand, and tells the others', async () => {
    // A decision that is refused has the run looked at as well.
    const run = await carry([parkedAt('a'), parkedAt()]);
    await vi.waitFor(() => expect(run.times()).toBe(1), eventually);
    await expect(run.decide('b', { action: 'retry' })).rejects.toBeInstanceOf(StepNotParkedError);
    const answers = await Promise.allSettled(
      Array.from({ length: 5 }, () => run.decide('a', { action: 'skip', output: {} })),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toBeInstanceOf(StepNotParkedError);
    await run.ended();
    expect(settled.filter(({ runId }) => runId === run.runId)).toHaveLength(1);
    await expect(run.decide('a', { action: 'retry' })).rejects.toBeInstanceOf(StepNotParkedError);
  });

  test('takes decisions about two branches of one run', async () => {
    const run = await carry([parkedAt('a', 'b'), parkedAt('b')]);
    await vi.waitFor(() => run.decide('a', { action: 'retry' }), eventually);
    await run.decide('b', { action: 'retry' });
    await run.ended();
    expect(settled.filter(({ runId }) => runId === run.runId).map(({ nodeId }) => nodeId)).toEqual(['a', 'b']);
  });

  test('lets a step that waits for its next try go on at once, when somebody says so', async () => {
    const run = await carry([wakes(3_600_000)]);
    timed.add(`${run.runId}/timed`);
    await vi.waitFor(() => expect(run.times()).toBe(1), eventually);
    await run.wake('timed');
    await run.ended();
    expect(run.times()).toBe(2);
    expect(woken.filter(({ runId }) => runId === run.runId)).toEqual([
      { companyId, runId: run.runId, nodeId: 'timed', iteration: '' },
    ]);
    await expect(run.wake('timed')).rejects.toBeInstanceOf(StepNotWaitingError);
  });

  test('says so when there is nothing to wake, and leaves the run alone', async () => {
    const run = await carry([wakes(3_600_000)]);
    await vi.waitFor(() => expect(run.times()).toBe(1), eventually);
    await expect(run.wake('timed')).rejects.toBeInstanceOf(StepNotWaitingError);
    expect(run.times()).toBe(1);
    await run.cancel();
    await run.ended();
  });

  test('gives up a step that waits for its next try; the first who says so did it', async () => {
    const run = await carry([wakes(3_600_000), wakes(3_600_000)]);
    timed.add(`${run.runId}/timed`);
    await vi.waitFor(() => expect(run.times()).toBe(1), eventually);
    await expect(run.decide('timed', { action: 'retry' })).rejects.toBeInstanceOf(StepNotParkedError);
    const answers = await Promise.allSettled(Array.from({ length: 5 }, () => run.decide('timed', { action: 'abort' })));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toBeInstanceOf(StepNotParkedError);
    await run.ended();
    expect(settled.filter(({ runId }) => runId === run.runId)).toHaveLength(1);
  });

  test('changes nothing that waits for a time while the run is being carried on', async () => {
    const run = await carry([wakes(3_600_000), wakes(3_600_000)]);
    timed.add(`${run.runId}/timed`);
    await vi.waitFor(() => expect(run.times()).toBe(1), eventually);
    const rest = await setToWork(run);
    const again = run.wake('timed');
    // A workflow that is at work hears of updates when its task is renewed, every eight seconds.
    await new Promise((resolve) => setTimeout(resolve, 9_000));
    expect(woken.filter(({ runId }) => runId === run.runId)).toHaveLength(1);
    rest();
    await again;
    await run.ended();
    expect(run.times()).toBe(3);
  });

  test('takes many decisions that come while it is at work, one after another, and says so when that takes too long', async () => {
    const run = await carry([wakes(3_600_000), wakes(3_600_000)], 30, [parkedAt('a')]);
    timed.add(`${run.runId}/timed`);
    await vi.waitFor(() => expect(run.times()).toBe(1), eventually);
    const rest = await setToWork(run);
    // More than Temporal keeps for one workflow.
    const others = run.runIds.slice(1);
    const decisions = others.map((runId) => run.decide('a', { action: 'abort' }, runId));
    const hasty = new Carriers({
      ...{
        address: temporal.address,
        namespace: 'default',
        codec: plain,
        taskQueue: 'carrier-test',
        patienceMs: 1_000,
      },
    });
    await expect(run.wake('timed', hasty)).rejects.toBeInstanceOf(CarrierBusyError);
    rest();
    await Promise.all(decisions);
    for (const runId of others) expect(settled.filter((step) => step.runId === runId)).toHaveLength(1);
    await run.cancel();
    await run.ended();
    // Not before: what it still wants to ask again would find it closed.
    await hasty.close();
  });

  test('says when Temporal is not there, and does not keep anybody waiting for it', async () => {
    const away = new Carriers({ address: `127.0.0.1:${await freePort()}`, namespace: 'default', codec: plain });
    const step = { runId: randomUUID(), nodeId: 'a', iteration: '' };
    const carrier = { companyId, carrierId: randomUUID() };
    const began = performance.now();
    await expect(away.wake(carrier, step)).rejects.toBeInstanceOf(TemporalAwayError);
    await expect(away.cancel(carrier, step.runId)).rejects.toBeInstanceOf(TemporalAwayError);
    expect(performance.now() - began).toBeLessThan(10_000);
    await away.close();
  });

  test('comes back to a Temporal whose network said nothing while the connection was made', async () => {
    await using link = await openLink(Number(temporal.address.split(':')[1]));
    const far = new Carriers({
      ...{ address: `127.0.0.1:${link.port}`, namespace: 'default', codec: plain, taskQueue: 'carrier-test' },
      patienceMs: 3_000,
    });
    link.poison('reset');
    const step = { runId: randomUUID(), nodeId: 'a', iteration: '' };
    const carrier = { companyId, carrierId: randomUUID() };
    await expect(far.wake(carrier, step)).rejects.toBeInstanceOf(TemporalAwayError);
    // What gRPC tries next is accepted, and answered by nobody.
    link.poison('half-open');
    // Those that wait for one connection together are told together, and get one new one.
    await Promise.all([1, 2, 3].map(() => expect(far.wake(carrier, step)).rejects.toBeInstanceOf(TemporalAwayError)));
    expect(await far.isHealthy()).toBe(false);
    link.poison(undefined);
    // What was opened last is as silent as before; the one after it is not.
    await vi.waitFor(async () => expect(await far.isHealthy()).toBe(true), eventually);
    await expect(far.wake(carrier, step)).rejects.toBeInstanceOf(StepNotWaitingError);
    await far.close();
  });

  test('ends a run that is cancelled, parked or waiting, and no other', async () => {
    for (const first of [parkedAt('a'), wakes(3_600_000)]) {
      const run = await carry([first], 2);
      await vi.waitFor(() => expect(run.times()).toBe(1), eventually);
      await run.cancel();
      await run.ended();
      expect(cancelled).toContain(run.runId);
      expect(cancelled).not.toContain(run.runIds[1]);
      expect(run.times()).toBe(1);
    }
  });

  test('carries a run on when something happened that it waited for', async () => {
    const run = await carry([{ ended: false, wakeInMs: null }]);
    await vi.waitFor(() => expect(run.times()).toBe(1), eventually);
    expect(await run.look()).toBe(true);
    await run.ended();
    expect(run.times()).toBe(2);
    expect(await run.look(), 'a carrier that is no more').toBe(false);
  });

  test('carries runs that are woken together on together', async () => {
    const waiting = { ended: false, wakeInMs: null };
    const many = await carry([waiting], 30, [waiting]);
    await vi.waitFor(() => expect(many.times()).toBe(1), eventually);
    const before = advances.length;
    await many.look(many.runIds);
    await many.ended();
    expect(advances.slice(before).map((ids) => ids.length)).toEqual([30]);
  });

  test('hands over to a fresh workflow when its history has grown long, and goes on there', async () => {
    const waits = { ended: false, wakeInMs: null };
    const run = await carry(Array.from({ length: 10_000 }, () => waits));
    // One after another: Temporal does not let a workflow hand over while signals keep coming in.
    for (let time = 1; (await run.firstOutcome()) === 'RUNNING' && time < 2_000; time++) {
      await run.look();
      await vi.waitFor(() => expect(run.times()).toBeGreaterThan(time), { ...eventually, interval: 1 });
    }
    expect(await run.firstOutcome()).toBe('CONTINUED_AS_NEW');
    const before = run.times();
    standings.set(run.runId, []);
    await vi.waitFor(() => run.look(), eventually);
    await run.ended();
    expect(run.times()).toBeGreaterThan(before);
  }, 90_000);

  test('costs Temporal little: one marker for the whole of fifty runs', async () => {
    const run = await carry([], 50);
    await run.ended();
    expect((await run.bytes()) ?? Infinity).toBeLessThan(50 * 400);
  });
});
