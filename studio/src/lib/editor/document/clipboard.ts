import {
  flowEdgeSchema,
  flowNodeSchema,
  connectionSlotSchema,
  type FlowDocument,
  type FlowNode,
} from '@plumbline/workflows/flow';
import { parentOf, withInside } from './containers.ts';
import { columnWidth, rowHeight, type Point } from './geometry.ts';
import { edgeId, freeId } from './node-id.ts';
import { uniqueName } from './nodes.ts';

/** Steps as they travel over the clipboard: text, versioned, without anybody's connections. */
interface Clip {
  readonly plumbline: 'steps';
  readonly version: 1;
  readonly nodes: FlowDocument['nodes'];
  readonly edges: FlowDocument['edges'];
  readonly positions: FlowDocument['positions'];
  readonly connections: FlowDocument['connections'];
}

/** The chosen steps with all that stands inside them, and the lines between them, as text. Connection ids stay behind: they belong to one company. */
export function copyNodes(document: FlowDocument, ids: readonly string[]): string {
  const chosen = new Set(withInside(document, ids));
  const pick = <T>(record: Readonly<Record<string, T>>, keep: (id: string) => boolean) =>
    Object.fromEntries(Object.entries(record).filter(([id]) => keep(id)));
  const nodes = pick(document.nodes, (id) => chosen.has(id));
  const slots = new Set(Object.values(nodes).map((node) => node.connection));
  const clip: Clip = {
    plumbline: 'steps',
    version: 1,
    nodes,
    edges: document.edges.filter((edge) => chosen.has(edge.from) && chosen.has(edge.to)),
    positions: pick(document.positions, (id) => chosen.has(id)),
    connections: Object.fromEntries(
      Object.entries(pick(document.connections, (id) => slots.has(id))).map(([id, slot]) => [
        id,
        { ...slot, id: null },
      ]),
    ),
  };
  return JSON.stringify(clip, null, 2);
}

export interface Pasted {
  readonly document: FlowDocument;
  readonly nodeIds: readonly string[];
}

/**
 * Puts copied steps, or all steps of a whole flow, into a document under free ids. Undefined when the text is something else.
 * @param into loop that steps without one of their own stand in then
 */
export function pasteNodes(
  document: FlowDocument,
  text: string,
  {
    at,
    into,
  }: { readonly at?: Point | undefined; readonly into?: ((id: string) => string | undefined) | undefined } = {},
): Pasted | undefined {
  const clip = readClip(text);
  if (!clip || Object.keys(clip.nodes).length === 0) return undefined;
  const taken = new Set(Object.keys(document.nodes));
  const renamed = new Map<string, string>();
  for (const id of Object.keys(clip.nodes)) {
    const free = freeId(id, taken);
    taken.add(free);
    renamed.set(id, free);
  }
  const connections = { ...document.connections };
  const slots = new Map<string, string>();
  for (const [id, slot] of Object.entries(clip.connections)) {
    const known = Object.entries(connections).find(([, candidate]) => candidate.connector === slot.connector)?.[0];
    const target = known ?? freeId(id, connections);
    if (!known) connections[target] = { ...slot, id: null };
    slots.set(id, target);
  }
  let next: FlowDocument = { ...document, connections };
  const shift = shiftOf(document, clip, at);
  const nodes = { ...document.nodes };
  const positions = { ...document.positions };
  for (const [id, node] of Object.entries(clip.nodes)) {
    const newId = renamed.get(id) as string;
    const slot = node.connection === undefined ? undefined : slots.get(node.connection);
    const { connection: _, parent: loop, ...rest } = node;
    const parent = (loop === undefined ? undefined : renamed.get(loop)) ?? into?.(id);
    nodes[newId] = {
      ...rest,
      ...(parent === undefined ? {} : { parent }),
      name: uniqueName(next, node.name),
      inputs: repoint(node.inputs, renamed),
      ...(slot ? { connection: slot } : {}),
    };
    next = { ...next, nodes };
    const place = clip.positions[id] ?? { x: 0, y: 0 };
    positions[newId] = { x: Math.round(place.x + shift.x), y: Math.round(place.y + shift.y) };
  }
  const edges = clip.edges.flatMap((edge) => {
    const from = renamed.get(edge.from);
    const to = renamed.get(edge.to);
    return from && to ? [{ id: edgeId(from, edge.port, to), from, port: edge.port, to }] : [];
  });
  return {
    document: { ...next, nodes, positions, edges: [...document.edges, ...edges] },
    nodeIds: [...renamed.values()],
  };
}

