import type { RunDetail, StepDetail, StepStatus } from '@plumbline/engine/contract';
import { loopsAround, type FlowDocument } from '@plumbline/workflows/flow';

/** One turn of a loop in a run. */
export interface LoopTurn {
  /** `3`, or `3.0` for the first turn of a loop in the fourth turn of another. */
  readonly iteration: string;
  /** From 1, as people count. */
  readonly number: number;
  readonly status: StepStatus;
}

/** Which turn of each loop is looked at, by the loop's id: the number behind the last dot of its iteration. */
export type ChosenTurns = Readonly<Record<string, number>>;

const rank: readonly StepStatus[] = ['parked', 'failed', 'waiting', 'running', 'succeeded', 'skipped'];

/** The iteration of what stands in a loop, in the turns that were chosen; those of loops without a choice are their first. */
export function iterationIn(document: FlowDocument, nodeId: string, chosen: ChosenTurns): string {
  return loopsAround(document, nodeId)
    .map((loopId) => String(chosen[loopId] ?? 0))
    .join('.');
}

/** Turns of a loop that the run began, in their order, of the chosen turn of the loops around it. */
export function turnsOf(
  run: Pick<RunDetail, 'steps' | 'document'>,
  loopId: string,
  chosen: ChosenTurns,
): readonly LoopTurn[] {
  const prefix = iterationIn(run.document, loopId, chosen);
  const level = prefix === '' ? 1 : prefix.split('.').length + 1;
  const byTurn = new Map<string, StepDetail[]>();
  for (const step of run.steps) {
    if (!loopsAround(run.document, step.nodeId).includes(loopId)) continue;
    const parts = step.iteration.split('.');
    if (step.iteration === '' || parts.length < level || parts.slice(0, level - 1).join('.') !== prefix) continue;
    const iteration = parts.slice(0, level).join('.');
    byTurn.set(iteration, [...(byTurn.get(iteration) ?? []), step]);
  }
  return [...byTurn]
    .map(([iteration, steps]) => ({
      iteration,
      number: Number(iteration.split('.').at(-1)) + 1,
      status: steps.reduce<StepStatus>(
        (worst, { status }) => (rank.indexOf(status) < rank.indexOf(worst) ? status : worst),
        'skipped',
      ),
    }))
    .sort((a, b) => a.number - b.number);
}

/** "37 of 200, 2 failed": how far a loop is. Before it has ended, the number of its items is read from what it was given. */
export function progressOf(
  run: Pick<RunDetail, 'steps' | 'document'>,
  loopId: string,
  chosen: ChosenTurns,
): string | undefined {
  const turns = turnsOf(run, loopId, chosen);
  const prefix = iterationIn(run.document, loopId, chosen);
  const own = run.steps.find((step) => step.nodeId === loopId && step.iteration === prefix);
  // A loop around a step that is tried alone has not run.
  if (!own || own.simulated) return undefined;
  const { count, failed: told } = (own.output ?? {}) as { count?: unknown; failed?: unknown };
  const { items } = (own.input ?? {}) as { items?: unknown };
  const total = typeof count === 'number' ? count : Array.isArray(items) ? items.length : undefined;
  const ended = turns.filter(({ status }) => status === 'succeeded' || status === 'failed').length;
  const failed = typeof told === 'number' ? told : turns.filter(({ status }) => status === 'failed').length;
  const waits = turns.filter(({ status }) => status === 'parked').length;
  return [
    total === undefined ? `${ended} done` : `${ended} of ${total}`,
    failed > 0 ? `${failed} failed` : '',
    waits > 0 ? `${waits} ${waits === 1 ? 'needs' : 'need'} a person` : '',
  ]
    .filter(Boolean)
    .join(', ');
}
