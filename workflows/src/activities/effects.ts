import {
  ConnectorFailure,
  isConnectorFailure,
  type NodeResult,
  type NodeType,
  type RunContext,
} from '@plumbline/nodes';
import { json } from '@plumbline/db';
import { sql } from 'kysely';
import { canonicalJson } from '../flow/canonical.ts';
import type { Dependencies } from './dependencies.ts';

/**
 * Carries out a node's effect once. The intent is committed before anything is sent, the outcome after; whoever finds an intent without an outcome
 * asks the vendor before sending again.
 *
 * - confirmed: the recorded result is returned, nothing is sent.
 * - another attempt is at it: its outcome is waited for.
 * - intent without outcome: the vendor repeats its first answer for our key, or `findExisting` looks, or a person must.
 * - refused: nothing happened there, so it may be sent again.
 */
export async function performOnce(
  deps: Dependencies,
  step: StepKeyed,
  type: NodeType,
  context: RunContext<never>,
  given: GivenClaim = {},
): Promise<NodeResult> {
  if (!type.run) return { output: context.input };
  if (!isWrite(effectOf(type, context.input))) return await carryOutRead(deps, step, type, context);
  const { companyId, key } = step;
  const claim: Claim = given.claimed ? { kind: 'first' } : await claimEffect(deps, step, context);
  if (claim.kind === 'confirmed') return claim.result;
  const named = claim.kind === 'unsettled' && claim.sentAs ? { ...context, idempotencyKey: claim.sentAs } : context;
  const heart = setInterval(() => void keepClaim(deps, companyId, key).catch(() => undefined), HEARTBEAT_MS);
  try {
    deps.crashPoint?.('after-intent', step.nodeId);
    const result = await carryOut(deps, { ...step, type, context: named, mayBeThere: claim.kind === 'unsettled' });
    if (given.confirm) given.confirm(result);
    else await settle(deps, companyId, key, 'confirmed', result);
    return result;
  } finally {
    clearInterval(heart);
  }
}

/** A step under the name its effect has. */
export interface StepKeyed {
  readonly companyId: string;
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
  readonly key: string;
}

/** What the caller has done, or will do, about the effect's row, so that it shares a commit with what else is written then. */
export interface GivenClaim {
  /** The intent is written, and it is the first. */
  readonly claimed?: boolean;
  /** Takes the result and commits it as confirmed before anything else is built on it. */
  readonly confirm?: (result: NodeResult) => void;
}

/** How often this very call may be carried out. */
export function effectOf(type: NodeType, input: unknown): NodeType['effect'] {
  return type.effectFor?.(input as never) ?? type.effect;
}

function honoursKey(type: NodeType, input: unknown): boolean {
  return (type.idempotencyFor?.(input as never) ?? type.idempotency) === 'key';
}

/** Whether it leaves something behind. */
export function isWrite(effect: NodeType['effect']): boolean {
  return effect === 'create' || effect === 'upsert';
}

interface Work extends StepKeyed {
  readonly type: NodeType;
  readonly context: RunContext<never>;
  /** An earlier attempt was sent, and nobody knows what became of it. */
  readonly mayBeThere: boolean;
}

async function carryOutRead(
  deps: Dependencies,
  { nodeId }: StepKeyed,
  type: NodeType,
  context: RunContext<never>,
): Promise<NodeResult> {
  if (!type.run) throw new Error(`${type.id} has nothing to run`);
  const result = await type.run(context);
  if (type.effect !== 'none') deps.crashPoint?.('after-vendor-call', nodeId);
  return result;
}

async function carryOut(
  deps: Dependencies,
  { companyId, nodeId, key, type, context, mayBeThere }: Work,
): Promise<NodeResult> {
  if (!type.run) throw new Error(`${type.id} has nothing to run`);
  if (mayBeThere) {
    const existing = await findEarlier(type, context).catch(async (error: unknown) => {
      await settle(deps, companyId, key, 'uncertain');
      throw error;
    });
    if (existing) return existing;
  }
  try {
    const result = await type.run(context);
    deps.crashPoint?.('after-vendor-call', nodeId);
    return result;
  } catch (error) {
    if (!isConnectorFailure(error) || error.kind !== 'ambiguous') {
      // Only a vendor's clear no says that nothing happened: an answer we cannot read, or a fault of ours, may come after it did.
      await settle(
        deps,
        companyId,
        key,
        isConnectorFailure(error) && error.kind !== 'contract' ? 'refused' : 'uncertain',
      );
      throw error;
    }
    await settle(deps, companyId, key, 'uncertain');
    const existing = await findEarlier(type, context);
    if (existing) return existing;
    // Looked, and it is not there, or the vendor repeats its first answer: sending again is safe, so the retry may.
    throw new ConnectorFailure({
      kind: 'unavailable',
      code: error.code ?? 'no_answer',
      message: `${type.title}: no clear answer came, and it is safe to ask again.`,
      cause: error,
    });
  }
}

