import { Graph, layout as arrange } from '@dagrejs/dagre';
import type { FlowDocument } from '@plumbline/workflows/flow';
import { childrenOf, parentOf } from './containers.ts';
import { inset } from './frames.ts';
import { card, rowHeight, type Point } from './geometry.ts';

/** Steps of one region, placed from its own corner. */
interface Laid {
  readonly width: number;
  readonly height: number;
  readonly places: Readonly<Record<string, Point>>;
}

/**
 * Places for all steps, top-down, the first trigger at the left top of its column; loops are as large as what stands in them.
 * Pure: the same flow is always laid out the same.
 * @param loops which steps are loops; without it, those that have something inside
 */
export function tidy(document: FlowDocument, loops?: ReadonlySet<string>): Readonly<Record<string, Point>> {
  const all = new Set([...(loops ?? []), ...Object.keys(document.nodes).flatMap((id) => parentOf(document, id) ?? [])]);
  return layRegion(document, all, undefined, 0).places;
}

/** The same with a place for every step: those that have none, such as of a flow that a program made, get the one they would have in a tidy drawing. */
export function placed(document: FlowDocument): FlowDocument {
  if (Object.keys(document.nodes).every((id) => document.positions[id])) return document;
  return { ...document, positions: { ...tidy(document), ...document.positions } };
}

function layRegion(
  document: FlowDocument,
  loops: ReadonlySet<string>,
  parent: string | undefined,
  depth: number,
): Laid {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: 48, ranksep: rowHeight - card.height, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  const ids = childrenOf(document, parent);
  const inside = new Map<string, Laid>();
  for (const id of ids) {
    // A circle of loops is no drawing; deeper than this there is none.
    const inner = loops.has(id) && depth < 10 ? layRegion(document, loops, id, depth + 1) : undefined;
    if (inner) inside.set(id, inner);
    graph.setNode(id, inner ? frameSize(inner) : { width: card.width, height: card.height });
  }
  const here = new Set(ids);
  for (const edge of document.edges)
    if (here.has(edge.from) && here.has(edge.to)) graph.setEdge(edge.from, edge.to, {}, edge.port);
  arrange(graph);
  const places: Record<string, Point> = {};
  let [width, height] = [0, 0];
  for (const id of ids) {
    const node = graph.node(id) as { x?: number; y?: number; width: number; height: number };
    const left = (node.x ?? 0) - node.width / 2;
    const top = (node.y ?? 0) - node.height / 2;
    width = Math.max(width, left + node.width);
    height = Math.max(height, top + node.height);
    const inner = inside.get(id);
    places[id] = { x: Math.round(left + (node.width - card.width) / 2), y: Math.round(top) };
    if (inner)
      for (const [child, at] of Object.entries(inner.places))
        places[child] = {
          x: Math.round(left + (node.width - inner.width) / 2 + at.x),
          y: Math.round(top + rowHeight + at.y),
        };
  }
  return { width, height, places };
}

function frameSize({ width, height }: Laid): { readonly width: number; readonly height: number } {
  return {
    width: Math.max(width, card.width) + 2 * inset.side,
    height: height === 0 ? card.height + inset.empty : rowHeight + height + inset.foot,
  };
}
