import type { PlanGraph, PlanNode } from './plan.ts';

/** Port by which a loop or a scope leads to its first step. */
export const LOOP_PORT = 'each';

/** A plan's graph cut along its containers: loops, and scopes. */
export interface Regions {
  /** What stands at top level. */
  readonly top: PlanGraph;
  /** What stands in a container, with the edges that lead there from the container itself. */
  inside(containerId: string): PlanGraph;
  /** Containers around a node, outermost first. */
  around(nodeId: string): readonly string[];
  /** Nodes at any depth inside a container. */
  within(containerId: string): readonly string[];
  readonly isScope: (nodeId: string) => boolean;
  readonly node: (nodeId: string) => PlanNode | undefined;
}

const known = new WeakMap<PlanGraph, Regions>();

/** The regions of a graph; worked out once, for plans never change. */
export function regionsOf(graph: PlanGraph): Regions {
  const found = known.get(graph);
  if (found) return found;
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const parentOf = (id: string): string | undefined => nodes.get(id)?.parent;
  const region = (parent: string | undefined): PlanGraph => ({
    nodes: graph.nodes.filter((node) => node.parent === parent),
    edges: graph.edges.filter((edge) => parentOf(edge.to) === parent),
  });
  const containers = new Map(
    [...new Set(graph.nodes.map(({ parent }) => parent))]
      .filter((parent) => parent !== undefined)
      .map((parent) => [parent, region(parent)]),
  );
  const chains = new Map<string, readonly string[]>();
  const around = (id: string): readonly string[] => {
    const done = chains.get(id);
    if (done) return done;
    const parent = parentOf(id);
    const chain = parent === undefined ? [] : [...around(parent), parent];
    chains.set(id, chain);
    return chain;
  };
  const regions: Regions = {
    // Without containers there is nothing to cut.
    top: containers.size === 0 ? graph : region(undefined),
    inside: (containerId) => containers.get(containerId) ?? { nodes: [], edges: [] },
    around,
    within: (containerId) => graph.nodes.filter(({ id }) => around(id).includes(containerId)).map(({ id }) => id),
    isScope: (id) => nodes.get(id)?.control === 'scope',
    node: (id) => nodes.get(id),
  };
  known.set(graph, regions);
  return regions;
}
