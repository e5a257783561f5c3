import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createPool, migrate, openStore } from '@plumbline/db';
import { seedDemo } from '@plumbline/db/seed';
import { StartError } from '@plumbline/db/start-error';
import { withUser } from '@plumbline/db/urls';
import { DEMO_OWNER } from '../auth/demo.ts';
import { createOwner } from '../auth/people.ts';
import type { Health } from '../contract/index.ts';
import { databaseServer } from './database-server.ts';
import type { StartOptions } from './options.ts';
import { keepSecrets, type Secrets } from './secrets.ts';
import { Service } from './supervise.ts';
import { orchestrator, type Orchestrator } from './orchestrator.ts';

export interface PlatformOptions extends StartOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** One line about what is being done now. */
  readonly onStep: (subject: string, text: string) => void;
  /** Whether commits wait for the disk; off in tests only. @default true */
  readonly fsync?: boolean;
  /** Said when a process of ours died and is started again. */
  readonly onRestart?: (name: string, reason: string) => void;
  /** Leads our processes to a server another way than straight to its address, `host:port`; tests put a bad network there. */
  readonly route?: (from: 'api' | 'worker', to: 'postgres' | 'temporal', address: string) => Promise<string>;
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
  /** Where each API process listens; the first is `origin`. */
  readonly origins: readonly string[];
  readonly apis: readonly Service[];
  readonly workers: readonly Service[];
  /** Temporal's own process, when it is ours. */
  readonly temporal: { pid(): number | undefined; address: string };
  /** PostgreSQL's own process, when it is ours. */
  readonly postgres: { pid(): number | undefined };
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
    const ports = Array.from({ length: options.apis }, (_, index) => options.port + index);
    for (const port of ports) await requireFreePort(options.host, port);
    const secrets = await keepSecrets(dataDir);
    const logs = join(dataDir, 'logs');
    await mkdir(logs, { recursive: true });

    const [{ ownerUrl, pid: postgresPid }, temporal] = await Promise.all([
      databaseServer(options, undo),
      orchestrator(options, undo),
    ]);

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

    const host = options.host === '0.0.0.0' || options.host === '::' ? '127.0.0.1' : options.host;
    const origins = ports.map((port) => `http://${host}:${port}`);
    const origin = origins[0] ?? '';
    const environment = serviceEnvironment({ options, secrets, ownerUrl, temporal, origin });
    const { route } = options;
    const [apiEnvironment, workerEnvironment] = route
      ? await Promise.all(
          (['api', 'worker'] as const).map((from) => routed(environment, (to, address) => route(from, to, address))),
        )
      : [environment, environment];
    const service = (name: string, entry: string, own: NodeJS.ProcessEnv, preload?: string): Service =>
      new Service({
        name,
        entry: new URL(entry, import.meta.url),
        environment: { ...own, PLUMBLINE_PROCESS: name },
        ...(preload ? { preload: new URL(preload, import.meta.url) } : {}),
        log: join(logs, `${name}.log`),
        ...(options.onRestart ? { onRestart: options.onRestart } : {}),
      });
    const apis = ports.map((port, index) =>
      service(numbered('api', index), '../server-main.ts', {
        ...apiEnvironment,
        PLUMBLINE_PORT: String(port),
        // A sandbox remembers what was done to it, so one process plays it.
        PLUMBLINE_SANDBOXES: String(index === 0),
      }),
    );
    const workers = Array.from({ length: options.workers }, (_, index) =>
      service(
        numbered('worker', index),
        '../worker-main.ts',
        { ...workerEnvironment },
        '../../../workflows/src/preload.ts',
      ),
    );
    const services = [...apis, ...workers];
    onStep('Services', 'starting worker and API');
    undo.push(async () => void (await Promise.all(services.map((one) => one.stop()))));
    await Promise.all(services.map((one) => one.start())).catch((cause: unknown) => {
      throw new StartError(
        'service_failed',
        cause instanceof Error ? cause.message : String(cause),
        'The log says why.',
        { cause },
      );
    });
    for (const one of origins) await untilHealthy(one);
    onStep(
      'Services',
      services.length === 2 ? 'ready' : `ready: ${apis.length} API, ${workers.length} worker processes`,
    );
    return {
      origin,
      dataDir,
      temporalUi: temporal.uiUrl,
      temporalRung: temporal.rung,
      ownerUrl,
      origins,
      apis,
      workers,
      temporal: { pid: temporal.pid, address: temporal.address },
      postgres: { pid: postgresPid },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
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
  readonly temporal: Orchestrator;
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

/** The same environment, with every server behind a way of its own. */
async function routed(
  environment: NodeJS.ProcessEnv,
  route: (to: 'postgres' | 'temporal', address: string) => Promise<string>,
): Promise<NodeJS.ProcessEnv> {
  const result: NodeJS.ProcessEnv = { ...environment };
  result['TEMPORAL_ADDRESS'] = await route('temporal', environment['TEMPORAL_ADDRESS'] ?? '');
  for (const role of ['APP', 'DISPATCHER', 'AUTH']) {
    const name = `PLUMBLINE_${role}_DATABASE_URL`;
    const url = new URL(environment[name] ?? '');
    url.host = await route('postgres', url.host);
    result[name] = url.href;
  }
  return result;
}

/** The first of a kind has the plain name. */
function numbered(name: string, index: number): string {
  return index === 0 ? name : `${name}-${index + 1}`;
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
