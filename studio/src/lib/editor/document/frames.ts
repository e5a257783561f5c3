import type { FlowDocument } from '@plumbline/workflows/flow';
import { childrenOf, parentOf, within } from './containers.ts';
import { card, rowHeight } from './geometry.ts';

/** A part of the canvas. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What a loop's frame leaves free: beside its steps, between its head and the first of them, under the last for its "+". */
export const inset = { side: 28, head: 48, foot: 72, empty: 104 } as const;

/** Between a frame and what follows it. */
const gap = rowHeight - card.height;

/**
 * Frames of the loops around their steps. A place in the document is always that of a card; the frame follows from it and from what stands inside, so
 * nothing about it has to be kept.
 * @param loops which steps are loops; without it, those that have something inside
 */
export function framesOf(document: FlowDocument, loops?: ReadonlySet<string>): ReadonlyMap<string, Box> {
  const all = new Set([...(loops ?? []), ...Object.keys(document.nodes).flatMap((id) => parentOf(document, id) ?? [])]);
  const frames = new Map<string, Box>();
  const boxFor = (id: string, around: ReadonlySet<string>): Box => {
    const { x, y } = document.positions[id] ?? { x: 0, y: 0 };
    const own = { x, y, width: card.width, height: card.height };
    if (!all.has(id) || around.has(id)) return own;
    const known = frames.get(id);
    if (known) return known;
    const inner = childrenOf(document, id).map((child) => boxFor(child, new Set([...around, id])));
    const left = Math.min(x, ...inner.map((box) => box.x)) - inset.side;
    const right = Math.max(x + card.width, ...inner.map((box) => box.x + box.width)) + inset.side;
    const top = Math.min(y, ...inner.map((box) => box.y - card.height - inset.head));
    const bottom = Math.max(y + card.height + inset.empty, ...inner.map((box) => box.y + box.height + inset.foot));
    const frame = { x: left, y: top, width: right - left, height: bottom - top };
    frames.set(id, frame);
    return frame;
  };
  for (const id of Object.keys(document.nodes)) boxFor(id, new Set());
  return frames;
}

/** What a step takes up on the canvas: its card, or its frame. */
export function boxOf(document: FlowDocument, frames: ReadonlyMap<string, Box>, id: string): Box {
  const { x, y } = document.positions[id] ?? { x: 0, y: 0 };
  return frames.get(id) ?? { x, y, width: card.width, height: card.height };
}

/** The innermost frame around a point, leaving some steps out of account. */
export function frameAt(
  frames: ReadonlyMap<string, Box>,
  at: { readonly x: number; readonly y: number },
  without: ReadonlySet<string>,
): string | undefined {
  const around = [...frames].filter(
    ([id, box]) =>
      !without.has(id) && at.x >= box.x && at.x <= box.x + box.width && at.y >= box.y && at.y <= box.y + box.height,
  );
  return around.sort(([, a], [, b]) => a.width * a.height - b.width * b.height)[0]?.[0];
}

/**
 * Moves apart what a loop's frame has grown over: what stands lower moves down, what stands beside moves to the right, each with all that is in line
 * with it. The document itself when nothing is in the way; without loops nothing ever is.
 */
export function makeRoom(document: FlowDocument, loops: ReadonlySet<string>): FlowDocument {
  if (loops.size === 0) return document;
  let next = document;
  const regions: (string | undefined)[] = [...loops].sort((a, b) => depthOf(document, b) - depthOf(document, a));
  for (const region of [...regions, undefined]) {
    for (let tries = 0; tries < 40; tries++) {
      const moved = onePushedApart(next, loops, region);
      if (moved === next) break;
      next = moved;
    }
  }
  return next;
}

function onePushedApart(document: FlowDocument, loops: ReadonlySet<string>, region: string | undefined): FlowDocument {
  const frames = framesOf(document, loops);
  const siblings = childrenOf(document, region).map((id) => ({ id, box: boxOf(document, frames, id) }));
  for (const loop of siblings) {
    if (!loops.has(loop.id)) continue;
    for (const other of siblings) {
      if (other.id === loop.id || !touches(loop.box, other.box)) continue;
      if (other.box.y > loop.box.y + card.height / 2) {
        const by = loop.box.y + loop.box.height + gap - other.box.y;
        return shift(
          document,
          siblings.filter(({ box }) => box.y >= other.box.y).map(({ id }) => id),
          { x: 0, y: by },
        );
      }
      if (loop.box.y > other.box.y + card.height / 2) continue;
      const [first, second] = other.box.x < loop.box.x ? [other, loop] : [loop, other];
      const by = first.box.x + first.box.width + 48 - second.box.x;
      const beside = siblings.filter(
        ({ id, box }) => id !== first.id && box.x >= second.box.x && box.y >= second.box.y,
      );
      return shift(
        document,
        beside.map(({ id }) => id),
        { x: by, y: 0 },
      );
    }
  }
  return document;
}

function touches(a: Box, b: Box): boolean {
  return a.x < b.x + b.width + 16 && b.x < a.x + a.width + 16 && a.y < b.y + b.height + 24 && b.y < a.y + a.height + 24;
}

/** Moves steps, and what stands inside them. */
function shift(document: FlowDocument, ids: readonly string[], by: { readonly x: number; readonly y: number }) {
  const moved = new Set([...ids, ...within(document, ids)]);
  return {
    ...document,
    positions: Object.fromEntries(
      Object.entries(document.positions).map(([id, { x, y }]) => [
        id,
        moved.has(id) ? { x: Math.round(x + by.x), y: Math.round(y + by.y) } : { x, y },
      ]),
    ),
  };
}

function depthOf(document: FlowDocument, id: string): number {
  let depth = 0;
  for (let parent = parentOf(document, id); parent !== undefined && depth < 10; parent = parentOf(document, parent))
    depth++;
  return depth;
}
