import type { RunDetail, StepDetail } from '@plumbline/engine/contract';
import { containersAround } from '@plumbline/workflows/flow';
import { isScopeStep } from '../editor/document/containers.ts';
import { readingOrder } from './reading-order.ts';
import { segmentsOf, type Segment } from './segments.ts';

interface Line {
  /** Unique in the run: node and iteration. */
  readonly key: string;
  readonly name: string;
  /** How deep in loops and scopes; 0 at top level. */
  readonly depth: number;
}

/** A stretch of a bar, placed in percent of the run's time so far. */
export interface PlacedSegment extends Segment {
  readonly left: number;
  readonly width: number;
}

/** A step's line of the waterfall. */
export interface StepLine extends Line {
  readonly kind: 'step';
  readonly nodeId: string;
  /** What it does: `Create bill`. */
  readonly type: string;
  /** Absent for the trigger and for what was not reached. */
  readonly step: StepDetail | undefined;
  readonly trigger: boolean;
  readonly segments: readonly PlacedSegment[];
}

/** All rounds of a loop, or one of them; or one try of a scope that had several: opens and closes. */
export interface RoundLine extends Line {
  readonly kind: 'rounds' | 'round';
  readonly open: boolean;
  /** The state that needs a look first. */
  readonly status: StepDetail['status'];
  /** `48 rounds: 46 done, 1 failed`. */
  readonly note: string;
  readonly segments: readonly PlacedSegment[];
}

export type WaterfallLine = StepLine | RoundLine;

const FLOOR_MS = 50;
const MIN_WIDTH = 0.6;

/**
 * The run's steps in the order of the drawing, each with its bar. Steps of a loop stand under the loop, by round. `now` ends the bars of what still runs;
 * `turned` are the rounds that the reader opened or closed: those with trouble are open by themselves.
 */
export function waterfall(
  run: RunDetail,
  now: number,
  turned: ReadonlySet<string> = new Set(),
): readonly WaterfallLine[] {
  const start = Date.parse(run.queuedAt);
  const ends = run.steps.map((step) => (step.finishedAt ? Date.parse(step.finishedAt) : now));
  const end = run.finishedAt ? ends.reduce((a, b) => Math.max(a, b), Date.parse(run.finishedAt)) : now;
  const span = Math.max(end - start, FLOOR_MS);
  const place = (segment: Segment): PlacedSegment => {
    const left = Math.min(Math.max(((segment.from - start) / span) * 100, 0), 100 - MIN_WIDTH);
    const width = Math.max(((Math.min(segment.until, end) - segment.from) / span) * 100, MIN_WIDTH);
    return { ...segment, left, width: Math.min(width, 100 - left) };
  };
  const byNode = Map.groupBy(run.steps, ({ nodeId }) => nodeId);
  const entered = new Map<string, string[]>();
  for (const { from, to } of run.document.edges) entered.set(to, [...(entered.get(to) ?? []), from]);
  const readyAt = (nodeId: string, iteration: string): number =>
    Math.max(
      start,
      ...(entered.get(nodeId) ?? []).flatMap((from) =>
        (byNode.get(from) ?? []).flatMap((step) =>
          step.finishedAt && (step.iteration === iteration || step.iteration === '')
            ? [Date.parse(step.finishedAt)]
            : [],
        ),
      ),
    );

  const stepLine = (step: StepDetail, depth: number): StepLine => ({
    kind: 'step',
    key: `${step.nodeId}:${step.iteration}`,
    nodeId: step.nodeId,
    name: step.name,
    type: step.type,
    depth,
    step,
    trigger: false,
    segments: segmentsOf(step, {
      readyAt: Math.min(readyAt(step.nodeId, step.iteration), Date.parse(step.startedAt)),
      now: end,
      waits: run.document.nodes[step.nodeId]?.type === 'core.wait',
    }).map(place),
  });

  const order = readingOrder(run.document);
  const inside = Map.groupBy(order, (id) => run.document.nodes[id]?.parent ?? '');

  /** Lines of what stands in a loop, round by round; `prefix` is the round of the loops around it. */
  const rounds = (loop: string, prefix: string, depth: number): WaterfallLine[] => {
    const all = roundsOf(
      descendants(loop, inside).flatMap((id) => byNode.get(id) ?? []),
      prefix,
    );
    if (all.length === 0) return [];
    const isScope = isScopeStep(run.document, loop);
    // What is done once needs no round to open.
    if (isScope && all.length === 1)
      return (inside.get(loop) ?? []).flatMap((id) => nodeLines(id, all[0]?.iteration ?? '', depth));
    const isOpen = (name: string, status: StepDetail['status']) =>
      (status === 'parked' || status === 'failed') !== turned.has(name);
    const status = worst(all.map((round) => round.status));
    const key = `rounds:${loop}:${prefix}`;
    const head: RoundLine = {
      ...{ kind: 'rounds', key, depth, name: isScope ? 'Tries' : 'Rounds', status, open: isOpen(key, status) },
      note: tally(all.map((round) => round.status)),
      segments: [
        place(
          spanOf(
            all.flatMap(({ steps }) => steps),
            end,
          ),
        ),
      ],
    };
    if (!head.open) return [head];
    return [
      head,
      ...all.flatMap(({ iteration, steps, status }): WaterfallLine[] => {
        const name = `round:${loop}:${iteration}`;
        const round: RoundLine = {
          ...{ kind: 'round', key: name, depth: depth + 1, status, open: isOpen(name, status), note: '' },
          name: `${isScope ? 'Try' : 'Round'} ${numberOf(run, loop, iteration)}`,
          segments: [place(spanOf(steps, end))],
        };
        if (!round.open) return [round];
        return [round, ...(inside.get(loop) ?? []).flatMap((id) => nodeLines(id, iteration, depth + 2))];
      }),
    ];
  };

  /** A node's line at one place, and what stands in it. */
  const nodeLines = (nodeId: string, iteration: string, depth: number): WaterfallLine[] => {
    const step = byNode.get(nodeId)?.find((candidate) => candidate.iteration === iteration);
    const undo = byNode.get(nodeId)?.find((candidate) => candidate.iteration === undoOf(iteration));
    return [
      ...(step ? [stepLine(step, depth)] : []),
      ...(undo ? [{ ...stepLine(undo, depth + 1), name: `Undo ${undo.name}` }] : []),
      ...rounds(nodeId, iteration, depth + 1),
    ];
  };

  return (inside.get('') ?? []).flatMap((nodeId): WaterfallLine[] => {
    const lines = nodeLines(nodeId, '', 0);
    if (lines.length > 0) return lines;
    const name = run.document.nodes[nodeId]?.name ?? nodeId;
    return [
      {
        ...{ kind: 'step', key: nodeId, nodeId, name, type: '', depth: 0, step: undefined },
        ...{ trigger: !entered.has(nodeId), segments: [] },
      },
    ];
  });
}

