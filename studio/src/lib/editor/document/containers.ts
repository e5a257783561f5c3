import { isContainer, type FlowDocument, type NodeTypeInfo } from '@plumbline/workflows/flow';

/** Kinds of steps by node. */
export type TypesOf = Pick<ReadonlyMap<string, NodeTypeInfo>, 'get'>;

/** The steps that are loops or scopes, whether something stands in them or not. */
export function loopsOf(document: FlowDocument, types: TypesOf): ReadonlySet<string> {
  return new Set(Object.keys(document.nodes).filter((id) => isContainer(types.get(id))));
}

/** The loop or scope a step stands in directly; none for one whose container is gone. */
export function parentOf(document: FlowDocument, nodeId: string): string | undefined {
  const parent = document.nodes[nodeId]?.parent;
  return parent !== undefined && document.nodes[parent] ? parent : undefined;
}

/** The steps that stand directly in a loop; without one, at the top. */
export function childrenOf(document: FlowDocument, loopId: string | undefined): readonly string[] {
  return Object.keys(document.nodes).filter((id) => parentOf(document, id) === loopId);
}

/** The steps inside loops at any depth, the loops themselves not included. */
export function within(document: FlowDocument, loopIds: Iterable<string>): ReadonlySet<string> {
  const inner = new Set<string>();
  const stack = [...loopIds];
  for (let id = stack.pop(); id !== undefined; id = stack.pop())
    for (const [child, node] of Object.entries(document.nodes))
      if (node.parent === id && !inner.has(child)) {
        inner.add(child);
        stack.push(child);
      }
  return inner;
}

/** Steps together with everything inside of them. */
export function withInside(document: FlowDocument, ids: readonly string[]): readonly string[] {
  return [...new Set([...ids, ...within(document, ids)])].filter((id) => document.nodes[id]);
}

/** Of some steps those that stand in none of the others. */
export function outermost(document: FlowDocument, ids: readonly string[]): readonly string[] {
  const inner = within(document, ids);
  return ids.filter((id) => document.nodes[id] && !inner.has(id));
}

/** The document as it looks with some loops closed: what stands inside them is out of sight. */
export function folded(document: FlowDocument, closed: ReadonlySet<string>): FlowDocument {
  const hidden = closed.size === 0 ? closed : within(document, closed);
  if (hidden.size === 0) return document;
  return {
    ...document,
    nodes: Object.fromEntries(Object.entries(document.nodes).filter(([id]) => !hidden.has(id))),
    edges: document.edges.filter((edge) => !hidden.has(edge.from) && !hidden.has(edge.to)),
  };
}

/** Whether a step is a scope; known by its type alone, for where no catalog is at hand. */
export function isScopeStep(document: FlowDocument, nodeId: string): boolean {
  return document.nodes[nodeId]?.type === 'core.scope';
}
