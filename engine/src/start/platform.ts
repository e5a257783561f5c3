import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createPool, migrate, openStore } from '@plumbline/db';
import { freePort, startPostgres } from '@plumbline/db/embedded';
import { seedDemo } from '@plumbline/db/seed';
import { StartError } from '@plumbline/db/start-error';
import { withUser } from '@plumbline/db/urls';
import { DEMO_OWNER } from '../auth/demo.ts';
import { createOwner } from '../auth/people.ts';
import type { Health } from '../contract.ts';
import type { StartOptions } from './options.ts';
import { keepSecrets, type Secrets } from './secrets.ts';
import { Service } from './supervise.ts';
import { findTemporalCli } from './temporal-cli.ts';
import { answers, startTemporal, type TemporalServer } from './temporal-server.ts';

export interface PlatformOptions extends StartOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** One line about what is being done now. */
  readonly onStep: (subject: string, text: string) => void;
  /** Whether commits wait for the disk; off in tests only. @default true */
  readonly fsync?: boolean;
  /** Said when a process of ours died and is started again. */
  readonly onRestart?: (name: string, reason: string) => void;
}

/** Everything, running. */
export interface Platform {
  /** Where people reach it. */
  readonly origin: string;
  readonly dataDir: string;
  readonly temporalUi: string | undefined;
  /** How Temporal was found. */
  readonly temporalRung: string;
  readonly ownerUrl: string;
  readonly api: Service;
  readonly worker: Service;
  /** Temporal's own process and a way to bring it back, when it is ours. */
  readonly temporal: { pid(): number | undefined; address: string };
  stop(): Promise<void>;
}

/**
 * Brings up PostgreSQL, Temporal, schema, demo, worker and API, and keeps them up until `stop`.
 * @throws StartError saying what is in the way; what had been started is stopped again.
 */
