import {
  LOOP_PORT,
  isScope,
  leadsInside,
  portsOf,
  type FlowDocument,
  type FlowEdge,
  type FlowNode,
  type NodeTypeInfo,
} from '@plumbline/workflows/flow';
import { childrenOf, outermost, parentOf, withInside, within, type TypesOf } from './containers.ts';
import { boxOf, framesOf } from './frames.ts';
import { card, rowHeight, type Point } from './geometry.ts';
import { edgeId, freeId, idFor } from './node-id.ts';
import { connect, moveNodes, removeNodes, uniqueName, type Added } from './nodes.ts';
import { readingOrder } from './reading-order.ts';

/** The steps that may be moved together: the outermost of those chosen, without triggers. */
export function movable(document: FlowDocument, types: TypesOf, ids: readonly string[]): readonly string[] {
  return outermost(document, ids).filter((id) => types.get(id)?.kind !== 'trigger');
}

/**
 * Puts steps into a loop, or with no loop at the top. They stay joined among each other; what was before them is joined with what came behind; inside
 * they go on where the loop's steps end. Taken out of a loop they stand right behind it.
 */
export function moveInto(
  document: FlowDocument,
  types: TypesOf,
  move: {
    readonly ids: readonly string[];
    readonly loopId: string | undefined;
    /** Where they stand already, as after a drag. */
    readonly placed?: boolean;
  },
): FlowDocument {
  const { loopId, placed = false } = move;
  const ids = movable(document, types, move.ids).filter(
    (id) => parentOf(document, id) !== loopId && id !== loopId && !(loopId && within(document, [id]).has(loopId)),
  );
  if (ids.length === 0) return document;
  const left = parentOf(document, ids[0] ?? '');
  const chosen = new Set(ids);
  const tail = loopId === undefined ? undefined : tailOf(document, types, loopId, chosen);
  const behind = loopId === undefined || (left !== undefined && within(document, [loopId]).has(left));
  const detached = detach(document, chosen);
  let next = withParent(detached, ids, loopId);
  const entries = ids.filter((id) => !next.edges.some((edge) => edge.to === id && chosen.has(edge.from)));
  const [last] = ids.filter((id) => !next.edges.some((edge) => edge.from === id && chosen.has(edge.to))).reverse();
  const exit = last === undefined ? undefined : wayOut(next.nodes[last], types.get(last));

  if (left !== undefined && behind) {
    // Out of the loop, and before what follows it.
    const after = outerLoop(document, left, loopId);
    const follow = next.edges.filter((edge) => edge.from === after && edge.port === 'out');
    next = { ...next, edges: next.edges.filter((edge) => !follow.includes(edge)) };
    for (const id of entries) next = connect(next, after, 'out', id);
    if (last !== undefined && exit !== undefined) for (const edge of follow) next = connect(next, last, exit, edge.to);
    return placed ? next : place(next, ids, after);
  }
  if (loopId === undefined) return next;
  for (const id of entries) next = tail ? connect(next, tail.id, tail.port, id) : connect(next, loopId, LOOP_PORT, id);
  return placed ? next : place(next, ids, tail?.id ?? loopId, tail === undefined);
}

/** Draws a new loop around steps that stand together: what led to them leads to it, and what they led to follows it. */
export function wrapInLoop(
  document: FlowDocument,
  types: TypesOf,
  loop: { readonly type: NodeTypeInfo; readonly ids: readonly string[]; readonly inputs?: FlowNode['inputs'] },
): Added | undefined {
  const ids = movable(document, types, loop.ids);
  const parent = parentOf(document, ids[0] ?? '');
  if (ids.length === 0 || ids.some((id) => parentOf(document, id) !== parent)) return undefined;
  const nodeId = freeId(idFor(loop.type), document.nodes);
  const chosen = new Set(ids);
  const places = ids.map((id) => document.positions[id] ?? { x: 0, y: 0 });
  const entries = readingOrder(document).filter(
    (id) => chosen.has(id) && !document.edges.some((edge) => edge.to === id && chosen.has(edge.from)),
  );
  const edges = new Map<string, FlowEdge>();
  const draw = (from: string, port: string, to: string) => {
    const id = edgeId(from, port, to);
    edges.set(id, { id, from, port, to });
  };
  for (const edge of document.edges) {
    const [leaves, enters] = [chosen.has(edge.from), chosen.has(edge.to)];
    if (leaves === enters) edges.set(edge.id, edge);
    else if (enters) draw(edge.from, edge.port, nodeId);
    // A scope has a way of its own for what fails in it.
    else draw(nodeId, edge.port === 'error' && isScope(loop.type) ? 'error' : 'out', edge.to);
  }
  for (const id of entries) draw(nodeId, LOOP_PORT, id);
  const created: FlowNode = {
    type: loop.type.id,
    version: loop.type.version,
    name: uniqueName(document, loop.type.title),
    inputs: loop.inputs ?? {},
    ...(parent === undefined ? {} : { parent }),
  };
  const first = document.positions[entries[0] ?? ''] ?? { x: 0, y: 0 };
  const at = { x: first.x, y: Math.min(...places.map(({ y }) => y)) };
  const next = withParent(
    {
      ...document,
      nodes: { ...document.nodes, [nodeId]: created },
      edges: [...edges.values()],
      positions: { ...document.positions, [nodeId]: at },
    },
    ids,
    nodeId,
  );
  const down = Object.fromEntries(
    ids.map((id, index) => [id, { x: places[index]?.x ?? 0, y: (places[index]?.y ?? 0) + rowHeight }]),
  );
  return { document: moveNodes(next, down), nodeId };
}

