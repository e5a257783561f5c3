import type { FlowDocument } from '@plumbline/workflows/flow';

/** Node ids as the flow goes: every node after those that lead to it. Loops end where they began. */
export function readingOrder(document: FlowDocument): readonly string[] {
  const waiting = new Map(Object.keys(document.nodes).map((id) => [id, 0]));
  for (const edge of document.edges) {
    if (waiting.has(edge.to)) waiting.set(edge.to, (waiting.get(edge.to) ?? 0) + 1);
  }
  const order: string[] = [];
  const ready = [...waiting].filter(([, count]) => count === 0).map(([id]) => id);
  for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
    order.push(id);
    for (const edge of document.edges.filter((candidate) => candidate.from === id)) {
      const left = (waiting.get(edge.to) ?? 1) - 1;
      waiting.set(edge.to, left);
      if (left === 0) ready.push(edge.to);
    }
  }
  const rest = [...waiting.keys()].filter((id) => !order.includes(id));
  return [...order, ...rest];
}
