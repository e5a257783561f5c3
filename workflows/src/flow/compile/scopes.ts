import type { NodeTypeInfo } from '../catalog.ts';
import type { Finding } from '../finding.ts';
import { LOOP_PORT } from '../regions.ts';
import type { FlowDocument, FlowNode } from '../schema.ts';
import { containersAround } from './loops.ts';

type Types = ReadonlyMap<string, NodeTypeInfo>;

export function isScope(type: NodeTypeInfo | undefined): boolean {
  return type?.control === 'scope';
}

/** What a scope promises and its steps do not keep: only warnings, for it does what it can. */
export function checkScopes(document: FlowDocument, types: Types): Finding[] {
  return Object.entries(document.nodes).flatMap(([nodeId, node]): Finding[] => {
    if (!isScope(types.get(nodeId)) || node.disabled) return [];
    const inside = stepsWithin(document, nodeId);
    return [...whatStays(types, inside, nodeId, node), ...whatIsNotDone(inside, node)];
  });
}

/** Steps that write and cannot take it back, in a scope that is to undo. */
function whatStays(types: Types, inside: readonly Inner[], nodeId: string, scope: FlowNode): Finding[] {
  const onFailure = scope.inputs['onFailure'];
  if (onFailure?.kind === 'literal' && onFailure.value === 'leave') return [];
  const kept = inside.filter(([id]) => {
    const type = types.get(id);
    return (type?.effect === 'create' || type?.effect === 'upsert') && type.undo === undefined;
  });
  if (kept.length === 0) return [];
  const names = kept.slice(0, 3).map(([, { name }]) => `"${name}"`);
  return [
    {
      code: 'undo_missing',
      severity: 'warning',
      nodeId,
      field: 'onFailure',
      message: `What ${names.join(', ')}${kept.length > 3 ? ` and ${kept.length - 3} more` : ''} in "${scope.name}" may write cannot be undone.`,
      fix: 'Put such steps last, or draw what makes up for them from "One failed".',
    },
  ];
}

/** In a scope a failure goes to the scope, whatever else its step would have it do to the run. */
function whatIsNotDone(inside: readonly Inner[], scope: FlowNode): Finding[] {
  return inside
    .filter(([, { onError }]) => onError === 'compensate')
    .map(([nodeId, { name }]) => ({
      code: 'undo_in_scope',
      severity: 'warning',
      nodeId,
      message: `"${name}" would undo the whole run, but in "${scope.name}" its failure goes to the scope.`,
      fix: `Have "${scope.name}" undo the run, or take the step out of it.`,
    }));
}

type Inner = readonly [string, FlowNode];

function stepsWithin(document: FlowDocument, scopeId: string): readonly Inner[] {
  const inside = new Set(descend(childrenBy(document), scopeId, () => true));
  return Object.entries(document.nodes).filter(([id, { disabled }]) => inside.has(id) && !disabled);
}

/** What becomes of a step's failure where it says nothing of it: inside a scope, or a loop that goes on after failed items, that is told instead of a person. */
export function defaultPolicy(document: FlowDocument, types: Pick<Types, 'get'>, nodeId: string): 'stop' | 'park' {
  const around = containersAround(document, nodeId);
  return around.some((id) => isScope(types.get(id))) || goesOnAfterFailures(document, around.at(-1)) ? 'stop' : 'park';
}

function goesOnAfterFailures(document: FlowDocument, loopId: string | undefined): boolean {
  const policy = loopId === undefined ? undefined : document.nodes[loopId]?.inputs['onItemError'];
  return policy?.kind === 'literal' && (policy.value === 'collect' || policy.value === 'skip');
}

/** What those after a scope may read of the steps inside. */
export interface ScopeReads {
  /** Not the turns of loops, which only loops hand on. */
  readonly seen: readonly string[];
  /** Those that have surely come through when all of it has: every way to them is the only one. */
  readonly sure: ReadonlySet<string>;
}

/** By scope. */
export function readsOfScopes(document: FlowDocument, types: Types): ReadonlyMap<string, ScopeReads> {
  const children = childrenBy(document);
  const scopes = Object.keys(document.nodes).filter((id) => isScope(types.get(id)));
  const known = new Map<string, ReadonlySet<string>>();
  const surely = (scopeId: string): ReadonlySet<string> => {
    const before = known.get(scopeId);
    if (before) return before;
    // A scope in itself is an error elsewhere.
    known.set(scopeId, new Set());
    const done = passed(document, types, scopeId, children.get(scopeId) ?? []);
    // A step that is switched off passes the way on, but leaves no values.
    const own = [...done].filter((id) => !document.nodes[id]?.disabled);
    const all = new Set(own.flatMap((id) => [id, ...(isScope(types.get(id)) ? surely(id) : [])]));
    known.set(scopeId, all);
    return all;
  };
  return new Map(
    scopes.map((id) => [id, { seen: descend(children, id, (inner) => isScope(types.get(inner))), sure: surely(id) }]),
  );
}

/** Of the steps that stand directly in a scope those that every way through it passes. */
function passed(document: FlowDocument, types: Types, scopeId: string, inside: readonly string[]): ReadonlySet<string> {
  const done = new Set<string>();
  const edges = document.edges.filter(({ to }) => document.nodes[to]?.parent === scopeId);
  // A failure that has a way of its own may have taken it.
  const forked = new Set(document.edges.filter(({ port }) => port === 'error').map(({ from }) => from));
  const isSure = ({ from, port }: (typeof edges)[number]): boolean =>
    (from === scopeId && port === LOOP_PORT) ||
    (done.has(from) &&
      port === 'out' &&
      !forked.has(from) &&
      document.nodes[from]?.onError !== 'port' &&
      waysOut(types.get(from)) === 1);
  for (let grew = true; grew;) {
    const size = done.size;
    for (const id of inside) {
      const incoming = edges.filter(({ to }) => to === id);
      const sure = incoming.filter(isSure).length;
      const any = (document.nodes[id]?.join?.mode ?? 'any') === 'any';
      if (sure > 0 && (any || sure === incoming.length)) done.add(id);
    }
    grew = done.size > size;
  }
  return done;
}

/** Ways on that a step may choose from; the one inside is none. */
function waysOut(type: NodeTypeInfo | undefined): number {
  if (isScope(type)) return 1;
  return type?.portsFrom === undefined ? (type?.ports.filter(({ id }) => id !== LOOP_PORT).length ?? 0) : 2;
}

function childrenBy(document: FlowDocument): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const [id, { parent }] of Object.entries(document.nodes))
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), id]);
  return children;
}

/** What stands in a container, and in those inside it that are to be looked into. Of a circle each once. */
function descend(
  children: ReadonlyMap<string, readonly string[]>,
  containerId: string,
  into: (nodeId: string) => boolean,
): readonly string[] {
  const found = new Set<string>();
  const stack = [containerId];
  for (let id = stack.pop(); id !== undefined; id = stack.pop())
    for (const child of children.get(id) ?? []) {
      if (found.has(child) || child === containerId) continue;
      found.add(child);
      if (into(child)) stack.push(child);
    }
  return [...found];
}
