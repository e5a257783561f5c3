/** The API process. Stops on SIGTERM, and when the process that started it is gone. */
import { createLog } from '@plumbline/workflows/dependencies';
import { readSettings } from '@plumbline/workflows/settings';
import { startServer } from './server.ts';
import { engineSettingsSchema, productionProblems } from './settings.ts';
import { whenAskedToStop } from './when-asked-to-stop.ts';

const settings = readSettings(engineSettingsSchema, process.env);
const problems = productionProblems(settings, process.env);
if (problems.length > 0) {
  console.error(
    `Plumbline does not start in production like this:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
  );
  process.exit(78);
}
const log = createLog('api', settings.PLUMBLINE_LOG_LEVEL);
const server = await startServer(settings, process.env, log);
whenAskedToStop(() => {
  setTimeout(() => process.exit(0), 8_000).unref();
  void server.close().then(() => process.exit(0));
});

process.send?.({ ready: true, port: server.port });
log.info({ port: server.port }, 'API ready');
