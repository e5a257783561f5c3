import { createServer, type Server } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { openDispatcherStore } from '@plumbline/db';
import { catalogInfo } from '@plumbline/workflows/catalog-info';
import { Carriers } from '@plumbline/workflows/client';
import { Connections } from '@plumbline/workflows/activities/connections';
import { openDependencies } from '@plumbline/workflows/dependencies';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import { createAuth } from './auth/auth.ts';
import { AtOnce } from './dispatch/at-once.ts';
import { Answers } from './ingress/answers.ts';
import { eventInbox } from './ingress/event-inbox.ts';
import { Refusals } from './ingress/refusals.ts';
import { LiveHub } from './live/hub.ts';
import { Mailer } from './mail/mailer.ts';
import { openPostOffice } from './mail/post-office.ts';
import { ReferenceKeeper } from './runs/reference-keeper.ts';
import { Accountant } from './runs/accountant.ts';
import { mountSandboxes } from './sandboxes.ts';
import type { Services } from './services.ts';
import { mailFrom, type EngineSettings } from './settings.ts';
import { studioFiles } from './studio-files.ts';
import { loadTemplates } from './templates.ts';

export interface RunningServer {
  readonly services: Services;
  readonly port: number;
  close(): Promise<void>;
}

/** Brings up one API process: routes, live updates, studio, and in development the sandboxes. */
export async function startServer(
  settings: EngineSettings,
  environment: NodeJS.ProcessEnv,
  log: Logger,
): Promise<RunningServer> {
  const deps = await openDependencies(settings, environment, log);
  const {
    auth,
    pool,
    close: closeAuth,
  } = createAuth({
    databaseUrl: settings.PLUMBLINE_AUTH_DATABASE_URL,
    secret: settings.PLUMBLINE_SESSION_SECRET,
    origin: settings.PLUMBLINE_ORIGIN,
    secureCookies: settings.PLUMBLINE_ORIGIN.startsWith('https://'),
  });
  const carriers = new Carriers({
    address: settings.TEMPORAL_ADDRESS,
    namespace: settings.TEMPORAL_NAMESPACE,
    codec: deps.codec,
  });
  const dispatcherStore = openDispatcherStore(settings.PLUMBLINE_DISPATCHER_DATABASE_URL);
  const live = new LiveHub(settings.PLUMBLINE_APP_DATABASE_URL, deps.store);
  const services: Services = {
    settings,
    deps,
    info: catalogInfo(deps.catalog),
    auth,
    authPool: pool,
    carriers,
    connections: new Connections(deps),
    dispatcher: dispatcherStore,
    live,
    inbox: eventInbox(
      deps.store,
      new AtOnce({
        store: deps.store,
        carriers,
        log,
        now: deps.now,
        enabled: settings.PLUMBLINE_AT_ONCE,
        ...(deps.crashPoint ? { crashPoint: deps.crashPoint } : {}),
      }),
    ),
    answers: new Answers(settings.PLUMBLINE_APP_DATABASE_URL, deps.store),
    refusals: new Refusals(deps.store, log),
    templates: await loadTemplates(),
  };

  const accountant = new Accountant({ store: deps.store, people: pool, log, now: deps.now });
  const references = new ReferenceKeeper({ store: deps.store, people: pool, log });
  const mailer = settings.PLUMBLINE_SMTP_URL
    ? new Mailer({
        ...{ store: deps.store, dispatcher: dispatcherStore, origin: settings.PLUMBLINE_ORIGIN, log, now: deps.now },
        postOffice: openPostOffice({ url: settings.PLUMBLINE_SMTP_URL, from: mailFrom(settings) }),
      })
    : undefined;

  const sandboxes =
    settings.PLUMBLINE_SANDBOXES && settings.PLUMBLINE_SANDBOX_ORIGIN && settings.PLUMBLINE_SANDBOX_CLIENT_SECRET
      ? await mountSandboxes({
          catalog: deps.catalog,
          store: deps.store,
          origin: settings.PLUMBLINE_SANDBOX_ORIGIN,
          clientSecret: settings.PLUMBLINE_SANDBOX_CLIENT_SECRET,
        })
      : undefined;
  const app = createApp(services);
  const studio = studioFiles();
  // Sandboxes stand outside of our headers and our error shapes: they play someone else.
  const root = new Hono<{ Bindings: HttpBindings }>();
  if (sandboxes) root.route('/sandbox', sandboxes.app);
  root.all('/sandbox/*', (c) => c.notFound());
  root.all('*', (c) =>
    /^\/(api|hooks|oauth)(\/|$)/.test(c.req.path) ? app.fetch(c.req.raw, c.env) : studio.fetch(c.req.raw, c.env),
  );

  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 2_000 },
    getRequestListener(root.fetch),
  );
  const port = await listenOn(server, settings.PLUMBLINE_PORT, settings.PLUMBLINE_HOST);
  return {
    services,
    port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.all([accountant.close(), references.close(), mailer?.close()]);
      await live.close();
      await services.answers.close();
      await services.refusals.flush();
      await sandboxes?.flush();
      await carriers.close();
      await dispatcherStore.close();
      await closeAuth();
      await deps.close();
    },
  };
}

async function listenOn(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return (server.address() as { port: number }).port;
}
