import {
  LOOP_PORT,
  leadsInside,
  portsOf,
  type FlowDocument,
  type FlowEdge,
  type FlowNode,
  type NodeTypeInfo,
} from '@plumbline/workflows/flow';
import { childrenOf, parentOf, within } from './containers.ts';
import { boxOf, framesOf } from './frames.ts';
import { card, columnWidth, rowHeight, type Point } from './geometry.ts';
import { edgeId, freeId, idFor } from './node-id.ts';

/** Where a new step goes: loose on the canvas, behind a way out, first in a loop, or in the middle of a line. */
export type Place =
  | { readonly kind: 'free'; readonly at?: Point; readonly loopId?: string }
  | { readonly kind: 'inside'; readonly loopId: string; readonly at?: Point }
  | { readonly kind: 'after'; readonly nodeId: string; readonly port: string; readonly at?: Point }
  | { readonly kind: 'edge'; readonly edgeId: string };

export interface Added {
  readonly document: FlowDocument;
  readonly nodeId: string;
}

/** Adds a step of a type. In the middle of a line it takes the line apart: its first way out goes where the line went. */
export function addNode(document: FlowDocument, type: NodeTypeInfo, place: Place, node: Partial<FlowNode> = {}): Added {
  const nodeId = freeId(idFor(type), document.nodes);
  const parent = loopAt(document, place);
  const created: FlowNode = {
    type: type.id,
    version: type.version,
    name: uniqueName(document, type.title),
    inputs: {},
    ...node,
    ...(parent === undefined ? {} : { parent }),
  };
  const nodes = { ...document.nodes, [nodeId]: created };
  const next = { ...document, nodes };
  if (place.kind === 'edge') return { document: onEdge(next, type, nodeId, place.edgeId), nodeId };
  if (place.kind === 'after') return { document: after(next, nodeId, place), nodeId };
  if (place.kind === 'inside')
    return {
      document: after(next, nodeId, { kind: 'after', nodeId: place.loopId, port: LOOP_PORT, ...at(place.at) }),
      nodeId,
    };
  return {
    document: {
      ...next,
      positions: { ...document.positions, [nodeId]: place.at ? round(place.at) : freeSpot(document) },
    },
    nodeId,
  };
}

const at = (point: Point | undefined) => (point ? { at: point } : {});

/** The loop that a step put there stands in. */
export function loopAt(document: FlowDocument, place: Place): string | undefined {
  switch (place.kind) {
    case 'inside':
      return place.loopId;
    case 'free':
      return place.loopId;
    case 'after':
      return parentOf(document, place.nodeId);
    case 'edge': {
      const edge = document.edges.find((candidate) => candidate.id === place.edgeId);
      if (!edge) return undefined;
      return leadsInside(document, edge) ? edge.from : parentOf(document, edge.from);
    }
  }
}

function onEdge(document: FlowDocument, type: NodeTypeInfo, nodeId: string, id: string): FlowDocument {
  const edge = document.edges.find((candidate) => candidate.id === id);
  if (!edge) return { ...document, positions: { ...document.positions, [nodeId]: freeSpot(document) } };
  const [first] = portsOf(document.nodes[nodeId] as FlowNode, type);
  const target = document.positions[edge.to] ?? { x: 0, y: rowHeight };
  const sourceBottom = leadsInside(document, edge)
    ? (document.positions[edge.from] ?? { y: target.y - rowHeight }).y + card.height
    : bottomOf(document, edge.from);
  const edges = document.edges.flatMap((candidate): FlowEdge[] => {
    if (candidate.id !== id) return [candidate];
    const into = { id: edgeId(edge.from, edge.port, nodeId), from: edge.from, port: edge.port, to: nodeId };
    return first
      ? [into, { id: edgeId(nodeId, first.id, edge.to), from: nodeId, port: first.id, to: edge.to }]
      : [into];
  });
  // The card is centred over the step it now leads to when it has one way out; the rest moves down by what is missing.
  const position = { x: target.x, y: sourceBottom + rowHeight - card.height };
  const missing = position.y + rowHeight - target.y;
  const pushed = missing > 0 ? pushDown(document, edge.to, missing) : document.positions;
  return { ...document, edges, positions: { ...pushed, [nodeId]: position } };
}

function after(
  document: FlowDocument,
  nodeId: string,
  { nodeId: from, port, at }: Extract<Place, { kind: 'after' }>,
): FlowDocument {
  const source = document.positions[from] ?? { x: 0, y: 0 };
  const inside = parentOf(document, nodeId) === from;
  const siblings = document.edges
    .filter((edge) => edge.from === from && (edge.port === LOOP_PORT) === inside)
    .map((edge) => document.positions[edge.to]?.x ?? source.x);
  const x = siblings.length === 0 ? source.x : Math.max(...siblings) + columnWidth;
  const bottom = inside ? source.y + card.height : bottomOf(document, from);
  const wanted = at ? round(at) : { x, y: bottom + rowHeight - card.height };
  return {
    ...document,
    edges: [...document.edges, { id: edgeId(from, port, nodeId), from, port, to: nodeId }],
    positions: { ...document.positions, [nodeId]: at ? wanted : clear(document, wanted, parentOf(document, nodeId)) },
  };
}

/** Everything that follows a step moves down together, so that no line turns upward. */
function pushDown(document: FlowDocument, from: string, by: number): FlowDocument['positions'] {
  const moved = new Set<string>();
  const stack = [from];
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (moved.has(id)) continue;
    moved.add(id);
    for (const edge of document.edges) if (edge.from === id) stack.push(edge.to);
  }
  return Object.fromEntries(
    Object.entries(document.positions).map(([id, { x, y }]) => [id, moved.has(id) ? { x, y: y + by } : { x, y }]),
  );
}

