import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@plumbline/db/embedded';
import { findTemporalCli } from '@plumbline/engine/start/temporal-cli';
import { startTemporal } from '@plumbline/engine/start/temporal-server';
import type { StepDecision } from '@plumbline/workflows/activities/contract';
import { Carriers, StepNotParkedError, StepNotWaitingError } from '@plumbline/workflows/client';
import { carrierWorkflowId } from '@plumbline/workflows/payload-codec';
import { Client, Connection, WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { until } from '../support/until.ts';
import { canonicalHistory, OWN_IDS } from './canonical-history.ts';
import { workflowsPath } from './histories.ts';
import { ScriptedLedger, type Standing } from './scripted-ledger.ts';

const plain: PayloadCodec = {
  encode: (payloads) => Promise.resolve(payloads),
  decode: (payloads) => Promise.resolve(payloads),
};
const QUEUE = 'recording';
/** Events after which Temporal suggests to go on as a fresh workflow. Its own figure, 4,096, would make histories that nobody can store by the dozen. */
const LONG = 300;
const companyId = `${OWN_IDS}000000000001`;

/** One carrier on the recorder, under a script. */
export interface Scene {
  readonly runIds: readonly string[];
  readonly ledger: ScriptedLedger;
  /** Starts the carrier; may be called again. */
  start(): Promise<void>;
  /** Waits until a run was carried on so many times. */
  carriedOn(times: number, run?: number): Promise<void>;
  decide(nodeId: string, decision: StepDecision, run?: number): Promise<void>;
  wake(nodeId: string, run?: number): Promise<void>;
  /** Says that something happened to some of its runs. */
  look(...runs: readonly number[]): Promise<void>;
  cancel(run?: number): Promise<void>;
  /** Asks for the end of a run that is none of the carrier's. */
  cancelStranger(): Promise<void>;
  /** Ends the whole workflow in Temporal. */
  cancelWorkflow(): Promise<void>;
  /** Stops the worker and starts another, for everybody. */
  restartWorker(): Promise<void>;
  /** Waits until the workflow has ended, however. */
  over(): Promise<void>;
}

export interface Recorder extends AsyncDisposable {
  /** Plays a scene and returns its canonical histories: one, or one for each time it continued as new. */
  record(given: {
    readonly runs: number;
    /** By run; the first one's is enough. */
    readonly scripts: readonly (readonly Standing[])[];
    readonly play: (scene: Scene) => Promise<void>;
  }): Promise<readonly unknown[]>;
}

/** A Temporal server, a worker with the real workflow code, and a ledger that does as it is told. */
export async function openRecorder(): Promise<Recorder> {
  const dataDir = await mkdtemp(join(tmpdir(), 'plumbline-histories-'));
  const { path } = await findTemporalCli(process.env, () => undefined);
  const temporal = await startTemporal({
    cli: path,
    dataDir,
    port: await freePort(),
    uiPort: await freePort(),
    configuration: [`limit.historyCount.suggestContinueAsNew=${LONG}`],
  });
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const native = await NativeConnection.connect({ address: temporal.address });
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection });
  const carriers = new Carriers({ address: temporal.address, namespace: 'default', codec: plain, taskQueue: QUEUE });
  const ledger = new ScriptedLedger();
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  let number = 1;
  const nextId = (): string => `${OWN_IDS}${String(++number).padStart(12, '0')}`;

  const open = async () => {
    const worker = await Worker.create({
      connection: native,
      taskQueue: QUEUE,
      activities: { ...ledger.activities },
      workflowBundle,
      shutdownGraceTime: '1 second',
    });
    return { worker, running: worker.run() };
  };
  let current = await open();
  let restarting: Promise<void> | undefined;
  const restart = async (): Promise<void> => {
    current.worker.shutdown();
    await current.running;
    current = await open();
  };

  return {
    record: async ({ runs, scripts, play }) => {
      const carrierId = nextId();
      const runIds = Array.from({ length: runs }, nextId);
      const input = { companyId, carrierId, planHash: 'hash', runIds };
      const handle = client.workflow.getHandle(carrierWorkflowId(companyId, carrierId));
      const idOf = (run = 0): string => runIds[run] ?? '';
      runIds.forEach((runId, index) => ledger.write(runId, scripts[index] ?? []));
      await play({
        runIds,
        ledger,
        start: async () => void (await carriers.start(input)),
        carriedOn: async (times, run) => {
          await until(`run ${run ?? 0} of carrier ${carrierId} to be carried on ${times} times`, () =>
            Promise.resolve(ledger.times(idOf(run)) >= times),
          );
          // The workflow must have heard of it, or what is said next may find it elsewhere in each recording.
          await until('the workflow to have come to rest', () => atRest(handle));
        },
        decide: (nodeId, decision, run) =>
          orRefused(carriers.decide({ companyId, carrierId }, { runId: idOf(run), nodeId, iteration: '', decision })),
        wake: (nodeId, run) =>
          orRefused(carriers.wake({ companyId, carrierId }, { runId: idOf(run), nodeId, iteration: '' })),
        look: async (...some) =>
          void (await carriers.look(
            { companyId, carrierId },
            some.map((run) => idOf(run)),
          )),
        cancel: (run) => orRefused(carriers.cancel({ companyId, carrierId }, idOf(run))),
        cancelStranger: () => carriers.cancel({ companyId, carrierId }, `${OWN_IDS}999999999999`),
        cancelWorkflow: async () => void (await handle.cancel()),
        restartWorker: () => (restarting ??= restart().finally(() => (restarting = undefined))),
        over: () => handle.result().catch(() => undefined) as Promise<void>,
      });
      await handle.result().catch(() => undefined);
      return await chainOf(client, handle);
    },
    [Symbol.asyncDispose]: async () => {
      current.worker.shutdown();
      await current.running;
      await carriers.close();
      await connection.close();
      await native.close();
      await temporal.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Who comes second is refused; that is part of the story, and not of the telling. */
async function orRefused(asked: Promise<void>): Promise<void> {
  await asked.catch((error: unknown) => {
    if (error instanceof StepNotParkedError || error instanceof StepNotWaitingError) return;
    if (error instanceof WorkflowNotFoundError) return;
    throw error;
  });
}

/** Whether no workflow task is waiting or under way. */
async function atRest(handle: WorkflowHandle): Promise<boolean> {
  const { status, raw } = await handle.describe();
  return status.name !== 'RUNNING' || !raw.pendingWorkflowTask;
}

/** The histories of a workflow and of all that it went on as. */
async function chainOf(client: Client, handle: WorkflowHandle): Promise<unknown[]> {
  const histories: unknown[] = [];
  let runId: string | undefined = await firstRunOf(handle);
  while (runId !== undefined) {
    const history = await client.workflow.getHandle(handle.workflowId, runId).fetchHistory();
    histories.push(canonicalHistory(history));
    runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
  }
  return histories;
}

async function firstRunOf(handle: WorkflowHandle): Promise<string> {
  const { events } = await handle.fetchHistory();
  const { firstExecutionRunId } = events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
  if (!firstExecutionRunId) throw new Error(`The history of ${handle.workflowId} has no beginning`);
  return firstExecutionRunId;
}
