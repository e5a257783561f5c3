import type { Tables } from '@plumbline/db/tables';
import { Hono } from 'hono';
import type { ExpressionBuilder } from 'kysely';
import { z } from 'zod';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import type { Health, Notice, Preview } from '../contract/index.ts';
import { account } from '../runs/accounting.ts';
import { mask } from '../runs/mask.ts';
import { databaseTrouble } from '../problem.ts';
import type { Services } from '../services.ts';
import { valid } from '../validate.ts';

/** Node types and connectors, as data. */
export function catalogRoutes(services: Services) {
  return new Hono<ActorEnv>().get('/', requireRight('flow:read'), (c) => c.json(services.info));
}

/** Tries an expression on sample data, under the same limits as in a run. */
export function expressionRoutes(services: Services) {
  return new Hono<ActorEnv>().post(
    '/preview',
    requireRight('flow:edit'),
    valid('json', z.strictObject({ source: z.string().max(20_000), context: z.record(z.string(), z.json()) })),
    async (c) => {
      const { companyId } = c.get('actor');
      const { source, context } = c.req.valid('json');
      const began = performance.now();
      const answer = await services.deps.evaluator.evaluate(companyId, {
        context: JSON.stringify(context),
        expressions: [{ field: 'value', source }],
        now: services.deps.now().toISOString(),
        seed: 'preview',
      });
      if (!answer.ok) {
        const { code, message, at } = answer.error;
        return c.json({ ok: false, code, message, ...(at === undefined ? {} : { at }) } as Preview);
      }
      const text = answer.values['value'];
      return c.json({
        ok: true,
        value: (text === undefined ? null : JSON.parse(text)) as unknown,
        empty: text === undefined,
        ms: Math.round(performance.now() - began),
      } as Preview);
    },
  );
}

export function notificationRoutes(services: Services) {
  return new Hono<ActorEnv>()
    .post(
      '/read',
      requireRight('run:read'),
      valid('json', z.strictObject({ ids: z.array(z.uuid()).max(500).optional() })),
      async (c) => {
        const { companyId, userId } = c.get('actor');
        const { ids } = c.req.valid('json');
        await services.deps.store.tenant(companyId, async (tx) => {
          let listed = tx
            .selectFrom('notifications')
            .select((eb) => ['company_id', 'id', eb.val(userId).as('user_id'), 'created_at'])
            .where('company_id', '=', companyId)
            .where((eb) => eb.not(seenBy(eb, userId)))
            .where(isFor(userId));
          if (ids) listed = listed.where('id', 'in', ids);
          if (!ids || ids.length > 0)
            await tx
              .insertInto('notification_reads')
              .columns(['company_id', 'notification_id', 'user_id', 'told_at'])
              .expression(listed)
              .onConflict((conflict) =>
                conflict
                  .columns(['company_id', 'notification_id', 'user_id'])
                  .doUpdateSet((eb) => ({ told_at: eb.ref('excluded.told_at') })),
              )
              .execute();
        });
        return c.body(null, 204);
      },
    )
    .get('/', requireRight('run:read'), async (c) => {
      const { companyId, userId } = c.get('actor');
      const rows = await services.deps.store.tenant(companyId, (tx) =>
        tx
          .selectFrom('notifications')
          .selectAll()
          .select((eb) => seenBy(eb, userId).as('seen'))
          .where('company_id', '=', companyId)
          .where(isFor(userId))
          .orderBy('created_at', 'desc')
          .limit(50)
          .execute(),
      );
      const notices: Notice[] = rows.map((row) => ({
        id: row.id,
        title: mask(row.title),
        body: mask(row.body),
        severity: row.severity,
        runId: row.run_id,
        taskId: row.approval_id,
        seen: row.seen,
        overAt: row.over_at?.toISOString() ?? null,
        createdAt: row.created_at.toISOString(),
      }));
      return c.json(notices);
    });
}

/** Notices for everybody, and for this person. */
function isFor(userId: string) {
  return (eb: ExpressionBuilder<Tables, 'notifications'>) =>
    eb.or([eb('user_id', 'is', null), eb('user_id', '=', userId)]);
}

/** Whether this person has seen a notice as it was told last. */
function seenBy(eb: ExpressionBuilder<Tables, 'notifications'>, userId: string) {
  return eb
    .exists(
      eb
        .selectFrom('notification_reads as reads')
        .select('reads.user_id')
        .whereRef('reads.company_id', '=', 'notifications.company_id')
        .whereRef('reads.notification_id', '=', 'notifications.id')
        .whereRef('reads.told_at', '>=', 'notifications.created_at')
        .where('reads.user_id', '=', userId),
    )
    .$castTo<boolean>();
}

/** Whether everything that came in is somewhere: the company's own numbers. */
export function accountingRoutes({ deps }: Services) {
  return new Hono<ActorEnv>().get('/', requireRight('run:read'), async (c) => {
    const { companyId } = c.get('actor');
    return c.json(await account(deps.store, companyId, deps.now()));
  });
}

/** For load balancers and people alike; says nothing about any company. */
export function healthRoutes(services: Services) {
  const { deps, carriers, dispatcher, inbox } = services;
  return new Hono().get('/', async (c) => {
    const check = async (work: () => Promise<string>): Promise<{ ok: boolean; detail: string }> => {
      try {
        return { ok: true, detail: await work() };
      } catch (error) {
        const trouble = databaseTrouble(error);
        const said = error instanceof Error ? error.message.slice(0, 200) : 'no answer';
        return { ok: false, detail: trouble ? `${trouble.message} ${trouble.fix}` : said };
      }
    };
    const [database, temporal, worker, evaluator] = await Promise.all([
      check(async () => {
        await deps.store.ping();
        const trouble = inbox.trouble();
        if (trouble) throw trouble;
        return 'answers';
      }),
      check(async () => {
        if (!(await carriers.isHealthy()))
          throw new Error('Temporal does not answer. Events are stored and start their runs when it is back.');
        return 'answers';
      }),
      check(async () => {
        const pollers = await carriers.pollers();
        if (pollers === 0) throw new Error('No worker asks for work.');
        return `${pollers} polling`;
      }),
      check(() =>
        deps.evaluator.ready > 0
          ? Promise.resolve(`${deps.evaluator.ready} ready, ${deps.evaluator.kills} stopped`)
          : Promise.reject(new Error('No evaluator is ready.')),
      ),
    ]);
    const backlog = await dispatcher.backlog(deps.now()).catch(() => ({ pending: 0, oldestSeconds: null }));
    const checks = { database, temporal, worker, evaluator };
    const healthy = Object.values(checks).every(({ ok }) => ok);
    const health: Health = {
      status: healthy ? 'ok' : 'degraded',
      checks,
      pendingEvents: backlog.pending,
      oldestPendingSeconds: backlog.oldestSeconds,
    };
    return c.json(health, healthy ? 200 : 503);
  });
}
