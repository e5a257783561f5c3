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
  FinishRunInput,
  SettleStepInput,
  StepDecision,
  StepOutcome,
} from '@plumbline/workflows/activities/contract';
import { Carriers, StepNotParkedError } from '@plumbline/workflows/client';
import type { PlanGraph, PlanNode } from '@plumbline/workflows/flow';
import type { PayloadCodec } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const plain: PayloadCodec = {
  encode: (payloads) => Promise.resolve(payloads),
  decode: (payloads) => Promise.resolve(payloads),
};
const companyId = randomUUID();
const failure = { kind: 'invalid', code: 'c', message: 'It failed.', fix: 'Mend it.' };

let dataDir: string;
let temporal: TemporalServer;
let connection: NativeConnection;
let worker: Worker;
let running: Promise<void>;
let carriers: Carriers;

/** What each step answers, attempt by attempt, and everything the workflow asked for: a ledger that only remembers. */
const outcomes = new Map<string, StepOutcome[]>();
const attempts: { readonly runId: string; readonly nodeId: string; readonly attempt: number }[] = [];
const settled: SettleStepInput[] = [];
const finished: FinishRunInput[] = [];
const activities: Activities = {
  startRun: () => Promise.resolve(),
  runStep: ({ runId, nodeId, attempt }) => {
    attempts.push({ runId, nodeId, attempt });
    return Promise.resolve(outcomes.get(`${runId}/${nodeId}`)?.shift() ?? { kind: 'done', port: 'out' });
  },
  settleStep: (input) => {
    settled.push(input);
    return Promise.resolve({ port: input.decision.action === 'skip' ? 'out' : null });
  },
  finishRun: (input) => {
    finished.push(input);
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

async function carry(graph: PlanGraph, script: Readonly<Record<string, readonly StepOutcome[]>> = {}, runs = 1) {
  const runIds = Array.from({ length: runs }, () => randomUUID());
  const [runId = ''] = runIds;
  for (const [nodeId, list] of Object.entries(script)) outcomes.set(`${runId}/${nodeId}`, [...list]);
  const carrierId = randomUUID();
  const input = {
    companyId,
    carrierId,
    planHash: 'hash',
    graph,
    runs: runIds.map((id) => ({ runId: id, triggerNodeId: 't' })),
  };
  await carriers.start(input);
  return {
    runId,
    runIds,
    again: () => carriers.start(input),
    attempts: () => attempts.filter((one) => one.runId === runId).map(({ nodeId, attempt }) => `${nodeId}${attempt}`),
    decide: (nodeId: string, decision: StepDecision) =>
      carriers.decide({ companyId, carrierId }, { runId, nodeId, iteration: '', decision }),
    cancel: () => carriers.cancel({ companyId, carrierId }, runId),
    end: (id = runId) =>
      vi.waitFor(() => finished.find((one) => one.runId === id) ?? Promise.reject(new Error('The run has not ended')), {
        timeout: 20_000,
        interval: 20,
      }),
    parked: () =>
      vi.waitFor(() => expect(attempts.some((one) => one.runId === runId)).toBe(true), {
        timeout: 20_000,
        interval: 20,
      }),
  };
}

describe('a carrier', () => {
  test('carries a run to its end, once, however often it is started', async () => {
    const run = await carry(line('a', 'b'));
    await run.again();
    expect(await run.end()).toEqual({ companyId, runId: run.runId, status: 'succeeded', skipped: [] });
    await run.again();
    expect(run.attempts()).toEqual(['a1', 'b1']);
  });

  test('carries many runs, each on its own', async () => {
    const run = await carry(line('a'), { a: [{ kind: 'parked', failure }] }, 20);
    for (const id of run.runIds.slice(1)) expect((await run.end(id)).status).toBe('succeeded');
    expect(finished.some(({ runId }) => runId === run.runId)).toBe(false);
    await run.decide('a', { action: 'abort' });
    expect(await run.end()).toMatchObject({ status: 'failed', failure });
  });

  test('waits between two attempts and counts them', async () => {
    const run = await carry(line('a'), {
      a: [
        { kind: 'retry', afterMs: 300 },
        { kind: 'retry', afterMs: 10 },
      ],
    });
    await run.end();
    expect(run.attempts()).toEqual(['a1', 'a2', 'a3']);
  });

  test('tries again from the first attempt when a person says so', async () => {
    const run = await carry(line('a'), {
      a: [
        { kind: 'retry', afterMs: 1 },
        { kind: 'parked', failure },
      ],
    });
    await vi.waitFor(() => run.decide('a', { action: 'retry' }), { timeout: 20_000, interval: 50 });
    expect((await run.end()).status).toBe('succeeded');
    expect(run.attempts()).toEqual(['a1', 'a2', 'a1']);
    expect(settled.filter(({ runId }) => runId === run.runId)).toHaveLength(1);
  });

  test('lets the first of many decisions at once stand, and tells the others', async () => {
    const run = await carry(line('a', 'b'), { a: [{ kind: 'parked', failure }] });
    await run.parked();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const answers = await Promise.allSettled(
      Array.from({ length: 5 }, () => run.decide('a', { action: 'skip', output: {} })),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toBeInstanceOf(StepNotParkedError);
    await run.end();
    expect(settled.filter(({ runId }) => runId === run.runId)).toHaveLength(1);
    expect(run.attempts()).toEqual(['a1', 'b1']);
    await expect(run.decide('a', { action: 'retry' })).rejects.toBeInstanceOf(StepNotParkedError);
  });

  test('goes on by the error way of a step that has one', async () => {
    const graph: PlanGraph = {
      nodes: [node('t', { kind: 'trigger' }), node('a', { onError: 'port' }), node('good'), node('bad')],
      edges: [
        { from: 't', port: 'out', to: 'a' },
        { from: 'a', port: 'out', to: 'good' },
        { from: 'a', port: 'error', to: 'bad' },
      ],
    };
    const run = await carry(graph, { a: [{ kind: 'failed', failure }] });
    expect(await run.end()).toMatchObject({ status: 'succeeded', skipped: ['good'] });
    expect(run.attempts()).toEqual(['a1', 'bad1']);
  });

  test('ends a run whose step stops it, also while another branch waits', async () => {
    const graph: PlanGraph = {
      nodes: [node('t', { kind: 'trigger' }), node('stops', { onError: 'stop' }), node('waits'), node('later')],
      edges: [
        { from: 't', port: 'out', to: 'stops' },
        { from: 't', port: 'out', to: 'waits' },
        { from: 'waits', port: 'out', to: 'later' },
      ],
    };
    const run = await carry(graph, {
      stops: [
        { kind: 'retry', afterMs: 200 },
        { kind: 'failed', failure },
      ],
      waits: [{ kind: 'retry', afterMs: 3_600_000 }],
    });
    expect(await run.end()).toMatchObject({ status: 'failed', failure });
    expect(run.attempts()).not.toContain('later1');
  });

  test('ends a run that is cancelled, parked or waiting, and no other', async () => {
    for (const first of [
      { kind: 'parked', failure },
      { kind: 'retry', afterMs: 3_600_000 },
    ] as const) {
      const run = await carry(line('a', 'b'), { a: [first] }, 2);
      await run.parked();
      await new Promise((resolve) => setTimeout(resolve, 300));
      await run.cancel();
      expect((await run.end()).status).toBe('cancelled');
      expect((await run.end(run.runIds[1])).status).toBe('succeeded');
      expect(run.attempts()).toEqual(['a1']);
    }
  });
});
