/** The worker process. Stops gracefully on SIGTERM, and when the process that started it is gone. */
import { createActivities } from './activities/index.ts';
import { createLog, openDependencies } from './dependencies.ts';
import { goAhead } from './go-ahead.ts';
import { readSettings, workerSettingsSchema } from './settings.ts';
import { createWorker } from './worker.ts';

const settings = readSettings(workerSettingsSchema, process.env);
const log = createLog('worker', settings.PLUMBLINE_LOG_LEVEL);
const dependencies = await openDependencies(settings, process.env, log);
const { advanceQueued, ...activities } = createActivities(dependencies);
const { worker, close } = await createWorker({
  address: settings.TEMPORAL_ADDRESS,
  namespace: settings.TEMPORAL_NAMESPACE,
  activities,
  codec: dependencies.codec,
  bundle: settings.PLUMBLINE_WORKFLOW_BUNDLE,
  log,
});

const stopAhead = await goAhead({ databaseUrl: settings.PLUMBLINE_APP_DATABASE_URL, advanceQueued, log });

let stopping = false;
const stop = (): void => {
  if (stopping) return;
  stopping = true;
  worker.shutdown();
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.on('disconnect', stop);

process.send?.({ ready: true });
log.info({ taskQueue: worker.options.taskQueue }, 'worker ready');
await worker.run();
await stopAhead();
await close();
await dependencies.close();
process.exit(0);
