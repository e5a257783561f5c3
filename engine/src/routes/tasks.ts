import type { Transaction } from '@plumbline/db';
import { decide } from '@plumbline/workflows/approvals/decide';
import { delegate } from '@plumbline/workflows/approvals/delegate';
import { makeLink, revokeLinks } from '@plumbline/workflows/approvals/links';
import { Hono } from 'hono';
import { z } from 'zod';
import { memberDecider } from '../approvals/choose-seat.ts';
import { countTasks, listTasks, readTask } from '../approvals/read-tasks.ts';
import { requireRight, type Actor, type ActorEnv } from '../auth/session.ts';
import type { Services } from '../services.ts';
import { placeInList, valid } from '../validate.ts';

const task = z.object({ id: z.uuid() });
const seat = z.object({ id: z.uuid(), seat: z.uuid() });
const values = z.record(z.string().max(48), z.json());

/** What whoever decides sends, by whichever way. */
export const decisionBody = z.strictObject({
  outcome: z.string().max(64),
  comment: z.string().max(5_000).default(''),
  values: values.default({}),
});

/** What is put to people of the company: look, decide, hand on, and make links for people outside. */
export function taskRoutes({ deps, settings }: Services) {
  const { store } = deps;
  const sendsMail = settings.PLUMBLINE_SMTP_URL !== '';
  const read = (tx: Transaction, actor: Actor, id: string) => readTask(tx, actor, id, { now: deps.now(), sendsMail });
  return (
    new Hono<ActorEnv>()
      .get(
        '/',
        requireRight('run:read'),
        valid(
          'query',
          z.strictObject({
            view: z.enum(['mine', 'open', 'decided']).default('mine'),
            cursor: placeInList.optional(),
          }),
        ),
        async (c) => {
          const actor = c.get('actor');
          const { view, cursor } = c.req.valid('query');
          return c.json(
            await store.tenant(actor.companyId, (tx) => listTasks(tx, actor, { view, ...(cursor ? { cursor } : {}) })),
          );
        },
      )
      .get('/count', requireRight('run:read'), async (c) => {
        const actor = c.get('actor');
        return c.json({ mine: await store.tenant(actor.companyId, (tx) => countTasks(tx, actor)) });
      })
      .get('/:id', requireRight('run:read'), valid('param', task), async (c) => {
        const actor = c.get('actor');
        return c.json(await store.tenant(actor.companyId, (tx) => read(tx, actor, c.req.valid('param').id)));
      })
      .post(
        '/:id/decide',
        requireRight('approval:decide'),
        valid('param', task),
        valid('json', decisionBody.extend({ seatId: z.uuid().optional() })),
        async (c) => {
          const actor = c.get('actor');
          const { id } = c.req.valid('param');
          const { seatId, ...given } = c.req.valid('json');
          const detail = await store.tenant(actor.companyId, async (tx) => {
            await decide(
              tx,
              { companyId: actor.companyId, approvalId: id },
              memberDecider(actor, seatId),
              given,
              deps.now(),
            );
            return await read(tx, actor, id);
          });
          return c.json(detail);
        },
      )
      .post(
        '/:id/delegate',
        requireRight('approval:decide'),
        valid('param', task),
        valid('json', z.strictObject({ to: z.string().min(3).max(320), seatId: z.uuid().optional() })),
        async (c) => {
          const actor = c.get('actor');
          const { id } = c.req.valid('param');
          const { to, seatId } = c.req.valid('json');
          return c.json(
            await store.tenant(actor.companyId, async (tx) => {
              await delegate(
                tx,
                { companyId: actor.companyId, approvalId: id },
                memberDecider(actor, seatId),
                to,
                deps.now(),
              );
              return await read(tx, actor, id);
            }),
          );
        },
      )
      // Whoever holds a link can decide with it, so making one is an admin's, and on record.
      .post('/:id/seats/:seat/link', requireRight('approval:oversee'), valid('param', seat), async (c) => {
        const { companyId, name } = c.get('actor');
        const { id, seat: seatId } = c.req.valid('param');
        const { token, expiresAt } = await store.tenant(companyId, (tx) =>
          makeLink(tx, { companyId, approvalId: id, seatId }, name, deps.now()),
        );
        c.header('Cache-Control', 'no-store');
        return c.json({ url: `${settings.PLUMBLINE_ORIGIN}/approve/${token}`, expiresAt: expiresAt.toISOString() });
      })
      .delete('/:id/seats/:seat/link', requireRight('approval:oversee'), valid('param', seat), async (c) => {
        const { companyId, name } = c.get('actor');
        const { id, seat: seatId } = c.req.valid('param');
        await store.tenant(companyId, (tx) => revokeLinks(tx, { companyId, approvalId: id, seatId }, name, deps.now()));
        return c.body(null, 204);
      })
  );
}
