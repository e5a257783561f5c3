import { appendAudit } from '@plumbline/db/queries/audit';
import { StepNotParkedError, StepNotWaitingError } from '@plumbline/workflows/client';
import { carrierWorkflowId } from '@plumbline/workflows/payload-codec';
import { Hono } from 'hono';
import { z } from 'zod';
import { requireRight, type ActorEnv } from '../auth/session.ts';
import type { RunStatus } from '../contract/index.ts';
import { listRuns, readRun } from '../flows/read-run.ts';
import { stepData } from '../flows/run-steps.ts';
import { ApiError, notFound } from '../problem.ts';
import { checkDecision, type GivenDecision } from '../runs/check-decision.ts';
import { decidedStep } from '../runs/decided-step.ts';
import { listErrors } from '../runs/errors.ts';
import { decideGroup, listGroups } from '../runs/groups.ts';
import { rerun } from '../runs/rerun.ts';
import { whyNotWoken } from '../runs/awaited-end.ts';
import type { Services } from '../services.ts';
import { placeInList, valid, versionNumber } from '../validate.ts';

const statuses = [
  'queued',
  'running',
  'waiting',
  'parked',
  'succeeded',
  'failed',
  'cancelled',
] as const satisfies readonly RunStatus[];
const THIRTY_DAYS_MS = 30 * 86_400_000;
const runId = z.object({ id: z.uuid() });

/** Both or neither: a round, from 1, of one of its loops. */
const roundQuery = z
  .strictObject({
    loop: z.string().max(64).optional(),
    round: z.coerce.number().int().min(1).max(1_000_000).optional(),
  })
  .refine(({ loop, round }) => (loop === undefined) === (round === undefined), {
    message: 'A round is asked for with its loop, and a loop with a round.',
    path: ['round'],
  });
const iteration = z.string().max(200).default('');
const decision = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('retry'), iteration, input: z.record(z.string(), z.json()).optional() }),
  z.strictObject({ action: z.literal('skip'), iteration, output: z.json(), port: z.string().max(64).optional() }),
  z.strictObject({ action: z.literal('error_port'), iteration }),
  z.strictObject({ action: z.literal('abort'), iteration, compensate: z.boolean().optional() }),
]);

const groupDecision = z.strictObject({
  action: z.enum(['retry', 'skip', 'error_port', 'abort']),
  patch: z.record(z.string(), z.json()).optional(),
  compensate: z.boolean().optional(),
  output: z.json().optional(),
  port: z.string().max(64).optional(),
  dryRun: z.boolean(),
  runIds: z.array(z.uuid()).min(1).max(1_000).optional(),
});

const rerunRequest = z.strictObject({
  from: z.string().max(48).optional(),
  input: z.record(z.string(), z.json()).optional(),
  version: z.enum(['same', 'current']),
  dryRun: z.boolean().default(false),
});

