/** The worker process. Stops gracefully on SIGTERM, and when the process that started it is gone. */
import { createLog } from '@plumbline/workflows/dependencies';
import { readSettings } from '@plumbline/workflows/settings';
import { workerProcessSettingsSchema } from './settings.ts';
import { whenAskedToStop } from './when-asked-to-stop.ts';
import { startWorker } from './worker.ts';

const settings = readSettings(workerProcessSettingsSchema, process.env);
const log = createLog('worker', settings.PLUMBLINE_LOG_LEVEL);
const worker = await startWorker(settings, process.env, log);
whenAskedToStop(() => worker.stop());

process.send?.({ ready: true });
log.info('worker ready');
await worker.run();
process.exit(0);