/** The same steps once more, beside themselves, in the same loop. */
export function duplicateNodes(document: FlowDocument, ids: readonly string[]): Pasted | undefined {
  return pasteNodes(document, copyNodes(document, ids), { into: (id) => parentOf(document, id) });
}

function shiftOf(document: FlowDocument, clip: Clip, at: Point | undefined): Point {
  const places = Object.values(clip.positions);
  const left = Math.min(...places.map(({ x }) => x), Infinity);
  const top = Math.min(...places.map(({ y }) => y), Infinity);
  if (at && Number.isFinite(left)) return { x: at.x - left, y: at.y - top };
  const occupied = Object.values(document.positions);
  let shift = { x: columnWidth, y: 0 };
  const covered = () =>
    places.some((place) =>
      occupied.some(
        (other) =>
          Math.abs(other.x - place.x - shift.x) < columnWidth / 2 &&
          Math.abs(other.y - place.y - shift.y) < rowHeight / 2,
      ),
    );
  for (let tries = 0; covered() && tries < 50; tries++) shift = { x: shift.x + columnWidth, y: 0 };
  return shift;
}

/** `steps.bill.id` follows the pasted step; names in quotes are left alone by the word boundary being behind a dot. */
function repoint(inputs: FlowNode['inputs'], renamed: ReadonlyMap<string, string>): FlowNode['inputs'] {
  const source = (text: string) =>
    text.replace(/\b(steps|loops)\.([a-z][a-z0-9_]*)\b/g, (all, root: string, id: string) =>
      renamed.has(id) ? `${root}.${renamed.get(id) ?? id}` : all,
    );
  return Object.fromEntries(
    Object.entries(inputs).map(([field, mapping]) => [
      field,
      mapping.kind === 'expression' ? { ...mapping, source: source(mapping.source) } : mapping,
    ]),
  );
}

function readClip(text: string): Clip | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const raw = value as Record<string, unknown>;
  if (!(raw['plumbline'] === 'steps' && raw['version'] === 1) && raw['schema'] !== 1) return undefined;
  const nodes: FlowDocument['nodes'] = {};
  for (const [id, node] of entries(raw['nodes'])) {
    const parsed = flowNodeSchema.safeParse(node);
    if (!parsed.success || !/^[a-z][a-z0-9_]{0,47}$/.test(id)) return undefined;
    nodes[id] = parsed.data;
  }
  const edges = (Array.isArray(raw['edges']) ? raw['edges'] : []).flatMap((edge) => {
    const parsed = flowEdgeSchema.safeParse(edge);
    return parsed.success ? [parsed.data] : [];
  });
  const connections: FlowDocument['connections'] = {};
  for (const [id, slot] of entries(raw['connections'])) {
    const parsed = connectionSlotSchema.safeParse(slot);
    if (parsed.success) connections[id] = parsed.data;
  }
  const positions: FlowDocument['positions'] = {};
  for (const [id, place] of entries(raw['positions'])) {
    const { x, y } = place as { x?: unknown; y?: unknown };
    if (typeof x === 'number' && typeof y === 'number') positions[id] = { x, y };
  }
  return { plumbline: 'steps', version: 1, nodes, edges, positions, connections };
}

function entries(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).filter(([, item]) => typeof item === 'object' && item !== null)
    : [];
}
