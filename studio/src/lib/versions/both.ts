import type { FlowChange, FlowDocument, FlowEdge } from '@plumbline/workflows/flow';

export type Mark = FlowChange['kind'];

/** Two drawings in one: everything of the newer, and what it no longer has of the older, at its old place. */
export interface Both {
  readonly document: FlowDocument;
  /** By node id and edge id. */
  readonly marks: Readonly<Record<string, Mark>>;
}

/** Lays an older and a newer drawing over each other, with what changed marked. */
export function both(older: FlowDocument, newer: FlowDocument, changes: readonly FlowChange[]): Both {
  const marks: Record<string, Mark> = {};
  for (const { what, kind, id } of changes) if (what === 'step') marks[id] = kind;
  const [had, has] = [older, newer].map(({ edges }) => new Set(edges.map(keyOf)));
  const edges: FlowEdge[] = [];
  for (const edge of newer.edges) {
    edges.push(edge);
    if (!had?.has(keyOf(edge))) marks[edge.id] = 'added';
  }
  for (const edge of older.edges) {
    if (has?.has(keyOf(edge))) continue;
    const id = `removed ${keyOf(edge)}`;
    edges.push({ ...edge, id });
    marks[id] = 'removed';
  }
  return {
    document: {
      ...newer,
      nodes: { ...older.nodes, ...newer.nodes },
      positions: { ...older.positions, ...newer.positions },
      edges,
    },
    marks,
  };
}

function keyOf({ from, port, to }: FlowEdge): string {
  return `${from}\n${port}\n${to}`;
}