/** Where a step's card ends, or the frame of a loop. */
function bottomOf(document: FlowDocument, id: string): number {
  const box = boxOf(document, framesOf(document), id);
  return box.y + box.height;
}

/** The spot, or the next one to the right that no card of the same loop covers. */
function clear(document: FlowDocument, spot: Point, loopId: string | undefined): Point {
  const frames = framesOf(document);
  const boxes = childrenOf(document, loopId)
    .filter((id) => document.positions[id])
    .map((id) => boxOf(document, frames, id));
  const covered = (at: Point) =>
    boxes.some(
      ({ x, y, width, height }) =>
        at.x < x + width + 40 && x < at.x + columnWidth - 8 && at.y < y + height + 11 && y < at.y + rowHeight / 2,
    );
  let at = spot;
  for (let tries = 0; covered(at) && tries < 50; tries++) at = { x: at.x + columnWidth, y: at.y };
  return at;
}

function freeSpot(document: FlowDocument): Point {
  const ys = Object.values(document.positions).map(({ y }) => y);
  return ys.length === 0 ? { x: 0, y: 0 } : { x: 0, y: Math.max(...ys) + rowHeight };
}

function round({ x, y }: Point): Point {
  return { x: Math.round(x), y: Math.round(y) };
}

/** "Create a bill", then "Create a bill 2": names are how people tell steps apart. */
export function uniqueName(document: FlowDocument, wanted: string): string {
  const names = new Set(Object.values(document.nodes).map((node) => node.name));
  if (!names.has(wanted)) return wanted;
  for (let number = 2; ; number++) if (!names.has(`${wanted} ${number}`)) return `${wanted} ${number}`;
}

/**
 * Removes steps and joins what was before them with what came behind: each line into a removed step goes on where the step's first
 * way out went. Slots that no step uses any more go too.
 */
export function removeNodes(document: FlowDocument, ids: readonly string[]): FlowDocument {
  const gone = new Set(ids.filter((id) => id in document.nodes));
  if (gone.size === 0) return document;
  const firstOut = (id: string): string[] => {
    // What a loop leads to inside is not what comes behind it.
    const out = document.edges.filter((edge) => edge.from === id && !leadsInside(document, edge));
    return out.filter((edge) => edge.port === out[0]?.port).map((edge) => edge.to);
  };
  /** Where a line into a removed step ends up, past all removed steps. */
  const landings = (id: string, seen: ReadonlySet<string> = new Set()): string[] =>
    !gone.has(id) ? [id] : seen.has(id) ? [] : firstOut(id).flatMap((next) => landings(next, new Set([...seen, id])));
  const edges = new Map<string, FlowEdge>();
  for (const edge of document.edges) {
    if (gone.has(edge.from)) continue;
    if (!gone.has(edge.to)) edges.set(edge.id, edge);
    else
      for (const to of landings(edge.to)) {
        const id = edgeId(edge.from, edge.port, to);
        if (
          to !== edge.from &&
          ![...edges.values(), ...document.edges].some(
            (other) => other.from === edge.from && other.port === edge.port && other.to === to,
          )
        )
          edges.set(id, { id, from: edge.from, port: edge.port, to });
      }
  }
  const keep = <T>(record: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(record).filter(([id]) => !gone.has(id)));
  return { ...document, nodes: keep(document.nodes), positions: keep(document.positions), edges: [...edges.values()] };
}

/** Joins two steps; the same line is never drawn twice. */
export function connect(document: FlowDocument, from: string, port: string, to: string): FlowDocument {
  if (from === to || !document.nodes[from] || !document.nodes[to]) return document;
  if (document.edges.some((edge) => edge.from === from && edge.port === port && edge.to === to)) return document;
  const id = freeId(edgeId(from, port, to), new Set(document.edges.map((edge) => edge.id)));
  return { ...document, edges: [...document.edges, { id, from, port, to }] };
}

export function disconnect(document: FlowDocument, ids: readonly string[]): FlowDocument {
  const edges = document.edges.filter((edge) => !ids.includes(edge.id));
  return edges.length === document.edges.length ? document : { ...document, edges };
}

/** Whether a line from one step to another would lead back to where it came from. */
export function wouldCircle(document: FlowDocument, from: string, to: string): boolean {
  const stack = [to];
  const seen = new Set<string>();
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (id === from) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    for (const edge of document.edges) if (edge.from === id) stack.push(edge.to);
  }
  return false;
}

/** Moves steps; those inside a loop go along with it, unless they are given a place of their own. */
export function moveNodes(document: FlowDocument, given: Readonly<Record<string, Point>>): FlowDocument {
  const positions: Record<string, Point> = { ...given };
  for (const [id, to] of Object.entries(given)) {
    const from = document.positions[id];
    if (!from) continue;
    for (const inner of within(document, [id])) {
      const old = document.positions[inner];
      // Of two loops in each other, each moved, the inner one has its own place.
      if (old && !(inner in given)) positions[inner] = { x: old.x + to.x - from.x, y: old.y + to.y - from.y };
    }
  }
  const changed = Object.entries(positions).filter(([id, at]) => {
    const before = document.positions[id];
    return id in document.nodes && (!before || before.x !== Math.round(at.x) || before.y !== Math.round(at.y));
  });
  if (changed.length === 0) return document;
  return {
    ...document,
    positions: { ...document.positions, ...Object.fromEntries(changed.map(([id, at]) => [id, round(at)])) },
  };
}
