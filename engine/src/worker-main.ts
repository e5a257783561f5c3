/** The worker process. Stops gracefully on SIGTERM, and when the process that started it is gone. */
import { createLog } from '@plumbline/workflows/dependencies';
import { readSettings } from '@plumbline/workflows/settings';
import { workerProcessSettingsSchema } from './settings.ts';
import { startWorker } from './worker.ts';

const settings = readSettings(workerProcessSettingsSchema, process.env);
const log = createLog('worker', settings.PLUMBLINE_LOG_LEVEL);
const worker = await startWorker(settings, process.env, log);

let stopping = false;
const stop = (): void => {
  if (stopping) return;
  stopping = true;
  worker.stop();
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.on('disconnect', stop);

process.send?.({ ready: true });
log.info('worker ready');
await worker.run();
process.exit(0);