/** Runs: list, look, decide about one or about all that wait for the same thing, wake, cancel, run again. */
export function runRoutes(services: Services) {
  const { store } = services.deps;

  const temporalUrl = (companyId: string) => (carrierId: string) =>
    services.settings.PLUMBLINE_TEMPORAL_UI
      ? `${services.settings.PLUMBLINE_TEMPORAL_UI}/namespaces/${services.settings.TEMPORAL_NAMESPACE}/workflows/${encodeURIComponent(carrierWorkflowId(companyId, carrierId))}`
      : null;

  const carrierOf = async (companyId: string, id: string) => {
    const row = await store.tenant(companyId, (tx) =>
      tx
        .selectFrom('runs')
        .select(['carrier_id', 'status', 'finished_at'])
        .where('company_id', '=', companyId)
        .where('id', '=', id)
        .executeTakeFirst(),
    );
    if (!row) throw notFound('run');
    if (row.finished_at)
      throw new ApiError('already_ended', 'This run has ended.', {
        fix: 'Start it again, if it should run once more.',
      });
    return { companyId, carrierId: row.carrier_id };
  };

  return new Hono<ActorEnv>()
    .get(
      '/',
      requireRight('run:read'),
      valid(
        'query',
        z.strictObject({
          flowId: z.uuid().optional(),
          version: versionNumber.optional(),
          eventId: z.uuid().optional(),
          status: z.enum([...statuses, 'open']).optional(),
          since: z.iso.datetime({ offset: true }).optional(),
          until: z.iso.datetime({ offset: true }).optional(),
          code: z.string().max(120).optional(),
          recordId: z.uuid().optional(),
          q: z.string().max(200).optional(),
          cursor: placeInList.optional(),
        }),
      ),
      async (c) => {
        const { companyId } = c.get('actor');
        const { since, until, ...given } = c.req.valid('query');
        const filter = {
          ...withoutGaps(given),
          ...(since ? { since: new Date(since) } : {}),
          ...(until ? { until: new Date(until) } : {}),
        };
        return c.json(await store.tenant(companyId, (tx) => listRuns(tx, { companyId, ...filter })));
      },
    )
    .get(
      '/errors',
      requireRight('run:read'),
      valid(
        'query',
        z.strictObject({ flowId: z.uuid().optional(), since: z.iso.datetime({ offset: true }).optional() }),
      ),
      async (c) => {
        const { companyId } = c.get('actor');
        const { flowId, since } = c.req.valid('query');
        const from = since ? new Date(since) : new Date(services.deps.now().getTime() - THIRTY_DAYS_MS);
        return c.json(
          await store.tenant(companyId, (tx) =>
            listErrors(tx, { companyId, since: from, ...(flowId ? { flowId } : {}) }),
          ),
        );
      },
    )
    .get('/groups', requireRight('run:read'), async (c) => {
      const { companyId } = c.get('actor');
      return c.json(await store.tenant(companyId, (tx) => listGroups(tx, companyId, services.info)));
    })
    .post(
      '/groups/:fingerprint/decide',
      requireRight('run:decide'),
      valid('param', z.object({ fingerprint: z.string().regex(/^[0-9a-f]{32}$/) })),
      valid('json', groupDecision),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { output, port, runIds, patch, compensate, ...given } = c.req.valid('json');
        return c.json(
          await decideGroup(services, { companyId, actor }, c.req.valid('param').fingerprint, {
            ...given,
            ...(output === undefined ? {} : { output }),
            ...(port ? { port } : {}),
            ...(runIds ? { runIds } : {}),
            ...(patch ? { patch } : {}),
            ...(compensate ? { compensate } : {}),
          }),
        );
      },
    )
    .get('/:id', requireRight('run:read'), valid('param', runId), valid('query', roundQuery), async (c) => {
      const { companyId } = c.get('actor');
      const { loop, round } = c.req.valid('query');
      const asked = {
        runId: c.req.valid('param').id,
        ...(loop && round ? { round: { loop, number: round } } : {}),
      };
      return c.json(
        await store.tenant(companyId, (tx) => readRun(tx, companyId, asked, services.info, temporalUrl(companyId))),
      );
    })
    .get(
      '/:id/steps/:nodeId',
      requireRight('run:read'),
      valid('param', z.object({ id: z.uuid(), nodeId: z.string().max(64) })),
      valid('query', z.strictObject({ iteration })),
      async (c) => {
        const { companyId } = c.get('actor');
        const { id, nodeId } = c.req.valid('param');
        const at = { companyId, runId: id, nodeId, ...c.req.valid('query') };
        return c.json(await store.tenant(companyId, (tx) => stepData(tx, at)));
      },
    )
    .post('/:id/cancel', requireRight('run:decide'), valid('param', runId), async (c) => {
      const { companyId, name: actor } = c.get('actor');
      const { id } = c.req.valid('param');
      await services.carriers.cancel(await carrierOf(companyId, id), id);
      await store.tenant(companyId, (tx) =>
        appendAudit(tx, { actor, action: 'run.cancelled', targetType: 'run', targetId: id }),
      );
      return c.body(null, 204);
    })
    .post('/:id/rerun', requireRight('flow:run'), valid('param', runId), valid('json', rerunRequest), async (c) => {
      const { companyId, name: actor } = c.get('actor');
      const { from, input, ...request } = c.req.valid('json');
      return c.json(
        await rerun(services, { companyId, actor }, c.req.valid('param').id, {
          ...request,
          ...(from ? { from } : {}),
          ...(input ? { input } : {}),
        }),
      );
    })
    .post(
      '/:id/steps/:nodeId/wake',
      requireRight('run:decide'),
      valid('param', z.object({ id: z.uuid(), nodeId: z.string().max(48) })),
      valid('json', z.strictObject({ iteration })),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { id, nodeId } = c.req.valid('param');
        try {
          await services.carriers.wake(await carrierOf(companyId, id), { runId: id, nodeId, ...c.req.valid('json') });
        } catch (error) {
          if (!(error instanceof StepNotWaitingError)) throw error;
          const why = await whyNotWoken(store, { companyId, runId: id, nodeId, ...c.req.valid('json') });
          throw new ApiError('invalid_transition', why?.message ?? error.message, {
            fix: why?.fix ?? 'Look at the run again: it may have gone on by itself.',
          });
        }
        await store.tenant(companyId, (tx) =>
          appendAudit(tx, { actor, action: 'step.woken', targetType: 'run', targetId: id, details: { nodeId } }),
        );
        return c.body(null, 204);
      },
    )
    .post(
      '/:id/steps/:nodeId/decide',
      requireRight('run:decide'),
      valid('param', z.object({ id: z.uuid(), nodeId: z.string().max(48) })),
      valid('json', decision),
      async (c) => {
        const { companyId, name: actor } = c.get('actor');
        const { id, nodeId } = c.req.valid('param');
        const { iteration, ...given } = c.req.valid('json');
        const carrier = await carrierOf(companyId, id);
        const step = await store.tenant(companyId, (tx) =>
          decidedStep(tx, companyId, { runId: id, nodeId, iteration }),
        );
        const chosen = checkDecision({ catalog: services.deps.catalog, info: services.info }, step, toGiven(given));
        try {
          await services.carriers.decide(carrier, { runId: id, nodeId, iteration, decision: chosen });
        } catch (error) {
          if (error instanceof StepNotParkedError)
            throw new ApiError('not_parked', error.message, {
              fix: 'Look at the run again: someone may have decided already.',
            });
          throw error;
        }
        await store.tenant(companyId, (tx) =>
          appendAudit(tx, {
            actor,
            action: `step.${chosen.action}`,
            targetType: 'run',
            targetId: id,
            details: { nodeId, ...(chosen.action === 'retry' && chosen.input ? { inputEdited: true } : {}) },
          }),
        );
        return c.body(null, 204);
      },
    );
}

function toGiven(given: Omit<z.infer<typeof decision>, 'iteration'> & { readonly action: string }): GivenDecision {
  return withoutGaps(given) as unknown as GivenDecision;
}

/** Leaves out what was not given: an absent field and one without a value are not the same further in. */
function withoutGaps<T extends object>(given: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
