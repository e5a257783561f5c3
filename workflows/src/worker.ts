import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PayloadCodec } from '@temporalio/common';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Activities } from './activities/contract.ts';
import { bundlePath } from './bundle.ts';
import { names } from './workflows/names.ts';

export interface WorkerOptions {
  readonly address: string;
  readonly namespace: string;
  readonly activities: Activities;
  readonly codec: PayloadCodec;
  readonly log: Logger;
  /** @default names.taskQueue */
  readonly taskQueue?: string;
  /** Of bundled workflow code, which must be there. @default what `npm run build` made, or else the sources */
  readonly bundle?: string | undefined;
}

/** Carriers whose runs are carried on at the same time. How many runs that may be is for `Admission` to say. */
const SIDE_BY_SIDE = 100;

/** A worker, connected and ready to `run()`. */
export async function createWorker(
  options: WorkerOptions,
): Promise<{ readonly worker: Worker; readonly connection: NativeConnection; close(): Promise<void> }> {
  Runtime.install({
    // Our supervisor tells us when to stop.
    shutdownSignals: [],
    telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'WARN' }) } },
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const { error, workflowId, activityType, attempt } = (meta ?? {}) as Record<string, unknown>;
      options.log[level === 'ERROR' ? 'error' : 'warn']({ workflowId, activityType, attempt, err: error }, message);
    }),
  });
  const connection = await NativeConnection.connect({ address: options.address });
  const codePath = options.bundle ?? (existsSync(bundlePath) ? bundlePath : undefined);
  const worker = await Worker.create({
    connection,
    namespace: options.namespace,
    taskQueue: options.taskQueue ?? names.taskQueue,
    activities: { ...options.activities },
    dataConverter: { payloadCodecs: [options.codec] },
    ...(codePath
      ? { workflowBundle: { codePath } }
      : { workflowsPath: fileURLToPath(new URL('./workflows/index.ts', import.meta.url)) }),
    // The cache counts workflows, it does not weigh them: 200 of ours stay far under 100 MB.
    maxCachedWorkflows: 200,
    maxConcurrentLocalActivityExecutions: SIDE_BY_SIDE,
    // A carrier holds its task while its runs are carried on, and one that finds no place does not start eagerly.
    maxConcurrentWorkflowTaskExecutions: SIDE_BY_SIDE,
    shutdownGraceTime: '10 seconds',
  });
  return { worker, connection, close: () => connection.close() };
}