export async function bringUp(options: PlatformOptions): Promise<Platform> {
  const { dataDir, onStep } = options;
  const undo: (() => Promise<void>)[] = [];
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    for (const step of undo.reverse()) await step().catch(() => undefined);
  };
  try {
    await requireFreePort(options.host, options.port);
    const secrets = await keepSecrets(dataDir);
    const logs = join(dataDir, 'logs');
    await mkdir(logs, { recursive: true });

    const [ownerUrl, temporal] = await Promise.all([database(options, undo), temporalServer(options, undo)]);

    onStep('Schema', 'migrating');
    const { applied } = await migrate({ ownerUrl, ...secrets, onStep: (name) => onStep('Schema', name) }).catch(
      (cause: unknown) => {
        throw new StartError(
          'database_failed',
          `The database could not be brought up to date: ${cause instanceof Error ? cause.message : String(cause)}.`,
          'Check DATABASE_URL: its role must be able to create roles and own the database.',
          { cause },
        );
      },
    );
    onStep('Schema', applied.length > 0 ? `${applied.length} migrations applied` : 'up to date');
    if (options.demo) await demo(ownerUrl, secrets, onStep);

    const origin = `http://${options.host === '0.0.0.0' || options.host === '::' ? '127.0.0.1' : options.host}:${options.port}`;
    const environment = serviceEnvironment({ options, secrets, ownerUrl, temporal, origin });
    const service = (name: string, entry: string): Service =>
      new Service({
        name,
        entry: new URL(entry, import.meta.url),
        environment,
        log: join(logs, `${name}.log`),
        ...(options.onRestart ? { onRestart: options.onRestart } : {}),
      });
    const api = service('api', '../server-main.ts');
    const worker = service('worker', '../../../workflows/src/worker-main.ts');
    onStep('Services', 'starting worker and API');
    undo.push(
      () => api.stop(),
      () => worker.stop(),
    );
    await Promise.all([api.start(), worker.start()]).catch((cause: unknown) => {
      throw new StartError(
        'service_failed',
        cause instanceof Error ? cause.message : String(cause),
        'The log says why.',
        { cause },
      );
    });
    await untilHealthy(origin);
    onStep('Services', 'ready');
    return {
      origin,
      dataDir,
      temporalUi: temporal.uiUrl,
      temporalRung: temporal.rung,
      ownerUrl,
      api,
      worker,
      temporal: { pid: temporal.pid, address: temporal.address },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function database(options: PlatformOptions, undo: (() => Promise<void>)[]): Promise<string> {
  const { databaseUrl, dataDir, onStep } = options;
  if (databaseUrl) {
    onStep('PostgreSQL', 'yours, from DATABASE_URL');
    return databaseUrl;
  }
  onStep('PostgreSQL', 'starting');
  const postgres = await startPostgres({
    dataDir,
    onStep: (text) => onStep('PostgreSQL', text),
    ...(options.fsync === undefined ? {} : { fsync: options.fsync }),
  });
  undo.push(postgres.stop);
  onStep('PostgreSQL', `embedded, on 127.0.0.1:${postgres.port}`);
  return postgres.ownerUrl;
}

interface Temporal {
  readonly address: string;
  readonly uiUrl: string | undefined;
  readonly rung: string;
  pid(): number | undefined;
}

async function temporalServer(options: PlatformOptions, undo: (() => Promise<void>)[]): Promise<Temporal> {
  const { environment, onStep, dataDir, temporalAddress } = options;
  if (temporalAddress) {
    if (!(await answers(temporalAddress, environment['TEMPORAL_NAMESPACE'])))
      throw new StartError(
        'temporal_unreachable',
        `No Temporal server answers at ${temporalAddress} (TEMPORAL_ADDRESS).`,
        'Start it, correct the address, or unset TEMPORAL_ADDRESS to use the built-in one.',
      );
    onStep('Temporal', `yours, at ${temporalAddress}`);
    return {
      address: temporalAddress,
      uiUrl: environment['PLUMBLINE_TEMPORAL_UI'],
      rung: 'TEMPORAL_ADDRESS',
      pid: () => undefined,
    };
  }
  onStep('Temporal', 'looking for its CLI');
  const cli = await findTemporalCli(environment, (text) => onStep('Temporal', text));
  onStep('Temporal', `starting (${cli.rung})`);
  let ports = { port: await freePort(), uiPort: await freePort() };
  let server: TemporalServer | undefined;
  for (let tries = 1; !server; tries++)
    try {
      server = await startTemporal({ cli: cli.path, dataDir, ...ports });
    } catch (error) {
      // Somebody took the port between our look and the server's.
      if (tries === 5 || !/address already in use/.test(String(error))) throw error;
      ports = { port: await freePort(), uiPort: await freePort() };
    }
  let running: TemporalServer = server;
  let stopping = false;
  const watch = (): void => {
    running.child.once('exit', (code) => {
      if (stopping) return;
      options.onRestart?.('temporal', `code ${code}`);
      const again = (): void => {
        if (stopping) return;
        startTemporal({ cli: cli.path, dataDir, ...ports }).then(
          async (next) => {
            running = next;
            if (stopping) await next.stop();
            else watch();
          },
          () => setTimeout(again, 1_000),
        );
      };
      again();
    });
  };
  watch();
  undo.push(async () => {
    stopping = true;
    await running.stop();
  });
  onStep('Temporal', `development server (${cli.rung}), at ${running.address}`);
  return { address: running.address, uiUrl: running.uiUrl, rung: cli.rung, pid: () => running.child.pid };
}

async function demo(ownerUrl: string, secrets: Secrets, onStep: PlatformOptions['onStep']): Promise<void> {
  onStep('Demo', 'making Hartwell Homes');
  const pool = createPool(withUser(ownerUrl, 'plumbline_auth', secrets.authPassword), { searchPath: 'auth', max: 1 });
  const store = openStore(withUser(ownerUrl, 'plumbline_app', secrets.appPassword), { max: 2 });
  try {
    const { companyId } = await createOwner(pool, DEMO_OWNER);
    const made = await store.tenant(companyId, (tx) => seedDemo(tx, companyId, new Date()));
    onStep('Demo', made > 0 ? `${made} records made for ${DEMO_OWNER.company}` : `${DEMO_OWNER.company} is there`);
  } finally {
    await store.close();
    await pool.end();
  }
}

function serviceEnvironment(given: {
  readonly options: PlatformOptions;
  readonly secrets: Secrets;
  readonly ownerUrl: string;
  readonly temporal: Temporal;
  readonly origin: string;
}): NodeJS.ProcessEnv {
  const { options, secrets, ownerUrl, temporal, origin } = given;
  // Owner rights stay with this process; the services get roles that own nothing.
  const { DATABASE_URL: _, ...inherited } = options.environment;
  return {
    PLUMBLINE_LOG_LEVEL: 'info',
    ...inherited,
    PLUMBLINE_MODE: 'development',
    PLUMBLINE_HOST: options.host,
    PLUMBLINE_PORT: String(options.port),
    PLUMBLINE_ORIGIN: inherited['PLUMBLINE_ORIGIN'] ?? origin,
    PLUMBLINE_APP_DATABASE_URL: withUser(ownerUrl, 'plumbline_app', secrets.appPassword),
    PLUMBLINE_DISPATCHER_DATABASE_URL: withUser(ownerUrl, 'plumbline_dispatcher', secrets.dispatcherPassword),
    PLUMBLINE_AUTH_DATABASE_URL: withUser(ownerUrl, 'plumbline_auth', secrets.authPassword),
    PLUMBLINE_SESSION_SECRET: secrets.sessionSecret,
    PLUMBLINE_MASTER_KEYS: secrets.masterKeys,
    PLUMBLINE_SANDBOX_ORIGIN: `${origin}/sandbox`,
    PLUMBLINE_SANDBOX_CLIENT_SECRET: secrets.sandboxClientSecret,
    PLUMBLINE_DEMO: String(options.demo),
    TEMPORAL_ADDRESS: temporal.address,
    PLUMBLINE_TEMPORAL_UI: temporal.uiUrl ?? '',
  };
}

/** A worker that has just started has not yet asked for work; who reads "ready" may rely on all of it. */
async function untilHealthy(origin: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await fetch(`${origin}/api/health`).catch(() => undefined);
    if (answer?.ok) return;
    if (Date.now() > deadline) {
      const health = (await answer?.json().catch(() => undefined)) as Health | undefined;
      const broken = Object.entries(health?.checks ?? {}).find(([, check]) => !check.ok);
      throw new StartError(
        'service_failed',
        `Everything was started, but ${broken ? `the ${broken[0]} is not well: ${broken[1].detail}` : 'the API does not answer'}.`,
        'Look into the logs in the data directory, then start again.',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function requireFreePort(host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE')
        reject(
          new StartError(
            'port_taken',
            `Port ${port} on ${host} is taken by another program.`,
            `Choose another one: npm start -- --port ${port === 65_535 ? 4400 : port + 1}`,
            { cause },
          ),
        );
      else if (cause.code === 'EACCES')
        reject(
          new StartError(
            'port_forbidden',
            `Your user may not listen on port ${port}.`,
            'Choose one above 1023 with --port.',
            { cause },
          ),
        );
      else
        reject(
          new StartError(
            'host_unusable',
            `Nothing can listen on ${host}:${port}: ${cause.message}.`,
            'Leave out --host, or give an address of this machine.',
            { cause },
          ),
        );
    });
    server.listen(port, host, () => server.close(() => resolve()));
  });
}