/** Takes a loop away and leaves its steps where it stood. Steps that only end a turn go with it. */
export function unwrapLoop(document: FlowDocument, types: TypesOf, loopId: string): FlowDocument {
  const loop = document.nodes[loopId];
  if (!loop) return document;
  const inner = childrenOf(document, loopId);
  const parent = parentOf(document, loopId);
  const ends = inner.filter((id) => {
    const control = types.get(id)?.control;
    return control === 'next' || control === 'break';
  });
  const kept = inner.filter((id) => !ends.includes(id));
  let next = removeNodes(document, ends);
  const entries = next.edges.filter((edge) => edge.from === loopId && leadsInside(next, edge)).map((edge) => edge.to);
  const into = next.edges.filter((edge) => edge.to === loopId);
  const behind = next.edges.filter((edge) => edge.from === loopId && edge.port === 'out');
  const leaves = kept.filter((id) => !next.edges.some((edge) => edge.from === id));
  if (kept.length === 0) return removeNodes(next, [loopId]);
  next = withParent(next, kept, parent);
  const { [loopId]: _, ...nodes } = next.nodes;
  const { [loopId]: __, ...positions } = next.positions;
  next = { ...next, nodes, positions, edges: next.edges.filter((edge) => edge.from !== loopId && edge.to !== loopId) };
  for (const edge of into) for (const entry of entries) next = connect(next, edge.from, edge.port, entry);
  for (const id of leaves) {
    const port = wayOut(next.nodes[id], types.get(id));
    if (port !== undefined) for (const edge of behind) next = connect(next, id, port, edge.to);
  }
  return next;
}

/** Removes steps with everything inside them. */
export function removeWithInside(document: FlowDocument, ids: readonly string[]): FlowDocument {
  return removeNodes(document, withInside(document, ids));
}

/** Takes steps out of their lines: what was before them is joined with what came behind, as when they are removed. */
function detach(document: FlowDocument, chosen: ReadonlySet<string>): FlowDocument {
  const own = document.edges.filter(
    (edge) => (chosen.has(edge.from) && chosen.has(edge.to)) || (chosen.has(edge.from) && leadsInside(document, edge)),
  );
  // What is removed to draw the bridges comes back with its own lines only.
  const inside = within(document, chosen);
  const inner = document.edges.filter((edge) => inside.has(edge.from) && inside.has(edge.to));
  const bridged = removeNodes(document, [...chosen, ...inside]);
  return {
    ...document,
    edges: [...bridged.edges, ...own.filter((edge) => !inner.includes(edge)), ...inner],
  };
}

function withParent(document: FlowDocument, ids: readonly string[], parent: string | undefined): FlowDocument {
  const nodes = { ...document.nodes };
  for (const id of ids) {
    const node = nodes[id];
    if (!node) continue;
    const { parent: _, ...rest } = node;
    nodes[id] = parent === undefined ? rest : { ...rest, parent };
  }
  return { ...document, nodes };
}

/** The loop around `inner` that stands directly in `outer`. */
function outerLoop(document: FlowDocument, inner: string, outer: string | undefined): string {
  let id = inner;
  for (let parent = parentOf(document, id); parent !== undefined && parent !== outer; parent = parentOf(document, id))
    id = parent;
  return id;
}

/** The step inside a loop that others can follow, and by which way; the last as people read. */
function tailOf(document: FlowDocument, types: TypesOf, loopId: string, without: ReadonlySet<string>) {
  const inner = new Set(childrenOf(document, loopId).filter((id) => !without.has(id)));
  for (const id of [...readingOrder(document)].reverse()) {
    if (!inner.has(id)) continue;
    const node = document.nodes[id];
    const type = types.get(id);
    if (!node || !type) continue;
    const port = portsOf(node, type).find(
      (candidate) =>
        candidate.id !== LOOP_PORT && !document.edges.some((edge) => edge.from === id && edge.port === candidate.id),
    );
    if (port) return { id, port: port.id };
  }
  return undefined;
}

function wayOut(node: FlowNode | undefined, type: NodeTypeInfo | undefined): string | undefined {
  return node && type ? portsOf(node, type).find((port) => port.id !== LOOP_PORT)?.id : undefined;
}

/** Puts steps under another, or under a loop's head; what they looked like among each other stays. */
function place(document: FlowDocument, ids: readonly string[], under: string, inside = false): FlowDocument {
  const places = ids.map((id) => document.positions[id] ?? { x: 0, y: 0 });
  const own = document.positions[under] ?? { x: 0, y: 0 };
  const box = boxOf(document, framesOf(document), under);
  const top = inside ? own.y + rowHeight : box.y + box.height + rowHeight - card.height;
  const by: Point = {
    x: own.x - Math.min(...places.map(({ x }) => x)),
    y: top - Math.min(...places.map(({ y }) => y)),
  };
  return moveNodes(
    document,
    Object.fromEntries(
      ids.map((id, index) => [id, { x: (places[index]?.x ?? 0) + by.x, y: (places[index]?.y ?? 0) + by.y }]),
    ),
  );
}