type Claim =
  | { readonly kind: 'first' | 'refused' }
  /** `sentAs`: the key under which a run that this one repeats sent it. */
  | { readonly kind: 'unsettled'; readonly sentAs: string | null }
  | { readonly kind: 'confirmed'; readonly result: NodeResult };

/** Who carries an effect out says so every second; after five of silence it counts as dead, and the next may take over. */
const HEARTBEAT_MS = 1_000;
const POLL_MS = 100;

/**
 * Takes the effect, or waits for whoever holds it: the same step may be carried out twice at once when a worker is slow to notice that its task went
 * to another.
 */
async function claimEffect(
  deps: Dependencies,
  step: StepKeyed,
  { input, signal }: Pick<RunContext<never>, 'input' | 'signal'>,
): Promise<Claim> {
  const { companyId, runId, nodeId, iteration, key } = step;
  for (;;) {
    const claim = await deps.store.tenant(companyId, async (tx): Promise<Claim | undefined> => {
      const inserted = await tx
        .insertInto('effects')
        .values({
          company_id: companyId,
          key,
          run_id: runId,
          node_id: nodeId,
          iteration,
          state: 'intent',
          result: null,
        })
        .onConflict((conflict) => conflict.columns(['company_id', 'key']).doNothing())
        .executeTakeFirst();
      if (inserted.numInsertedOrUpdatedRows === 1n) return { kind: 'first' };
      const row = await tx
        .selectFrom('effects')
        .select([
          'state',
          'result',
          'sent_as',
          'sent_input',
          sql<boolean>`updated_at > now() - interval '5 seconds'`.as('alive'),
        ])
        .where('company_id', '=', companyId)
        .where('key', '=', key)
        .forUpdate()
        .executeTakeFirstOrThrow();
      if (row.state === 'confirmed') return { kind: 'confirmed', result: row.result as unknown as NodeResult };
      if (row.state === 'intent' && row.alive) return undefined;
      const isOther = row.sent_input !== null && canonicalJson(row.sent_input) !== canonicalJson(input);
      await tx
        .updateTable('effects')
        .set({
          state: 'intent',
          updated_at: sql<Date>`now()`,
          // What is sent from here on is this run's own.
          ...(isOther || row.state === 'refused' ? { sent_as: null, sent_input: null } : {}),
        })
        .where('company_id', '=', companyId)
        .where('key', '=', key)
        .execute();
      if (isOther) return { kind: 'first' };
      return row.state === 'refused' ? { kind: 'refused' } : { kind: 'unsettled', sentAs: row.sent_as };
    });
    if (claim) return claim;
    if (signal.aborted)
      throw new ConnectorFailure({
        kind: 'unavailable',
        code: 'in_progress',
        message: 'The same step is being carried out at this moment.',
      });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function keepClaim(deps: Dependencies, companyId: string, key: string): Promise<void> {
  await deps.store.tenant(companyId, (tx) =>
    tx
      .updateTable('effects')
      .set({ updated_at: sql<Date>`now()` })
      .where('company_id', '=', companyId)
      .where('key', '=', key)
      .where('state', '=', 'intent')
      .execute(),
  );
}

/** @throws ConnectorFailure `ambiguous` when nothing can tell whether the earlier attempt went through. */
async function findEarlier(type: NodeType, context: RunContext<never>): Promise<NodeResult | undefined> {
  if (type.findExisting) return await type.findExisting(context);
  if (effectOf(type, context.input) === 'upsert' || honoursKey(type, context.input)) return undefined;
  throw new ConnectorFailure({
    kind: 'ambiguous',
    code: 'sent_without_answer',
    message: `"${type.title}" was sent, but no answer came back, and there is no way to look whether it went through.`,
  });
}

async function settle(
  deps: Dependencies,
  companyId: string,
  key: string,
  state: 'confirmed' | 'refused' | 'uncertain',
  result?: NodeResult,
): Promise<void> {
  await deps.store.tenant(companyId, (tx) =>
    tx
      .updateTable('effects')
      .set({ state, updated_at: deps.now(), ...(result ? { result: json(result) } : {}) })
      .where('company_id', '=', companyId)
      .where('key', '=', key)
      .execute(),
  );
}
