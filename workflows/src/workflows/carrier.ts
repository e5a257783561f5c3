import {
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  isCancellation,
  proxyLocalActivities,
  setHandler,
  sleep,
  ApplicationFailure,
} from '@temporalio/workflow';
import type { Activities, StepDecision } from '../activities/contract.ts';
import type { PlanGraph, PlanNode } from '../flow/plan.ts';
import type { StepFailure } from '../step-failure.ts';
import { interpret, type NodeEnd } from './interpret.ts';
import { names } from './names.ts';

export interface CarrierInput {
  readonly companyId: string;
  readonly carrierId: string;
  readonly planHash: string;
  readonly graph: PlanGraph;
  /** Each run is on its own: its state, failures, parking and cancelling touch no other. */
  readonly runs: readonly { readonly runId: string; readonly triggerNodeId: string }[];
}

export interface DecideInput {
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
  readonly decision: StepDecision;
}

export const decideUpdate = defineUpdate<void, [DecideInput]>(names.decide);
export const cancelSignal = defineSignal<[{ readonly runId: string }]>(names.cancel);

/**
 * Short effects run as local activities. An attempt never fails here for a vendor's reasons: those come back as outcomes. What does throw is the ledger
 * being out of reach, and that is worth waiting for.
 */
const activities = proxyLocalActivities<Activities>({
  startToCloseTimeout: '90 seconds',
  scheduleToCloseTimeout: '1 day',
  localRetryThreshold: '10 seconds',
  retry: { initialInterval: '250 milliseconds', maximumInterval: '30 seconds', backoffCoefficient: 2 },
});

/** Carries one or more runs of one plan of one company. */
export async function runCarrier(input: CarrierInput): Promise<void> {
  const parked = new Map<string, (decision: StepDecision) => void>();
  const scopes = new Map<string, CancellationScope>();

  setHandler(
    decideUpdate,
    ({ runId, nodeId, iteration, decision }) => {
      parked.get(parkKey(runId, nodeId, iteration))?.(decision);
    },
    {
      validator: ({ runId, nodeId, iteration }) => {
        if (!parked.has(parkKey(runId, nodeId, iteration)))
          throw ApplicationFailure.nonRetryable(`Step "${nodeId}" is not waiting for a decision.`, 'step_not_parked');
      },
    },
  );
  setHandler(cancelSignal, ({ runId }) => scopes.get(runId)?.cancel());

  await Promise.all(
    input.runs.map(async ({ runId, triggerNodeId }) => {
      const scope = new CancellationScope();
      scopes.set(runId, scope);
      await scope
        .run(() => carry(input, runId, triggerNodeId, parked))
        .catch(async (error: unknown) => {
          if (!isCancellation(error)) throw error;
          await CancellationScope.nonCancellable(() =>
            activities.finishRun({ companyId: input.companyId, runId, status: 'cancelled', skipped: [] }),
          );
        });
      scopes.delete(runId);
    }),
  );
}

async function carry(
  input: CarrierInput,
  runId: string,
  triggerNodeId: string,
  parked: Map<string, (decision: StepDecision) => void>,
): Promise<void> {
  const { companyId } = input;
  let failure: StepFailure | undefined;
  /** Cancelled when a step stops the run, so that no branch goes on waiting. */
  const branches = new CancellationScope();
  const stop = (reason: StepFailure): NodeEnd => {
    failure ??= reason;
    branches.cancel();
    return { kind: 'stop' };
  };

  const execute = async (node: PlanNode): Promise<NodeEnd> => {
    for (let attempt = 1; ;) {
      const outcome = await activities.runStep({
        companyId,
        runId,
        planHash: input.planHash,
        nodeId: node.id,
        iteration: '',
        attempt,
        maxAttempts: node.retry.attempts,
        onError: node.onError,
        initialSeconds: node.retry.initialSeconds,
      });
      if (outcome.kind === 'done') return { kind: 'port', port: outcome.port };
      if (outcome.kind === 'retry') {
        await sleep(outcome.afterMs);
        attempt++;
        continue;
      }
      if (outcome.kind === 'failed') {
        return node.onError === 'port' ? { kind: 'port', port: 'error' } : stop(outcome.failure);
      }
      const decision = await decided(parkKey(runId, node.id, ''), parked);
      const { port } = await activities.settleStep({ companyId, runId, nodeId: node.id, iteration: '', decision });
      if (decision.action === 'skip') return { kind: 'port', port: port ?? 'out' };
      if (decision.action === 'abort') return stop(outcome.failure);
      attempt = 1;
    }
  };

  await activities.startRun({ companyId, runId });
  let skipped: readonly string[] = [];
  try {
    ({ skipped } = await branches.run(() => interpret(input.graph, triggerNodeId, execute)));
  } catch (error) {
    if (!(isCancellation(error) && failure)) throw error;
  }
  await activities.finishRun({
    companyId,
    runId,
    status: failure ? 'failed' : 'succeeded',
    skipped,
    ...(failure ? { failure } : {}),
  });
}

async function decided(key: string, parked: Map<string, (decision: StepDecision) => void>): Promise<StepDecision> {
  let decision: StepDecision | undefined;
  parked.set(key, (value) => {
    decision = value;
    // The first decision stands; whoever comes second is told that nothing waits any more.
    parked.delete(key);
  });
  try {
    await condition(() => decision !== undefined);
  } finally {
    parked.delete(key);
  }
  return decision as StepDecision;
}

function parkKey(runId: string, nodeId: string, iteration: string): string {
  return `${runId}/${nodeId}/${iteration}`;
}
