import type { Plan } from './plan.ts';

/** How a drawing is tried out. What is pinned is not carried out; what would write to a live account is made up. */
export interface TestRun {
  /** The drawing, for showing the run. */
  readonly document: unknown;
  readonly pins: Readonly<Record<string, { readonly port: string; readonly output: unknown }>>;
  /** The step that is tried alone, if it is one. */
  readonly only?: string;
  /** Turns of the loops around that step, outermost first. */
  readonly turns?: readonly {
    readonly loopId: string;
    readonly index: number;
    readonly item?: unknown;
    readonly value?: unknown;
  }[];
}

/** A plan of one step right behind a trigger. What it reads of others is given to the run as recorded. */
export function planOfOne(plan: Plan, triggerNodeId: string, nodeId: string): Plan {
  const nodes = plan.graph.nodes
    .filter(({ id }) => id === triggerNodeId || id === nodeId)
    .map(({ parent: _, ...node }) => ({ ...node, join: { mode: 'any' as const } }));
  return {
    ...plan,
    graph: { nodes, edges: [{ from: triggerNodeId, port: 'out', to: nodeId }] },
    steps: Object.fromEntries(Object.entries(plan.steps).filter(([id]) => id === triggerNodeId || id === nodeId)),
  };
}
