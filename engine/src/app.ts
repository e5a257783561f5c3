import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { requireActor, requireSameOrigin, type ActorEnv } from './auth/session.ts';
import { limitBody } from './ingress/limit-body.ts';
import { webhookIngress } from './ingress/webhooks.ts';
import { answerProblem, ApiError, toProblem } from './problem.ts';
import { approveRoutes } from './routes/approve.ts';
import { connectionRoutes, integrationRoutes, oauthRoutes } from './routes/connections.ts';
import { flowTestRoutes } from './routes/flow-tests.ts';
import { flowRoutes } from './routes/flows.ts';
import { liveRoutes } from './routes/live.ts';
import { queueRoutes } from './routes/queue.ts';
import { recordRoutes } from './routes/records.ts';
import { runRoutes } from './routes/runs.ts';
import { meRoutes, sessionRoutes } from './routes/session.ts';
import { startRoutes } from './routes/starts.ts';
import { taskRoutes } from './routes/tasks.ts';
import { templateRoutes } from './routes/templates.ts';
import { accountingRoutes, catalogRoutes, expressionRoutes, healthRoutes, notificationRoutes } from './routes/tools.ts';
import { triggerRoutes } from './routes/triggers.ts';
import { valueMapRoutes } from './routes/value-maps.ts';
import type { Services } from './services.ts';

/** The studio's API: everything here needs a session and belongs to its company. */
function companyApi(services: Services) {
  return new Hono<ActorEnv>()
    .use(requireActor(services.auth, services.authPool))
    .route('/me', meRoutes(services))
    .route('/catalog', catalogRoutes(services))
    .route('/flows', flowRoutes(services))
    .route('/flows', flowTestRoutes(services))
    .route('/flows', triggerRoutes(services))
    .route('/flows', startRoutes(services))
    .route('/expressions', expressionRoutes(services))
    .route('/runs', runRoutes(services))
    .route('/queue', queueRoutes(services))
    .route('/tasks', taskRoutes(services))
    .route('/health/accounting', accountingRoutes(services))
    .route('/live', liveRoutes(services))
    .route('/integrations', integrationRoutes(services))
    .route('/connections', connectionRoutes(services))
    .route('/templates', templateRoutes(services))
    .route('/records', recordRoutes(services))
    .route('/value-maps', valueMapRoutes(services))
    .route('/notifications', notificationRoutes(services));
}

/** The whole HTTP surface but for sandboxes and the studio's files. */
export function createApp(services: Services) {
  const { settings, deps } = services;
  const app = new Hono<ActorEnv>();

  app.use(async (c, next) => {
    c.set('requestId', randomUUID());
    c.header('X-Request-Id', c.get('requestId'));
    await next();
  });
  // What flows answer comes from our own address: no browser is to run anything of it here. Outside of the next, so that it has the last word.
  app.use('/hooks/*', async (c, next) => {
    await next();
    c.header('Content-Security-Policy', "sandbox; default-src 'none'");
  });
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'", "'unsafe-inline'"], // the studio's start script is inline
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        frameAncestors: ["'none'"],
      },
      strictTransportSecurity: settings.PLUMBLINE_MODE === 'production' ? 'max-age=31536000; includeSubDomains' : false,
    }),
  );
  app.onError((error, c) => {
    const requestId = c.get('requestId');
    const { problem } = toProblem(error, requestId);
    if (problem.status >= 500)
      deps.log.error({ err: error, requestId, method: c.req.method, path: withoutToken(c.req.path) }, problem.code);
    return answerProblem(c, error, requestId);
  });
  app.notFound((c) =>
    answerProblem(c, new ApiError('not_found', 'There is nothing at this address.'), c.get('requestId')),
  );

  return app
    .route('/hooks', webhookIngress(services))
    .route('/api/health', healthRoutes(services))
    .use('/api/*', requireSameOrigin(settings.PLUMBLINE_ORIGIN))
    .use('/api/*', limitBody(5))
    .route('/api/session', sessionRoutes(services))
    .route('/api/approve', approveRoutes(services))
    .use('/oauth/*', requireActor(services.auth, services.authPool))
    .route('/oauth', oauthRoutes(services))
    .route('/api', companyApi(services));
}

/** What may be logged of an address: a link's token decides by itself. */
function withoutToken(path: string): string {
  return path.replace(/^\/api\/approve\/.*/, '/api/approve/…');
}

export type App = ReturnType<typeof createApp>;
