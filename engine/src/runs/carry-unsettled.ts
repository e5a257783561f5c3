import { json, type Transaction } from '@plumbline/db';
import { stepKey } from '@plumbline/workflows/step-key';

/** So many at a time. */
const CHUNK = 2_000;

/**
 * Hands over what a closed run sent without learning whether it went through, so that the run that repeats it looks for that first and nothing is done
 * twice. What a vendor took or refused is not handed over: done again it is a new effect.
 */
export async function carryUnsettled(
  tx: Transaction,
  runs: {
    readonly companyId: string;
    readonly from: string;
    readonly to: string;
    /** Steps that are done again, and are what they were. */
    readonly nodeIds: readonly string[];
    readonly now: Date;
  },
): Promise<void> {
  const { companyId, from, to, nodeIds, now } = runs;
  if (nodeIds.length === 0) return;
  const steps = await tx
    .selectFrom('steps')
    .select(['node_id', 'iteration', 'input'])
    .where('company_id', '=', companyId)
    .where('run_id', '=', from)
    .where('node_id', 'in', nodeIds)
    .where('status', '<>', 'succeeded')
    .execute();
  const byKey = new Map(
    steps
      // What undoes an effect is of the run whose effect it was.
      .filter(({ iteration }) => iteration.split('.').at(-1) !== 'undo')
      .map((step) => [stepKey({ companyId, runId: from, nodeId: step.node_id, iteration: step.iteration }), step]),
  );
  const keys = [...byKey.keys()];
  for (let at = 0; at < keys.length; at += CHUNK) {
    const unsettled = await tx
      .selectFrom('effects')
      .select(['key', 'sent_as', 'sent_input'])
      .where('company_id', '=', companyId)
      .where('key', 'in', keys.slice(at, at + CHUNK))
      .where('state', 'in', ['intent', 'sent', 'uncertain'])
      .execute();
    const rows = unsettled.flatMap((effect) => {
      const step = byKey.get(effect.key);
      if (!step) return [];
      const { node_id: nodeId, iteration } = step;
      const sent = effect.sent_input ?? step.input;
      return {
        company_id: companyId,
        key: stepKey({ companyId, runId: to, nodeId, iteration }),
        run_id: to,
        node_id: nodeId,
        iteration,
        state: 'uncertain' as const,
        result: null,
        sent_as: effect.sent_as ?? effect.key,
        sent_input: sent === null ? null : json(sent),
        updated_at: now,
      };
    });
    if (rows.length > 0) await tx.insertInto('effects').values(rows).execute();
  }
}
