import type { FlowDocument } from './schema.ts';

/** The part of a drawing that leads to a step, the step included: what must run before it, with the loops around all that. */
export function partUpTo(document: FlowDocument, nodeId: string): FlowDocument {
  const kept = new Set<string>();
  const waiting = [nodeId];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const node = document.nodes[id];
    if (!node || kept.has(id)) continue;
    kept.add(id);
    if (node.parent !== undefined) waiting.push(node.parent);
    for (const edge of document.edges) if (edge.to === id) waiting.push(edge.from);
  }
  // A loop that comes before is nothing without the steps inside it.
  for (let grew = true; grew;) {
    const size = kept.size;
    for (const id of [...kept]) {
      const isAround = contains(document, id, nodeId);
      if (!isAround)
        for (const [inner, node] of Object.entries(document.nodes)) if (node.parent === id) kept.add(inner);
    }
    grew = kept.size > size;
  }
  const pick = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(record).filter(([id]) => kept.has(id)));
  return {
    ...document,
    nodes: pick(document.nodes),
    positions: pick(document.positions),
    edges: document.edges.filter(({ from, to }) => kept.has(from) && kept.has(to)),
  };
}

/** Whether a node stands in a loop, at any depth. */
function contains(document: FlowDocument, loopId: string, nodeId: string): boolean {
  const seen = new Set<string>();
  let parent = document.nodes[nodeId]?.parent;
  while (parent !== undefined && !seen.has(parent)) {
    if (parent === loopId) return true;
    seen.add(parent);
    parent = document.nodes[parent]?.parent;
  }
  return false;
}
