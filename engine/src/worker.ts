import { openDispatcherStore } from '@plumbline/db';
import { Connections } from '@plumbline/workflows/activities/connections';
import { createActivities } from '@plumbline/workflows/activities/index';
import { Carriers } from '@plumbline/workflows/client';
import { openDependencies } from '@plumbline/workflows/dependencies';
import { goAhead } from '@plumbline/workflows/go-ahead';
import { createWorker } from '@plumbline/workflows/worker';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { Dispatcher } from './dispatch/dispatcher.ts';
import { Poller } from './dispatch/poller.ts';
import type { workerProcessSettingsSchema } from './settings.ts';

export interface RunningWorker {
  /** Works until `stop`, and until what it has begun has come to rest. */
  run(): Promise<void>;
  stop(): void;
}

/**
 * Brings up one worker process: what turns events into runs, and what carries runs. They are one process so that a carrier starts eagerly, on the connection
 * that its worker has, and so that whoever has no time to carry runs takes no events either.
 */
export async function startWorker(
  settings: z.infer<typeof workerProcessSettingsSchema>,
  environment: NodeJS.ProcessEnv,
  log: Logger,
): Promise<RunningWorker> {
  const deps = await openDependencies(settings, environment, log);
  const { advanceQueued, roomFor, ...activities } = createActivities(deps);
  const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace } = settings;
  const { worker, connection, close } = await createWorker({
    ...{ address, namespace, activities, log },
    codec: deps.codec,
    bundle: settings.PLUMBLINE_WORKFLOW_BUNDLE,
  });
  const carriers = new Carriers({ address, namespace, codec: deps.codec, connection });
  const dispatcherStore = openDispatcherStore(settings.PLUMBLINE_DISPATCHER_DATABASE_URL);
  const stopAhead = await goAhead({ databaseUrl: settings.PLUMBLINE_APP_DATABASE_URL, advanceQueued, log });
  const dispatcher = new Dispatcher({
    store: deps.store,
    dispatcher: dispatcherStore,
    dispatcherUrl: settings.PLUMBLINE_DISPATCHER_DATABASE_URL,
    carriers,
    roomFor,
    runsPerCarrier: settings.PLUMBLINE_CARRIER_RUNS,
    evaluator: deps.evaluator,
    log,
    now: deps.now,
    ...(deps.crashPoint ? { crashPoint: deps.crashPoint } : {}),
  });
  const poller = new Poller({ deps, connections: new Connections(deps), dispatcher: dispatcherStore });
  let dispatching: Promise<unknown> | undefined;
  return {
    run: async () => {
      await worker.run();
      await Promise.all([dispatching, stopAhead()]);
      await close();
      await dispatcherStore.close();
      await deps.close();
    },
    stop: () => {
      dispatching ??= Promise.all([dispatcher.close(), poller.close()]);
      worker.shutdown();
    },
  };
}