/** Where the step stands that undoes another. */
function undoOf(iteration: string): string {
  return iteration === '' ? 'undo' : `${iteration}.undo`;
}

/** `2.1` for the first item of a loop in the second item of another. */
function numberOf({ document }: RunDetail, containerId: string, iteration: string): string {
  const chain = [...containersAround(document, containerId), containerId];
  return iteration
    .split('.')
    .filter((_, depth) => chain[depth] === containerId || !isScopeStep(document, chain[depth] ?? ''))
    .map((part) => Number(part) + 1)
    .join('.');
}

interface Round {
  readonly iteration: string;
  readonly steps: readonly StepDetail[];
  readonly status: StepDetail['status'];
}

/** The rounds of one loop, in their order. */
function roundsOf(steps: readonly StepDetail[], prefix: string): readonly Round[] {
  const level = prefix === '' ? 1 : prefix.split('.').length + 1;
  const within = steps.filter(({ iteration }) => isWithin(iteration, prefix));
  return [...Map.groupBy(within, ({ iteration }) => iteration.split('.').slice(0, level).join('.'))]
    .sort(([a], [b]) => lastNumber(a) - lastNumber(b))
    .map(([iteration, found]) => ({ iteration, steps: found, status: worst(found.map(({ status }) => status)) }));
}

/** Everything that stands in a loop, and in the loops in it. */
function descendants(loop: string, inside: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return (inside.get(loop) ?? []).flatMap((id) => [id, ...descendants(id, inside)]);
}

function isWithin(iteration: string, prefix: string): boolean {
  return prefix === '' ? iteration !== '' : iteration.startsWith(`${prefix}.`);
}

function lastNumber(iteration: string): number {
  return Number(iteration.split('.').at(-1));
}

function spanOf(steps: readonly StepDetail[], end: number): Segment {
  const from = steps.reduce((first, { startedAt }) => Math.min(first, Date.parse(startedAt)), Infinity);
  const until = steps.reduce(
    (last, { finishedAt }) => Math.max(last, finishedAt ? Date.parse(finishedAt) : end),
    -Infinity,
  );
  const status = worst(steps.map((step) => step.status));
  const tone =
    status === 'failed'
      ? 'bad'
      : status === 'parked' || status === 'waiting'
        ? 'warn'
        : status === 'running'
          ? 'busy'
          : 'ok';
  return { kind: tone === 'warn' ? 'wait' : 'attempt', tone, from, until, title: '' };
}

const urgency = ['parked', 'failed', 'running', 'waiting', 'succeeded', 'skipped'] as const;

function worst(statuses: readonly StepDetail['status'][]): StepDetail['status'] {
  return urgency.find((status) => statuses.includes(status)) ?? 'skipped';
}

const named = {
  parked: 'need you',
  failed: 'failed',
  running: 'running',
  waiting: 'waiting',
  succeeded: 'done',
  skipped: 'skipped',
};

function tally(statuses: readonly StepDetail['status'][]): string {
  const counted = urgency.flatMap((status) => {
    const n = statuses.filter((candidate) => candidate === status).length;
    return n > 0 ? [`${n} ${named[status]}`] : [];
  });
  return `${statuses.length}: ${counted.join(', ')}`;
}

/** The line one wants to see first: what waits for a person, what failed, what runs, else the last that did something. */
export function lineToShow(lines: readonly WaterfallLine[]): StepLine | undefined {
  const steps = lines.filter((line) => line.kind === 'step');
  for (const status of ['parked', 'failed', 'running', 'waiting']) {
    const found = steps.find((line) => line.step?.status === status);
    if (found) return found;
  }
  return steps.findLast((line) => line.step) ?? steps[0];
}
