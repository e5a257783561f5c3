import type { CatalogInfo, NodeTypeInfo } from '../catalog.ts';
import type { Finding } from '../finding.ts';
import { typeOfStep } from '../flow-call.ts';
import { passedPort, portsOf } from '../port.ts';
import type { FlowDocument } from '../schema.ts';
import { checkLoops, leadsInside } from './loops.ts';
import { checkScopes, defaultPolicy, readsOfScopes, type ScopeReads } from './scopes.ts';

/** A flow whose nodes are known and whose edges lead somewhere. */
export interface Structure {
  /** As `typeOfStep` tells them. */
  readonly types: ReadonlyMap<string, NodeTypeInfo>;
  /** Node ids, every node after all that lead to it. */
  readonly order: readonly string[];
  /** Everything that runs before a node. */
  readonly upstream: ReadonlyMap<string, ReadonlySet<string>>;
  /** The part of `upstream` that has surely run when the node does. */
  readonly certain: ReadonlyMap<string, ReadonlySet<string>>;
  /** Steps whose failures have a way of their own. */
  readonly handled: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/** Resolves node types and checks triggers, ports, cycles and reachability. */
export function checkStructure(document: FlowDocument, catalog: CatalogInfo): Structure {
  const findings: Finding[] = [];
  const types = new Map<string, NodeTypeInfo>();
  for (const [nodeId, node] of Object.entries(document.nodes)) {
    const type = typeOfStep(catalog, node);
    if (type) types.set(nodeId, type);
    else
      findings.push({
        code: 'node_type_unknown',
        severity: 'error',
        nodeId,
        message: `There is no step type "${node.type}" in version ${node.version}.`,
        fix: 'Remove this step and add one from the list.',
      });
  }
  const triggers = [...types].filter(([, type]) => type.kind === 'trigger').map(([id]) => id);
  if (triggers.length === 0)
    findings.push({
      code: 'trigger_missing',
      severity: 'error',
      message: 'Nothing starts this flow.',
      fix: 'Add a trigger, for example "A record changes".',
    });

  const outgoing = checkEdges(document, types, findings);
  findings.push(...checkPassed(document, types), ...checkJoins(document));
  findings.push(...checkLoops(document, types), ...checkScopes(document, types));
  const scopes = readsOfScopes(document, types);
  const { order, cyclic } = sort(document, withInside(document, outgoing, scopes));
  for (const nodeId of cyclic)
    findings.push({
      code: 'cycle',
      severity: 'error',
      nodeId,
      message: `"${nameOf(document, nodeId)}" leads back to itself.`,
      fix: 'Remove one of the connections of the circle.',
    });
  const reached = reach(triggers, outgoing);
  for (const nodeId of types.keys()) {
    if (!reached.has(nodeId))
      findings.push({
        code: 'node_unreachable',
        severity: 'warning',
        nodeId,
        message: `Nothing leads to "${nameOf(document, nodeId)}", so it never runs.`,
        fix: 'Connect it, or remove it.',
      });
  }
  const { upstream, certain } = ancestors({ document, order, triggers, scopes });
  const handled = new Set(document.edges.filter(({ port }) => port === 'error').map(({ from }) => from));
  return { types, order, upstream, certain, handled, findings };
}

function checkEdges(
  document: FlowDocument,
  types: ReadonlyMap<string, NodeTypeInfo>,
  findings: Finding[],
): Map<string, string[]> {
  const outgoing = new Map<string, string[]>();
  const seen = new Set<string>();
  const ids = new Set<string>();
  for (const edge of document.edges) {
    if (ids.has(edge.id))
      findings.push({
        code: 'edge_id_duplicate',
        severity: 'error',
        ...(document.nodes[edge.from] ? { nodeId: edge.from } : {}),
        message: `Two connections have the id "${edge.id}".`,
        fix: 'Remove one of them and draw it again, or give it another id in the file.',
      });
    ids.add(edge.id);
    const source = document.nodes[edge.from];
    const target = document.nodes[edge.to];
    if (!source || !target) {
      findings.push({
        code: 'edge_dangling',
        severity: 'error',
        ...(source ? { nodeId: edge.from } : target ? { nodeId: edge.to } : {}),
        message: `A connection leads ${source ? 'to' : 'from'} a step that does not exist (${source ? edge.to : edge.from}).`,
        fix: 'Remove the connection.',
      });
      continue;
    }
    const key = `${edge.from}\n${edge.port}\n${edge.to}`;
    if (seen.has(key))
      findings.push({
        code: 'edge_duplicate',
        severity: 'error',
        nodeId: edge.from,
        message: `"${source.name}" is connected twice to "${target.name}".`,
        fix: 'Remove one of the two.',
      });
    seen.add(key);
    const sourceType = types.get(edge.from);
    // A person may send a step that waits for them along its way for errors, where one is drawn.
    const byHand =
      edge.port === 'error' &&
      sourceType?.kind !== 'trigger' &&
      (source.onError ?? defaultPolicy(document, types, edge.from)) === 'park';
    if (sourceType && !byHand && !portsOf(source, sourceType).some((port) => port.id === edge.port))
      findings.push({
        code: 'port_unknown',
        severity: 'error',
        nodeId: edge.from,
        message: `"${source.name}" has no way out named "${edge.port}".`,
        fix: 'Remove that connection and draw it from one of its ways out.',
      });
    if (types.get(edge.to)?.kind === 'trigger')
      findings.push({
        code: 'trigger_has_input',
        severity: 'error',
        nodeId: edge.to,
        message: `"${target.name}" is a trigger: nothing can lead to it.`,
        fix: 'Remove the connection.',
      });
    outgoing.set(edge.from, [...(outgoing.get(edge.from) ?? []), edge.to]);
  }
  return outgoing;
}

/** A step that waits for more ways than lead to it never runs. What nothing leads to is told so anyway. */
function checkJoins(document: FlowDocument): Finding[] {
  return Object.entries(document.nodes).flatMap(([nodeId, { name, join }]): Finding[] => {
    const ways = document.edges.filter(({ from, to }) => to === nodeId && document.nodes[from]).length;
    if (join?.mode !== 'count' || ways === 0 || join.count <= ways) return [];
    return [
      {
        code: 'join_unmet',
        severity: 'error',
        nodeId,
        message: `"${name}" waits for ${join.count} ways into it, and only ${ways === 1 ? 'one leads' : `${ways} lead`} there, so it never runs.`,
        fix: 'Connect more steps to it, or have it wait for fewer.',
      },
    ];
  });
}

/** What is switched off is passed by one of its ways: where that leads nowhere, what follows by others never runs. */
function checkPassed(document: FlowDocument, types: ReadonlyMap<string, NodeTypeInfo>): Finding[] {
  return [...types].flatMap(([nodeId, type]): Finding[] => {
    const node = document.nodes[nodeId];
    const ways = document.edges.filter((edge) => edge.from === nodeId && !leadsInside(document, edge));
    const passed = passedPort(type);
    if (!node?.disabled || type.kind === 'trigger' || ways.length === 0 || ways.some(({ port }) => port === passed))
      return [];
    const title = type.ports.find(({ id }) => id === passed)?.title ?? passed;
    return [
      {
        code: 'passed_undrawn',
        severity: 'warning',
        nodeId,
        message: `"${node.name}" is switched off, so the flow goes on by "${title}", and nothing is connected there.`,
        fix: 'Connect that way, or take the step out and connect what follows to what comes before.',
      },
    ];
  });
}

/** Kahn's order; what is left over lies on or behind a cycle. Ties are broken by id, so that the plan is canonical. */
function sort(
  document: FlowDocument,
  outgoing: ReadonlyMap<string, readonly string[]>,
): { order: string[]; cyclic: string[] } {
  const waiting = new Map(Object.keys(document.nodes).map((id) => [id, 0]));
  for (const targets of outgoing.values())
    for (const target of targets) waiting.set(target, (waiting.get(target) ?? 0) + 1);
  const ready = [...waiting]
    .filter(([, count]) => count === 0)
    .map(([id]) => id)
    .sort();
  const order: string[] = [];
  for (let nodeId = ready.shift(); nodeId !== undefined; nodeId = ready.shift()) {
    order.push(nodeId);
    for (const target of outgoing.get(nodeId) ?? []) {
      const left = (waiting.get(target) ?? 0) - 1;
      waiting.set(target, left);
      if (left === 0) {
        ready.push(target);
        ready.sort();
      }
    }
  }
  const sorted = new Set(order);
  return { order, cyclic: Object.keys(document.nodes).filter((id) => !sorted.has(id) && canReach(id, id, outgoing)) };
}

function canReach(from: string, to: string, outgoing: ReadonlyMap<string, readonly string[]>): boolean {
  return reach(outgoing.get(from) ?? [], outgoing).has(to);
}

function reach(from: readonly string[], outgoing: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set(from);
  const stack = [...from];
  for (let nodeId = stack.pop(); nodeId !== undefined; nodeId = stack.pop()) {
    for (const target of outgoing.get(nodeId) ?? []) {
      if (!reached.has(target)) {
        reached.add(target);
        stack.push(target);
      }
    }
  }
  return reached;
}

/** What follows a scope comes after the steps inside it, too. */
function withInside(
  document: FlowDocument,
  outgoing: ReadonlyMap<string, readonly string[]>,
  scopes: ReadonlyMap<string, ScopeReads>,
): ReadonlyMap<string, readonly string[]> {
  if (scopes.size === 0) return outgoing;
  const all = new Map([...outgoing].map(([id, targets]) => [id, [...targets]]));
  for (const edge of document.edges) {
    if (!document.nodes[edge.to] || leadsInside(document, edge)) continue;
    for (const inner of scopes.get(edge.from)?.seen ?? [])
      if (inner !== edge.to) all.set(inner, [...(all.get(inner) ?? []), edge.to]);
  }
  return all;
}

/** What may, and what must, have run before each node. With one trigger it is certain; with several, none is. */
function ancestors(given: {
  readonly document: FlowDocument;
  readonly order: readonly string[];
  readonly triggers: readonly string[];
  readonly scopes: ReadonlyMap<string, ScopeReads>;
}) {
  const { document, order, triggers, scopes } = given;
  const upstream = new Map<string, Set<string>>();
  const certain = new Map<string, Set<string>>();
  for (const nodeId of order) {
    const incoming = document.edges.filter((edge) => edge.to === nodeId && document.nodes[edge.from]);
    const sources = [...new Set(incoming.map((edge) => edge.from))];
    // A loop is around its steps, and has handed on nothing when they run.
    const around = new Set(incoming.filter((edge) => leadsInside(document, edge)).map((edge) => edge.from));
    const before = new Set<string>();
    for (const source of sources) {
      if (!around.has(source)) before.add(source);
      for (const ancestor of upstream.get(source) ?? []) before.add(ancestor);
      if (!around.has(source)) for (const inner of scopes.get(source)?.seen ?? []) before.add(inner);
    }
    upstream.set(nodeId, before);
    // Only by its first way out a scope says that its steps came through.
    const isDone = (source: string): boolean =>
      !document.nodes[source]?.disabled && incoming.every(({ from, port }) => from !== source || port === 'out');
    // A step that is switched off passes the way on, but leaves no values.
    const chains = sources.map(
      (source) =>
        new Set([
          ...(document.nodes[source]?.disabled || around.has(source) ? [] : [source]),
          ...(certain.get(source) ?? []),
          ...(isDone(source) ? (scopes.get(source)?.sure ?? []) : []),
        ]),
    );
    const all = document.nodes[nodeId]?.join?.mode === 'all';
    const [first = new Set<string>(), ...rest] = chains;
    certain.set(
      nodeId,
      all
        ? new Set(chains.flatMap((chain) => [...chain]))
        : new Set([...first].filter((id) => rest.every((chain) => chain.has(id)))),
    );
  }
  if (triggers.length > 1) for (const set of certain.values()) for (const trigger of triggers) set.delete(trigger);
  return { upstream, certain };
}

function nameOf(document: FlowDocument, nodeId: string): string {
  return document.nodes[nodeId]?.name ?? nodeId;
}
