import type { PlanGraph, PlanNode } from './plan.ts';

/** Port by which a loop leads to its first step. */
export const LOOP_PORT = 'each';

/** A plan's graph cut along its loops. */
export interface Regions {
  /** What stands at top level. */
  readonly top: PlanGraph;
  /** What stands in a loop, with the edges that lead there from the loop itself. */
  inside(loopId: string): PlanGraph;
  /** Loops around a node, outermost first. */
  loopsAround(nodeId: string): readonly string[];
  /** Nodes at any depth inside a loop. */
  within(loopId: string): readonly string[];
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
  const loops = new Map(
    [...new Set(graph.nodes.map(({ parent }) => parent))]
      .filter((parent) => parent !== undefined)
      .map((parent) => [parent, region(parent)]),
  );
  const around = new Map<string, readonly string[]>();
  const loopsAround = (id: string): readonly string[] => {
    const done = around.get(id);
    if (done) return done;
    const parent = parentOf(id);
    const chain = parent === undefined ? [] : [...loopsAround(parent), parent];
    around.set(id, chain);
    return chain;
  };
  const regions: Regions = {
    // Without loops there is nothing to cut.
    top: loops.size === 0 ? graph : region(undefined),
    inside: (loopId) => loops.get(loopId) ?? { nodes: [], edges: [] },
    loopsAround,
    within: (loopId) => graph.nodes.filter(({ id }) => loopsAround(id).includes(loopId)).map(({ id }) => id),
    node: (id) => nodes.get(id),
  };
  known.set(graph, regions);
  return regions;
}
