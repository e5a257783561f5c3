import type { ConnectionSlot, FlowDocument, FlowNode, FlowParam, Mapping } from '@plumbline/workflows/flow';
import { freeId } from './node-id.ts';

/** Changes what is given of one step; a value of undefined takes the setting away. The document itself when the step is gone. */
export function setNode(document: FlowDocument, nodeId: string, change: Partial<FlowNode>): FlowDocument {
  const node = document.nodes[nodeId];
  if (!node) return document;
  const next = { ...node, ...change };
  for (const [key, value] of Object.entries(change))
    if (value === undefined) delete (next as Record<string, unknown>)[key];
  return { ...document, nodes: { ...document.nodes, [nodeId]: next } };
}

/** Sets or, with undefined, clears one field. */
export function setInput(
  document: FlowDocument,
  nodeId: string,
  field: string,
  mapping: Mapping | undefined,
): FlowDocument {
  const node = document.nodes[nodeId];
  if (!node) return document;
  const { [field]: _, ...rest } = node.inputs;
  const inputs =
    mapping === undefined
      ? rest
      : field in node.inputs
        ? { ...node.inputs, [field]: mapping }
        : { ...rest, [field]: mapping };
  return setNode(document, nodeId, { inputs });
}

/** Renames the ways out that leave with a new list of ways: lines of ways that are gone go too. */
export function setPortsInput(
  document: FlowDocument,
  nodeId: string,
  field: string,
  mapping: Mapping | undefined,
  ports: readonly string[],
): FlowDocument {
  const next = setInput(document, nodeId, field, mapping);
  const edges = next.edges.filter((edge) => edge.from !== nodeId || ports.includes(edge.port));
  return edges.length === next.edges.length ? next : { ...next, edges };
}

export function setParam(document: FlowDocument, id: string, change: Partial<FlowParam>): FlowDocument {
  const param = document.params[id];
  return param ? { ...document, params: { ...document.params, [id]: { ...param, ...change } } } : document;
}

/** A connection as far as filling a slot needs it. */
export interface Candidate {
  readonly id: string;
  readonly connector: string;
}

/**
 * The slot a step of a connector works through: the flow's own for that connector, else a new one, holding the company's connection
 * when there is exactly one to choose.
 */
export function ensureSlot(
  document: FlowDocument,
  connector: { readonly id: string; readonly title: string },
  candidates: readonly Candidate[],
): { readonly document: FlowDocument; readonly slot: string } {
  const fitting = candidates.filter((candidate) => candidate.connector === connector.id);
  const only = fitting.length === 1 ? (fitting[0]?.id ?? null) : null;
  const known = Object.entries(document.connections).find(([, slot]) => slot.connector === connector.id);
  if (known) {
    const [id, slot] = known;
    if (slot.id !== null || only === null) return { document, slot: id };
    return { document: setSlot(document, id, { id: only }), slot: id };
  }
  const slot = freeId(connector.id.replace(/[^a-z0-9_]/g, '_'), document.connections);
  const created: ConnectionSlot = { connector: connector.id, title: connector.title, id: only };
  return { document: { ...document, connections: { ...document.connections, [slot]: created } }, slot };
}

export function setSlot(document: FlowDocument, slot: string, change: Partial<ConnectionSlot>): FlowDocument {
  const known = document.connections[slot];
  return known ? { ...document, connections: { ...document.connections, [slot]: { ...known, ...change } } } : document;
}

/** Lets a step work with a connection: through a slot that holds it already, else its own slot when no other step shares it, else a new slot. */
export function chooseConnection(
  document: FlowDocument,
  nodeId: string,
  connector: { readonly id: string; readonly title: string },
  connectionId: string | null,
): FlowDocument {
  const holder = Object.entries(document.connections).find(
    ([, slot]) => slot.connector === connector.id && slot.id === connectionId,
  )?.[0];
  if (holder) return setNode(document, nodeId, { connection: holder });
  const own = document.nodes[nodeId]?.connection;
  const users = Object.entries(document.nodes).filter(([id, node]) => id !== nodeId && node.connection === own);
  const empty = own !== undefined && document.connections[own]?.id === null;
  if (own !== undefined && document.connections[own]?.connector === connector.id && (users.length === 0 || empty))
    return setSlot(document, own, { id: connectionId });
  const slot = freeId(connector.id.replace(/[^a-z0-9_]/g, '_'), document.connections);
  const connections = {
    ...document.connections,
    [slot]: { connector: connector.id, title: connector.title, id: connectionId },
  };
  return setNode({ ...document, connections }, nodeId, { connection: slot });
}
