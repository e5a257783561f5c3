import type { PlanEdge, PlanGraph, PlanNode } from './plan.ts';
import type { Join } from './schema.ts';

/** How far a node came: it left by a port, stopped the run, or waits, and what follows it waits too. */
export type NodeEnd =
  { readonly kind: 'port'; readonly port: string } | { readonly kind: 'stop' } | { readonly kind: 'pause' };

export interface Interpretation {
  /** Nodes that no taken edge led to. */
  readonly skipped: readonly string[];
  readonly stopped: boolean;
  /** Whether some node waits, so that this is not the end. */
  readonly paused: boolean;
}

/**
 * Runs a plan's graph by dead-path elimination: every edge settles as taken or dead, a node starts when all its incoming edges have
 * settled and enough of them were taken, and a node that cannot start passes death on. So no join ever waits for a branch that was not chosen.
 * Pure but for `execute`, the only thing it awaits: called again with the same ends it takes the same way, so a run is carried on by
 * interpreting it anew from what the ledger knows.
 */
export async function interpret(
  graph: PlanGraph,
  triggerId: string,
  execute: (node: PlanNode) => Promise<NodeEnd>,
): Promise<Interpretation> {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const incoming = group(graph.edges, (edge) => edge.to);
  const outgoing = group(graph.edges, (edge) => edge.from);
  const taken = new Map<string, number>();
  const settled = new Map<string, number>();
  const skipped: string[] = [];
  const running = new Set<Promise<void>>();
  let stopped = false;
  let paused = false;

  const settle = (nodeId: string, port: string | null): void => {
    for (const edge of outgoing.get(nodeId) ?? []) {
      settled.set(edge.to, (settled.get(edge.to) ?? 0) + 1);
      if (edge.port === port) taken.set(edge.to, (taken.get(edge.to) ?? 0) + 1);
      const arrivals = incoming.get(edge.to) ?? [];
      if (settled.get(edge.to) === arrivals.length) arrive(edge.to, arrivals.length);
    }
  };

  const arrive = (nodeId: string, edges: number): void => {
    const node = nodes.get(nodeId);
    if (!node) return;
    if (!isMet(node.join, taken.get(nodeId) ?? 0, edges)) {
      skipped.push(nodeId);
      settle(nodeId, null);
    } else if (node.disabled) settle(nodeId, 'out');
    else start(node);
  };

  const start = (node: PlanNode): void => {
    const task: Promise<void> = execute(node).then((end) => {
      running.delete(task);
      if (end.kind === 'stop') stopped = true;
      else if (end.kind === 'pause') paused = true;
      else if (!stopped) settle(node.id, end.port);
    });
    running.add(task);
  };

  // What nothing leads to settles at once, or a join behind it would wait for ever.
  for (const node of graph.nodes) {
    if (node.id === triggerId || (node.kind !== 'trigger' && incoming.has(node.id))) continue;
    if (node.kind !== 'trigger') skipped.push(node.id);
    settle(node.id, null);
  }
  settle(triggerId, 'out');
  while (running.size > 0) await Promise.race(running);
  return { skipped, stopped, paused };
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
