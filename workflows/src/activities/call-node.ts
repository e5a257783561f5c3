import {
  DEPTH_HEADER,
  depthOf,
  fetchAtDepth,
  isConnectorFailure,
  within,
  type NodeResult,
  type NodeType,
  type RunContext,
  type VendorHttp,
} from '@plumbline/nodes';
import type { PlanStep } from '../flow/plan.ts';
import { StepError } from './classify.ts';
import { Connections, type OpenConnection } from './connections.ts';
import type { Dependencies } from './dependencies.ts';
import { performOnce } from './effects.ts';
import type { Lane } from './lane.ts';
import { platformFor } from './platform.ts';
import { RateGate } from './rate-gate.ts';
import type { StepAttempt } from './run-step.ts';

/** So long one attempt of a step may take. */
export const STEP_MS = 60_000;

export interface NodeCall {
  readonly input: StepAttempt;
  readonly step: PlanStep;
  readonly lane: Lane;
  readonly type: NodeType;
  readonly mapped: Record<string, unknown>;
  readonly key: string;
  /** The intent is written, and this attempt is the first. */
  readonly claimed: boolean;
  readonly confirm: (result: NodeResult) => void;
}

/** Has a node do its work, once, over its connection where it has one, and with a new token where the vendor no longer takes the old one. */
export function createNodeCall(deps: Dependencies): (call: NodeCall) => Promise<NodeResult> {
  const connections = new Connections(deps);
  const gate = new RateGate(deps);

  return (call) => within(STEP_MS, (signal) => carryOut(call, signal));

  async function carryOut(call: NodeCall, signal: AbortSignal): Promise<NodeResult> {
    const { input, step, lane, type, mapped, key, confirm } = call;
    // The first call has the claim; one that follows a refresh of the token finds what became of it.
    let { claimed } = call;
    const once = (context: RunContext<never>): Promise<NodeResult> => {
      const given = { claimed, confirm };
      claimed = false;
      return performOnce(deps, { ...input, key }, type, context, given);
    };
    const base = {
      input: mapped as never,
      fetchPublic: fetchAtDepth(deps.fetchPublic, depthOfRun(lane)),
      idempotencyKey: key,
      now: deps.now,
      signal,
      platform: platformFor(deps, { ...input, step, lane }, key),
    };
    if (!type.connector) return await once({ ...base, http: noVendor });
    if (!step.connectionId)
      throw new StepError({
        kind: 'invalid',
        code: 'connection_missing',
        message: `"${step.name}" has no connection.`,
        fix: 'Choose one in the flow and publish.',
      });
    const attempt = async (open: OpenConnection): Promise<NodeResult> => {
      const { companyId } = input;
      const { urgency } = lane;
      const { connector, context } = open;
      const fetch = gate.guard({ companyId, connectionId: context.id, connector, urgency, fetch: deps.fetch });
      const http = open.connector.http({ connection: open.context, fetch, now: deps.now, signal });
      return await once({ ...base, connection: open.context, http });
    };
    const open = await connections.open(input.companyId, step.connectionId);
    try {
      return await attempt(open);
    } catch (error) {
      if (!isConnectorFailure(error) || error.kind !== 'reauthorize') throw error;
      // Refused although not due: revoked, or refreshed elsewhere. One refresh, one more try, then a person.
      const renewed = await connections.open(input.companyId, step.connectionId, { refused: open.generation });
      try {
        return await attempt(renewed);
      } catch (again) {
        if (isConnectorFailure(again) && again.kind === 'reauthorize')
          await connections.markBroken(input.companyId, step.connectionId, again.message);
        throw again;
      }
    }
  }
}

/** What the call that started the run said of itself. */
export function depthOfRun(lane: Lane): number {
  const event = lane.outputs.get(lane.triggerNodeId) as { readonly headers?: Readonly<Record<string, string>> } | null;
  return depthOf(event?.headers?.[DEPTH_HEADER]);
}

/** For nodes without a connector: they have nothing to call. */
export const noVendor: VendorHttp = {
  send: () => Promise.reject(new Error('This step has no connection, so it has no vendor to call.')),
};
