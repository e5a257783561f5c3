import { randomUUID } from 'node:crypto';
import { canonicalJson } from '@plumbline/workflows/flow';
import { Hono } from 'hono';
import { z } from 'zod';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import type { CallAccepted } from '../contract/index.ts';
import { fillIn, openTrigger } from '../flows/fill-in.ts';
import { ApiError } from '../problem.ts';
import type { Services } from '../services.ts';
import { valid } from '../validate.ts';

const flowId = z.object({ id: z.uuid() });
const values = z.record(z.string().max(100), z.json());

/** Starting a flow from outside of it: a person with a form, a program with a call. */
export function startRoutes(services: Services) {
  const { store } = services.deps;

  return new Hono<ActorEnv>()
    .post(
      '/:id/start',
      requireRight('flow:run'),
      valid('param', flowId),
      valid('json', z.strictObject({ values })),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { id } = c.req.valid('param');
        const given = c.req.valid('json').values;
        const { key, filled } = await store.tenant(companyId, async (tx) => {
          const words = { cannot: 'be started by hand', needs: 'Someone starts it' };
          const trigger = await openTrigger(tx, { companyId, flowId: id, kind: 'manual', words });
          const form = { companyId, config: trigger.config, values: given, path: 'values', free: true };
          return { key: trigger.key, filled: await fillIn(tx, form) };
        });
        const event = await services.inbox.submit(companyId, {
          kind: 'manual',
          key,
          dedupeKey: randomUUID(),
          data: { values: filled, actor },
        });
        return c.json({ eventId: event.id }, 202);
      },
    )
    .post(
      '/:id/calls',
      requireRight('flow:run'),
      valid('param', flowId),
      valid('json', z.strictObject({ input: values.default({}) })),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { id } = c.req.valid('param');
        const { input: given } = c.req.valid('json');
        const idempotencyKey = readIdempotencyKey(c.req.header('idempotency-key'));
        const { key, input } = await store.tenant(companyId, async (tx) => {
          const words = { cannot: 'be called', needs: 'A program calls' };
          const trigger = await openTrigger(tx, { companyId, flowId: id, kind: 'call', words });
          const form = { companyId, config: trigger.config, values: given, path: 'input', free: false };
          return { key: trigger.key, input: await fillIn(tx, form) };
        });
        const dedupeKey = idempotencyKey === undefined ? randomUUID() : `key:${idempotencyKey}`;
        // What was given, not what was found for it: a record may change between two calls that are the same.
        const call = { input, actor, given };
        const stored = await services.inbox.submit(companyId, { kind: 'call', key, dedupeKey, data: call });
        const eventId = stored.id ?? (await earlierCall({ companyId, key, dedupeKey, given }));
        return c.json({ eventId, duplicate: stored.duplicate } satisfies CallAccepted, 202);
      },
    );

  /** The call that came first under the same key. @throws ApiError `idempotency_mismatch` when it gave something else */
  async function earlierCall(call: {
    readonly companyId: string;
    readonly key: string;
    readonly dedupeKey: string;
    readonly given: unknown;
  }): Promise<string> {
    const event = await store.tenant(call.companyId, (tx) =>
      tx
        .selectFrom('events')
        .select(['id', 'data'])
        .where('company_id', '=', call.companyId)
        .where('key', '=', call.key)
        .where('dedupe_key', '=', call.dedupeKey)
        .executeTakeFirstOrThrow(),
    );
    if (canonicalJson(event.data['given']) !== canonicalJson(call.given))
      throw new ApiError('idempotency_mismatch', 'There was a call with this Idempotency-Key and another input.', {
        path: 'Idempotency-Key',
        fix: 'Use a new key for a new call, and the same input for a repeated one.',
      });
    return event.id;
  }
}

function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (/^[\x21-\x7e]{1,200}$/.test(header)) return header;
  throw new ApiError('invalid_input', 'An Idempotency-Key has 1 to 200 characters and no blanks.', {
    path: 'Idempotency-Key',
    fix: 'Use an id of your own for the call, such as a UUID.',
  });
}
