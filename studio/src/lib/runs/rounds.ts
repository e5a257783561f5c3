import type { RunDetail } from '@plumbline/engine/contract';
import { containersAround } from '@plumbline/workflows/flow';
import { isScopeStep } from '../editor/document/containers.ts';

/** A round of a loop, as an address names it. */
export interface NamedRound {
  readonly loop: string;
  /** From 1, as people count. */
  readonly round: number;
}

/** A loop whose rounds can be looked up by their number. */
export interface CountedLoop {
  readonly id: string;
  readonly name: string;
  /** How many rounds it had; unknown until it has ended. */
  readonly count: number | undefined;
}

type Shown = Pick<RunDetail, 'steps' | 'document'>;

/** The loops of a run that stand in no other loop, for those have a number for each round. */
export function countedLoops({ steps, document }: Shown): readonly CountedLoop[] {
  const loops = new Set(Object.keys(document.nodes).flatMap((id) => containersAround(document, id)));
  return [...loops]
    .filter((id) => !isScopeStep(document, id))
    .filter((id) => containersAround(document, id).every((around) => isScopeStep(document, around)))
    .map((id) => {
      const output = steps.findLast((step) => step.nodeId === id)?.output as { count?: unknown } | null | undefined;
      return {
        id,
        name: document.nodes[id]?.name ?? id,
        count: typeof output?.count === 'number' ? output.count : undefined,
      };
    });
}

/** Where a round is among the steps that are told: `7`, or `1.7` in the second try of a scope; none when it is not there. */
export function iterationOf({ steps, document }: Shown, { loop, round }: NamedRound): string | undefined {
  const level = containersAround(document, loop).length;
  const found = steps.findLast(
    (step) =>
      containersAround(document, step.nodeId).includes(loop) && step.iteration.split('.')[level] === String(round - 1),
  );
  return found?.iteration
    .split('.')
    .slice(0, level + 1)
    .join('.');
}

/** The keys of the waterfall's lines that must be open for a round to be seen, outermost first. */
export function linesAround({ document }: Shown, loop: string, iteration: string): readonly string[] {
  const parts = iteration.split('.');
  return [...containersAround(document, loop), loop].flatMap((id, depth) => [
    `rounds:${id}:${parts.slice(0, depth).join('.')}`,
    `round:${id}:${parts.slice(0, depth + 1).join('.')}`,
  ]);
}
