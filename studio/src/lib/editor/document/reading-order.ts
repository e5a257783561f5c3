import { leadsInside, type FlowDocument } from '@plumbline/workflows/flow';
import { parentOf } from './containers.ts';

/**
 * Step numbers as people read the drawing: each step after all that lead to it, from the top down and from left to right; what stands in a loop right
 * behind the loop. Circles come last, in the order of the document.
 */
export function readingOrder(document: FlowDocument): readonly string[] {
  const regions = Map.groupBy(Object.keys(document.nodes), (id) => parentOf(document, id));
  const order: string[] = [];
  const read = (region: string | undefined): void => {
    for (const id of inRegion(document, regions.get(region) ?? [])) {
      if (placed.has(id)) continue;
      placed.add(id);
      order.push(id);
      if (regions.has(id)) read(id);
    }
  };
  const placed = new Set<string>();
  read(undefined);
  return [...order, ...Object.keys(document.nodes).filter((id) => !placed.has(id))];
}

function inRegion(document: FlowDocument, ids: readonly string[]): readonly string[] {
  const waiting = new Map(ids.map((id) => [id, 0]));
  const edges = document.edges.filter((edge) => waiting.has(edge.from) && waiting.has(edge.to));
  for (const edge of edges) waiting.set(edge.to, (waiting.get(edge.to) ?? 0) + 1);
  const place = (id: string) => document.positions[id] ?? { x: 0, y: 0 };
  const before = (a: string, b: string) => place(a).y - place(b).y || place(a).x - place(b).x || (a < b ? -1 : 1);
  const ready = [...waiting]
    .filter(([, count]) => count === 0)
    .map(([id]) => id)
    .sort(before);
  const order: string[] = [];
  for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
    order.push(id);
    for (const edge of edges) {
      if (edge.from !== id) continue;
      const left = (waiting.get(edge.to) ?? 0) - 1;
      waiting.set(edge.to, left);
      if (left === 0) ready.push(edge.to);
    }
    ready.sort(before);
  }
  const placed = new Set(order);
  return [...order, ...ids.filter((id) => !placed.has(id))];
}

/** Number of each step, from 1. */
export function stepNumbers(document: FlowDocument): ReadonlyMap<string, number> {
  return new Map(readingOrder(document).map((id, index) => [id, index + 1]));
}

export type Direction = 'up' | 'down' | 'left' | 'right';

/**
 * The step an arrow key leads to: along a line up or down, to the nearest in the same rows left or right. Down leads into a loop first, and from its
 * last step to what follows the loop.
 */
export function neighbour(document: FlowDocument, id: string, direction: Direction): string | undefined {
  const here = document.positions[id] ?? { x: 0, y: 0 };
  const at = (other: string) => document.positions[other] ?? { x: 0, y: 0 };
  const nearest = (ids: readonly string[]) =>
    [...ids].sort((a, b) => Math.abs(at(a).x - here.x) - Math.abs(at(b).x - here.x))[0];
  if (direction === 'up') return nearest(document.edges.filter((edge) => edge.to === id).map((edge) => edge.from));
  if (direction === 'down') {
    for (let from: string | undefined = id; from !== undefined; from = parentOf(document, from)) {
      const out = document.edges.filter((edge) => edge.from === from);
      const inside = out.filter((edge) => leadsInside(document, edge)).map((edge) => edge.to);
      if (from === id && inside.length > 0) return nearest(inside);
      const behind = out.map((edge) => edge.to).filter((to) => !inside.includes(to));
      if (behind.length > 0) return nearest(behind);
    }
    return undefined;
  }
  const side = Object.keys(document.nodes).filter((other) =>
    direction === 'left' ? at(other).x < here.x : at(other).x > here.x,
  );
  const distance = (other: string) => Math.abs(at(other).x - here.x) + 3 * Math.abs(at(other).y - here.y);
  return side.sort((a, b) => distance(a) - distance(b))[0];
}
