import { appendAudit } from '@plumbline/db/queries/audit';
import { StepNotParkedError, StepNotWaitingError } from '@plumbline/workflows/client';
import type { WaitingDecision, WaitingOutcome } from '../contract/index.ts';
import type { Services } from '../services.ts';
import { whyNotWoken } from './awaited-end.ts';

const IN_FLIGHT = 8;

/** Wakes or drops many steps that go on by themselves, several at a time, each through its own carrier; what has gone on meanwhile says so. */
export async function decideWaiting(
  { deps, carriers }: Pick<Services, 'deps' | 'carriers'>,
  who: { readonly companyId: string; readonly actor: string },
  { action, steps }: WaitingDecision,
): Promise<WaitingOutcome> {
  const { companyId, actor } = who;
  const rows = await deps.store.tenant(companyId, (tx) =>
    tx
      .selectFrom('runs')
      .select(['id', 'carrier_id'])
      .where('company_id', '=', companyId)
      .where('finished_at', 'is', null)
      .where(
        'id',
        'in',
        steps.map(({ runId }) => runId),
      )
      .execute(),
  );
  const carrierOf = new Map(rows.map(({ id, carrier_id }) => [id, carrier_id]));
  const refused: { runId: string; nodeId: string; why: string }[] = [];
  const left = [...steps];
  const work = async (): Promise<void> => {
    for (let step = left.pop(); step; step = left.pop()) {
      const { runId, nodeId } = step;
      const carrierId = carrierOf.get(runId);
      try {
        if (!carrierId) throw new StepNotWaitingError('Its run has ended.');
        if (action === 'wake') await carriers.wake({ companyId, carrierId }, step);
        else await carriers.decide({ companyId, carrierId }, { ...step, decision: { action: 'abort' } });
      } catch (error) {
        const known = error instanceof StepNotWaitingError || error instanceof StepNotParkedError;
        if (!known) deps.log.warn({ err: error, companyId, runId }, 'a step that waits could not be reached');
        const why = known && action === 'wake' ? await whyNotWoken(deps.store, { companyId, ...step }) : undefined;
        refused.push({
          ...{ runId, nodeId },
          why: why?.message ?? (known ? error.message : 'The engine did not answer. Look at the run.'),
        });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, steps.length) }, work));
  const done = steps.length - refused.length;
  await deps.store.tenant(companyId, (tx) =>
    appendAudit(tx, {
      ...{ actor, action: `steps.${action}`, targetType: 'queue', targetId: 'waiting' },
      details: { count: steps.length, done, runs: steps.slice(0, 100).map(({ runId }) => runId) },
    }),
  );
  return { done, refused };
}
