import type { PlanEdge, PlanGraph, PlanNode } from './plan.ts';
import type { Join } from './schema.ts';

/** How far a node came: it left by a port, ended its region, or waits, and what follows it waits too. */
export type NodeEnd =
  /** `at` is when it left, in milliseconds: a join with a time limit counts from its first arrival. @default 0 */
  { readonly kind: 'port'; readonly port: string; readonly at?: number } | Leave | { readonly kind: 'pause' };

/** The end of a whole region: of the run, or of one turn of a loop. */
export type Leave =
  | { readonly kind: 'leave'; readonly how: 'failed' }
  /** Only inside a loop: on with the next item, or out of the loop. `value` is what this turn hands on. */
  | { readonly kind: 'leave'; readonly how: 'next' | 'break'; readonly value: unknown };

export interface Interpretation {
  /** Nodes that no taken edge led to. */
  readonly skipped: readonly string[];
  /** How it was ended before its end; the first one counts. */
  readonly left: Leave | undefined;
  /** Whether some node waits, so that this is not the end. */
  readonly paused: boolean;
  /** When a join goes on with what has arrived, in milliseconds; only when something is waited for. */
  readonly wakeAt: number | undefined;
}

export interface Region {
  readonly graph: PlanGraph;
  /** What has happened already, by which port it is left, and when, in milliseconds. @default 0 */
  readonly entry: { readonly nodeId: string; readonly port: string; readonly at?: number };
  readonly execute: (node: PlanNode) => Promise<NodeEnd>;
  /** Whether a node has begun before: a join that went on without the rest then does so again. @default none has */
  readonly hasBegun?: (nodeId: string) => boolean;
  /** By which port a node that is switched off is passed. @default out */
  readonly passedBy?: (node: PlanNode) => string;
  /** Milliseconds. @default 0 */
  readonly now?: number;
}

/**
 * Runs a region of a plan by dead-path elimination: every edge settles as taken or dead, a node starts when all its incoming edges have settled and
 * enough of them were taken, and a node that cannot start passes death on. So no join ever waits for a branch that was not chosen. One that says how many
 * it needs starts with the last of those, and the rest, which goes on by itself, changes nothing for it any more.
 * Pure but for `execute`, the only thing it awaits: called again with the same ends it takes the same way, so a run is carried on by
 * interpreting it anew from what the ledger knows.
 * @throws what `execute` throws first.
 */
export async function interpret({
  graph,
  entry,
  execute,
  hasBegun = () => false,
  passedBy = () => 'out',
  now = 0,
}: Region): Promise<Interpretation> {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const incoming = group(graph.edges, (edge) => edge.to);
  const outgoing = group(graph.edges, (edge) => edge.from);
  const taken = new Map<string, number>();
  const settled = new Map<string, number>();
  /** When the first taken edge came to a join that has a time limit. */
  const since = new Map<string, number>();
  const gone = new Set<string>();
  const skipped: string[] = [];
  const running = new Set<Promise<void>>();
  let left: Leave | undefined;
  let broken: { readonly error: unknown } | undefined;
  let paused = false;

  const settle = (nodeId: string, port: string | null, at: number): void => {
    for (const edge of outgoing.get(nodeId) ?? []) {
      settled.set(edge.to, (settled.get(edge.to) ?? 0) + 1);
      if (edge.port === port) {
        taken.set(edge.to, (taken.get(edge.to) ?? 0) + 1);
        if (nodes.get(edge.to)?.join.timeoutSeconds !== undefined)
          since.set(edge.to, Math.min(since.get(edge.to) ?? Infinity, at));
      }
      const arrivals = incoming.get(edge.to) ?? [];
      const join = nodes.get(edge.to)?.join;
      const isEnough = join?.mode === 'count' && (taken.get(edge.to) ?? 0) >= join.count;
      if (isEnough || settled.get(edge.to) === arrivals.length) arrive(edge.to, arrivals.length, at);
    }
  };

  const arrive = (nodeId: string, edges: number, at: number): void => {
    const node = nodes.get(nodeId);
    if (!node || gone.has(nodeId)) return;
    if (isMet(node.join, taken.get(nodeId) ?? 0, edges) || hasBegun(nodeId)) begin(node, at);
    else {
      gone.add(nodeId);
      skipped.push(nodeId);
      settle(nodeId, null, at);
    }
  };

  const begin = (node: PlanNode, at: number): void => {
    gone.add(node.id);
    if (node.disabled) {
      settle(node.id, passedBy(node), at);
      return;
    }
    const task: Promise<void> = execute(node)
      .then((end) => {
        if (end.kind === 'leave') left ??= end;
        else if (end.kind === 'pause') paused = true;
        else if (!left && !broken) settle(node.id, end.port, end.at ?? 0);
      })
      .catch((error: unknown) => {
        broken ??= { error };
      })
      .finally(() => running.delete(task));
    running.add(task);
  };

  /** Joins whose time is up go on with what has arrived. Says when the next one's is, and whether any went on. */
  const expire = (): { readonly next: number; readonly any: boolean } => {
    let next = Infinity;
    let any = false;
    for (const [nodeId, from] of since) {
      const node = nodes.get(nodeId);
      if (!node || gone.has(nodeId)) continue;
      const due = from + (node.join.timeoutSeconds ?? 0) * 1_000;
      if (due > now && !hasBegun(nodeId)) next = Math.min(next, due);
      else {
        any = true;
        begin(node, due);
      }
    }
    return { next, any };
  };

  // What nothing leads to settles at once, or a join behind it would wait for ever.
  for (const node of graph.nodes) {
    if (node.id === entry.nodeId || (node.kind !== 'trigger' && incoming.has(node.id))) continue;
    gone.add(node.id);
    if (node.kind !== 'trigger') skipped.push(node.id);
    settle(node.id, null, entry.at ?? 0);
  }
  settle(entry.nodeId, entry.port, entry.at ?? 0);
  for (;;) {
    while (running.size > 0) await Promise.race(running);
    // Thrown once all that had begun has come to rest: nothing goes on behind the back of whoever tries again.
    if (broken) throw broken.error;
    const { next, any } = left ? { next: Infinity, any: false } : expire();
    if (!any) return { skipped, left, paused, wakeAt: paused && next < Infinity ? next : undefined };
  }
}

function isMet(join: Join, taken: number, edges: number): boolean {
  if (join.mode === 'all') return taken === edges;
  if (join.mode === 'count') return taken >= join.count;
  return taken > 0;
}

function group(edges: readonly PlanEdge[], key: (edge: PlanEdge) => string): Map<string, PlanEdge[]> {
  const groups = new Map<string, PlanEdge[]>();
  for (const edge of edges) groups.set(key(edge), [...(groups.get(key(edge)) ?? []), edge]);
  return groups;
}
