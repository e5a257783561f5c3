import type { RunDetail, StepDetail } from '@plumbline/engine/contract';
import { readingOrder } from './reading-order.ts';

/** A line of the waterfall. */
export interface WaterfallLine {
  /** Unique in the run: node and iteration. */
  readonly key: string;
  readonly nodeId: string;
  readonly name: string;
  /** What it does: `Create bill`. */
  readonly type: string;
  /** Absent for the trigger and for what was not reached. */
  readonly step: StepDetail | undefined;
  readonly trigger: boolean;
  /** Left edge and width in percent of the run's time so far. */
  readonly from: number;
  readonly width: number;
}

const FLOOR_MS = 50;
const MIN_WIDTH = 0.8;

/** The run's steps in the order of the drawing, each with its bar. `now` ends the bars of what still runs. */
export function waterfall(run: RunDetail, now: number): readonly WaterfallLine[] {
  const start = Date.parse(run.queuedAt);
  const ends = run.steps.map((step) => (step.finishedAt ? Date.parse(step.finishedAt) : now));
  const end = run.finishedAt ? Math.max(Date.parse(run.finishedAt), ...ends) : now;
  const span = Math.max(end - start, FLOOR_MS);
  const place = (step: StepDetail): { readonly from: number; readonly width: number } => {
    const from = ((Date.parse(step.startedAt) - start) / span) * 100;
    const until = ((Date.parse(step.finishedAt ?? new Date(end).toISOString()) - start) / span) * 100;
    const width = Math.max(until - from, MIN_WIDTH);
    return { from: Math.min(Math.max(from, 0), 100 - MIN_WIDTH), width: Math.min(width, 100) };
  };
  const entered = new Set(run.document.edges.map((edge) => edge.to));
  return readingOrder(run.document).flatMap((nodeId): WaterfallLine[] => {
    const node = run.document.nodes[nodeId];
    if (!node) return [];
    const steps = run.steps.filter((step) => step.nodeId === nodeId);
    if (steps.length > 0) {
      return steps.map((step) => ({
        key: `${nodeId}:${step.iteration}`,
        nodeId,
        name: step.iteration ? `${step.name} · ${step.iteration}` : step.name,
        type: step.type,
        step,
        trigger: false,
        ...place(step),
      }));
    }
    return [
      {
        key: nodeId,
        nodeId,
        name: node.name,
        type: '',
        step: undefined,
        trigger: !entered.has(nodeId),
        from: 0,
        width: MIN_WIDTH,
      },
    ];
  });
}

/** The line one wants to see first: what waits for a person, what failed, what runs, else the last that did something. */
export function lineToShow(lines: readonly WaterfallLine[]): WaterfallLine | undefined {
  for (const status of ['parked', 'failed', 'running', 'waiting']) {
    const found = lines.find((line) => line.step?.status === status);
    if (found) return found;
  }
  return lines.findLast((line) => line.step) ?? lines[0];
}
