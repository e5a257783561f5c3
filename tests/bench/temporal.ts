import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@plumbline/db/embedded';
import { findTemporalCli } from '@plumbline/engine/start/temporal-cli';
import { startTemporal } from '@plumbline/engine/start/temporal-server';
import { Client, Connection } from '@temporalio/client';
import type { Contender } from './contender.ts';

/** Hand-written Temporal workflows on a server of the same kind as ours, one workflow per event. */
export async function handWritten(
  target: string,
): Promise<{ readonly local: Contender; readonly activities: Contender } & AsyncDisposable> {
  const dataDir = await mkdtemp(join(tmpdir(), 'plumbline-bench-'));
  const { path } = await findTemporalCli(process.env, () => undefined);
  const server = await startTemporal({ cli: path, dataDir, port: await freePort(), uiPort: await freePort() });
  const worker = fork(new URL('./temporal-worker.ts', import.meta.url), {
    env: { ...process.env, TEMPORAL_ADDRESS: server.address },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await new Promise((resolve) => worker.once('message', resolve));
  const connection = await Connection.connect({ address: server.address });
  const client = new Client({ connection });
  const contender = (name: string, workflow: string): Contender => ({
    name,
    send: async (event) => {
      await client.workflow.start(workflow, {
        taskQueue: 'bench',
        workflowId: `${workflow}-${event.id}`,
        args: [target, event],
      });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  return {
    local: contender('temporal_local', 'withLocalActivities'),
    activities: contender('temporal_activities', 'withActivities'),
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      worker.kill('SIGTERM');
      await new Promise((resolve) => worker.once('exit', resolve));
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
