import { Graph, layout as arrange } from '@dagrejs/dagre';
import type { FlowDocument } from '@plumbline/workflows/flow';
import { card, rowHeight, type Point } from './geometry.ts';

/** Places for all steps, top-down, the first trigger at the left top of its column. Pure: the same flow is always laid out the same. */
export function tidy(document: FlowDocument): Readonly<Record<string, Point>> {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: 48, ranksep: rowHeight - card.height, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of Object.keys(document.nodes)) graph.setNode(id, { width: card.width, height: card.height });
  for (const edge of document.edges)
    if (document.nodes[edge.from] && document.nodes[edge.to]) graph.setEdge(edge.from, edge.to, {}, edge.port);
  arrange(graph);
  return Object.fromEntries(
    Object.keys(document.nodes).map((id) => {
      const { x = 0, y = 0 } = graph.node(id) as { x?: number; y?: number };
      return [id, { x: Math.round(x - card.width / 2), y: Math.round(y - card.height / 2) }];
    }),
  );
}
