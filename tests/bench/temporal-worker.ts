/** The hand-written contender's worker process. */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Agent, request } from 'undici';

Runtime.install({ shutdownSignals: [] });
const agent = new Agent({ connections: 64 });
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('./temporal-workflow.ts', import.meta.url)),
});
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '' }),
  taskQueue: 'bench',
  workflowBundle,
  activities: {
    post: async (url: string, body: object) => {
      const answer = await request(url, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      await answer.body.dump();
    },
  },
});
process.on('disconnect', () => worker.shutdown());
process.on('SIGTERM', () => worker.shutdown());
process.send?.({ ready: true });
await worker.run();
process.exit(0);
