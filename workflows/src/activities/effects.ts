import { ConnectorFailure, isConnectorFailure, type NodeResult, type NodeType, type RunContext } from '@plumbline/nodes';
import { json } from '@plumbline/db';
import type { Dependencies } from './dependencies.ts';
import type { RunStepInput } from './contract.ts';

/**
 * Carries out a node's effect once. The intent is committed before anything is sent, the outcome after; whoever finds an intent without an outcome
 * asks the vendor before sending again.
 *
 * - confirmed: the recorded result is returned, nothing is sent.
 * - intent without outcome: the vendor repeats its first answer for our key, or `findExisting` looks, or a person must.
 * - refused: nothing happened there, so it may be sent again.
 */
export async function performOnce(deps: Dependencies, input: RunStepInput, key: string, type: NodeType, context: RunContext<never>): Promise<NodeResult> {
  if (!type.run) return { output: context.input };
  if (type.effect === 'none' || type.effect === 'read') return await type.run(context);
  const { companyId, runId, nodeId, iteration } = input;
  const earlier = await deps.store.tenant(companyId, async (tx) => {
    const inserted = await tx
      .insertInto('effects')
      .values({ company_id: companyId, key, run_id: runId, node_id: nodeId, iteration, state: 'intent', result: null })
      .onConflict((conflict) => conflict.columns(['company_id', 'key']).doNothing())
      .executeTakeFirst();
    if (inserted.numInsertedOrUpdatedRows === 1n) return undefined;
    const row = await tx.selectFrom('effects').select(['state', 'result']).where('company_id', '=', companyId).where('key', '=', key).executeTakeFirstOrThrow();
    if (row.state === 'refused') await tx.updateTable('effects').set({ state: 'intent', updated_at: deps.now() }).where('company_id', '=', companyId).where('key', '=', key).execute();
    return row;
  });
  if (earlier?.state === 'confirmed') return earlier.result as unknown as NodeResult;
  deps.crashPoint?.('after-intent');
  if (earlier && earlier.state !== 'refused') {
    const existing = await findEarlier(type, context);
    if (existing) {
      await settle(deps, companyId, key, 'confirmed', existing);
      return existing;
    }
  }
  try {
    const result = await type.run(context);
    deps.crashPoint?.('after-vendor-call');
    await settle(deps, companyId, key, 'confirmed', result);
    return result;
  } catch (error) {
    if (!isConnectorFailure(error) || error.kind !== 'ambiguous') {
      await settle(deps, companyId, key, isConnectorFailure(error) && error.kind === 'contract' ? 'uncertain' : 'refused');
      throw error;
    }
    await settle(deps, companyId, key, 'uncertain');
    const existing = await findEarlier(type, context);
    if (existing) {
      await settle(deps, companyId, key, 'confirmed', existing);
      return existing;
    }
    // Looked, and it is not there, or the vendor repeats its first answer: sending again is safe, so the retry may.
    throw new ConnectorFailure({ kind: 'unavailable', code: error.code ?? 'no_answer', message: error.message, cause: error });
  }
}

/** @throws ConnectorFailure `ambiguous` when nothing can tell whether the earlier attempt went through. */
async function findEarlier(type: NodeType, context: RunContext<never>): Promise<NodeResult | undefined> {
  if (type.findExisting) return await type.findExisting(context);
  if (type.idempotency === 'key' || type.effect === 'upsert') return undefined;
  throw new ConnectorFailure({
    kind: 'ambiguous',
    code: 'sent_without_answer',
    message: `"${type.title}" was sent, but no answer came back, and there is no way to look whether it went through.`,
  });
}

async function settle(deps: Dependencies, companyId: string, key: string, state: 'confirmed' | 'refused' | 'uncertain', result?: NodeResult): Promise<void> {
  await deps.store.tenant(companyId, (tx) =>
    tx
      .updateTable('effects')
      .set({ state, updated_at: deps.now(), ...(result ? { result: json(result) } : {}) })
      .where('company_id', '=', companyId)
      .where('key', '=', key)
      .execute(),
  );
}
