import type { Join, RetryPolicy } from './schema.ts';

/** A mapping ready to run. `reads` are the steps whose outputs it needs, so that nothing else is loaded. */
export type PlanMapping =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'expression'; readonly source: string; readonly reads: readonly string[] };

/** What the step activity needs to carry out one node. */
export interface PlanStep {
  readonly type: string;
  readonly version: number;
  readonly name: string;
  /** Connection id, resolved from its slot at publish. */
  readonly connectionId?: string;
  readonly inputs: Readonly<Record<string, PlanMapping>>;
}

/** What the interpreter needs to know of one node: no vendor, no mapping. */
export interface PlanNode {
  readonly id: string;
  readonly kind: 'trigger' | 'action' | 'logic';
  readonly join: Join;
  readonly retry: RetryPolicy;
  readonly onError: 'park' | 'port' | 'stop' | 'compensate';
  /** Skipped without being run: passes its input edge on as if it had succeeded, by the first port of its type. */
  readonly disabled: boolean;
  /** Loop or scope that it stands in; absent at top level. */
  readonly parent?: string;
  /** It is a loop, or ends a turn of one; or it is a scope. */
  readonly control?: 'each' | 'while' | 'next' | 'break' | 'scope';
}

export interface PlanEdge {
  readonly from: string;
  readonly port: string;
  readonly to: string;
}

/** The part of a plan that travels to the interpreter. */
export interface PlanGraph {
  readonly nodes: readonly PlanNode[];
  readonly edges: readonly PlanEdge[];
}

/** What a published flow runs as. Its hash is the SHA-256 of its canonical JSON. */
export interface Plan {
  readonly format: 1;
  /** Expression engine the mappings were checked against; results may differ under another. */
  readonly engine: 'jsonata@2.2.2';
  readonly graph: PlanGraph;
  readonly steps: Readonly<Record<string, PlanStep>>;
  readonly params: Readonly<Record<string, unknown>>;
}
