import type { RunDetail, StepDetail, StepStatus } from '@plumbline/engine/contract';
import { containersAround } from '@plumbline/workflows/flow';
import { isScopeStep } from '../document/containers.ts';

type Shown = Pick<RunDetail, 'steps' | 'document'>;

/** One turn of a loop in a run, or one try of a scope. */
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

/** The iteration of what stands in loops and scopes, as was chosen; of those without a choice the first turn of a loop, and the last try of a scope. */
export function iterationIn(run: Shown, nodeId: string, chosen: ChosenTurns): string {
  let place = '';
  for (const id of containersAround(run.document, nodeId)) {
    const index = chosen[id] ?? (isScopeStep(run.document, id) ? lastTry(run, id, place) : 0);
    place = place === '' ? String(index) : `${place}.${index}`;
  }
  return place;
}

/** From 0. Every try of a scope is an attempt of it. */
export function lastTry({ steps }: Shown, scopeId: string, iteration: string): number {
  const own = steps.find((step) => step.nodeId === scopeId && step.iteration === iteration);
  return Math.max(own?.attempt ?? 1, 1) - 1;
}

/** Turns of a loop that the run began, in their order, of the chosen turn of the loops around it. */
export function turnsOf(run: Shown, loopId: string, chosen: ChosenTurns): readonly LoopTurn[] {
  const prefix = iterationIn(run, loopId, chosen);
  const level = prefix === '' ? 1 : prefix.split('.').length + 1;
  const byTurn = new Map<string, StepDetail[]>();
  for (const step of run.steps) {
    if (!containersAround(run.document, step.nodeId).includes(loopId)) continue;
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
export function progressOf(run: Shown, loopId: string, chosen: ChosenTurns): string | undefined {
  const turns = turnsOf(run, loopId, chosen);
  const prefix = iterationIn(run, loopId, chosen);
  const own = run.steps.find((step) => step.nodeId === loopId && step.iteration === prefix);
  // A loop around a step that is tried alone has not run.
  if (!own || own.simulated) return undefined;
  if (isScopeStep(run.document, loopId)) return tryOf(own, turns.length);
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

/** "2 undone, 1 stays": what became of a scope; empty when all is well at the first try. */
function tryOf({ error }: StepDetail, tries: number): string {
  const { undone = [], kept = [] } = error ?? {};
  return [
    tries > 1 ? `${tries} tries` : '',
    undone.length > 0 ? `${undone.length} undone` : '',
    kept.length > 0 ? `${kept.length} ${kept.length === 1 ? 'stays' : 'stay'}` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

/** `, item 2.1` for what was done in the first item of a loop in the second of another; nothing outside of loops. */
export function itemWords(
  document: RunDetail['document'],
  { nodeId, iteration }: Pick<StepDetail, 'nodeId' | 'iteration'>,
): string {
  const around = containersAround(document, nodeId);
  const items = iteration
    .split('.')
    .filter((_, depth) => around[depth] !== undefined && !isScopeStep(document, around[depth]))
    .map((part) => Number(part) + 1);
  return iteration === '' || items.length === 0 ? '' : `, item ${items.join('.')}`;
}
