import type { RunDetail, StepDetail, StepStatus } from '@plumbline/engine/contract';
import { leadsInside } from '@plumbline/workflows/flow';
import { iterationIn, type ChosenTurns } from './turns.ts';

/** What a run shows on one card. */
export interface StepPaint {
  readonly status: StepStatus;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly startedAt: string;
  readonly durationMs: number | null;
  readonly nextAttemptAt: string | null;
  /** Way out that was taken. */
  readonly port: string | null;
  /** Nothing was written: what it handed on is pinned or made up. */
  readonly simulated?: boolean;
}

/** Steps of a run by node; of what stands in loops the turns that were chosen, else the first ones. */
export function paintOf(
  run: Pick<RunDetail, 'steps' | 'document'>,
  turns: ChosenTurns = {},
): ReadonlyMap<string, StepPaint> {
  const paint = new Map<string, StepPaint>();
  for (const step of run.steps) {
    // A step that is tried alone stands outside of its loops.
    if (step.iteration !== '' && step.iteration !== iterationIn(run, step.nodeId, turns)) continue;
    paint.set(step.nodeId, {
      status: step.status,
      attempt: step.attempt,
      maxAttempts: step.maxAttempts,
      startedAt: step.startedAt,
      durationMs: step.durationMs,
      nextAttemptAt: step.nextAttemptAt,
      port: step.port,
      ...(step.simulated ? { simulated: true } : {}),
    });
  }
  return paint;
}

/** Lines a run went along: from a step that has ended by the way it took, to a step that was reached. */
export function travelled(run: Pick<RunDetail, 'steps' | 'document'>, turns: ChosenTurns = {}): ReadonlySet<string> {
  const paint = paintOf(run, turns);
  const single = (nodeId: string) =>
    new Set(run.document.edges.filter((edge) => edge.from === nodeId).map((edge) => edge.port)).size === 1;
  return new Set(
    run.document.edges
      .filter((edge) => {
        const from = paint.get(edge.from);
        const to = paint.get(edge.to);
        // The trigger is no step of the run: what it leads to was reached from it.
        const left = leadsInside(run.document, edge)
          ? from !== undefined
          : from
            ? (from.status === 'succeeded' || from.port === 'error') &&
              (from.port === null ? single(edge.from) : from.port === edge.port)
            : !run.document.edges.some((other) => other.to === edge.from);
        return left && to !== undefined && to.status !== 'skipped';
      })
      .map((edge) => edge.id),
  );
}

/** What a run did of one node: at most once, but for loops, of which the chosen turn counts. */
export function stepsOfNode(
  run: Pick<RunDetail, 'steps' | 'document'>,
  nodeId: string,
  turns: ChosenTurns = {},
): readonly StepDetail[] {
  return run.steps.filter(
    (step) => step.nodeId === nodeId && (step.iteration === '' || step.iteration === iterationIn(run, nodeId, turns)),
  );
}

/** One sentence for the live region when something changed; undefined when nothing worth saying did. */
export function announcement(before: RunDetail | undefined, now: RunDetail): string | undefined {
  const said: string[] = [];
  const old = before?.id === now.id ? paintOf(before) : new Map<string, StepPaint>();
  for (const [nodeId, paint] of paintOf(now)) {
    if (old.get(nodeId)?.status === paint.status) continue;
    const name = now.document.nodes[nodeId]?.name ?? nodeId;
    if (paint.status === 'succeeded') said.push(`${name} done`);
    else if (paint.status === 'failed') said.push(`${name} failed`);
    else if (paint.status === 'parked') said.push(`${name} needs a person`);
    else if (paint.status === 'waiting') said.push(`${name} is waiting`);
  }
  if (
    before?.id === now.id &&
    before.status !== now.status &&
    (now.status === 'succeeded' || now.status === 'failed' || now.status === 'cancelled')
  )
    said.push(`Run ${now.status === 'succeeded' ? 'finished' : now.status}`);
  return said.length === 0 ? undefined : `${said.join('. ')}.`;
}
