import { z } from 'zod';
import { findNodeType, type CatalogInfo, type FlowInfo, type FlowInterface, type NodeTypeInfo } from './catalog.ts';
import { limits, type FlowDocument, type FlowNode } from './schema.ts';

/** The one type of step that calls a flow. */
const CALL = 'core.call-flow';
/** The trigger of flows that other flows call. */
export const CALLED_TRIGGER = 'core.flow-input';
/** The step that hands values back to the caller. */
export const RETURN_STEP = 'core.return';

type Step = Pick<FlowNode, 'type' | 'version' | 'inputs'>;

/** A flow as a step calls it. */
export interface FlowCall {
  readonly flowId: string;
  /** `published`: whichever is when it is called. `computed`: known to nobody before. */
  readonly version: number | 'published' | 'computed';
}

/** Which flow a step calls; undefined where it calls none, has not chosen, or computes which. */
export function flowCallOf({ type, inputs }: Pick<Step, 'type' | 'inputs'>): FlowCall | undefined {
  const { flow, version } = inputs;
  if (type !== CALL || flow?.kind !== 'literal' || typeof flow.value !== 'string' || flow.value === '')
    return undefined;
  if (version?.kind === 'expression' && version.source.trim() !== '')
    return { flowId: flow.value, version: 'computed' };
  const pinned = version?.kind === 'literal' && typeof version.value === 'number' ? version.value : 'published';
  return { flowId: flow.value, version: pinned };
}

/** Ids of all flows that a drawing calls. */
export function flowsCalledBy({ nodes }: FlowDocument): readonly string[] {
  return [...new Set(Object.values(nodes).flatMap((node) => flowCallOf(node)?.flowId ?? []))];
}

const namedSchema = z.strictObject({ name: z.string().min(1).max(limits.nameLength) });

/** What a step names as the flow that it calls: an id within a company, a name in a file. */
export type CalledFlow = { readonly id: string } | { readonly name: string };

/** The document with its calls made to other flows; a call that gets none has to be chosen anew. */
export function withCalledFlows(
  document: FlowDocument,
  other: (called: CalledFlow, nodeId: string) => CalledFlow | undefined,
): FlowDocument {
  const nodes = Object.entries(document.nodes).map(([id, node]): [string, FlowNode] => {
    const called = calledFlowOf(node);
    if (!called) return [id, node];
    const { flow: _, ...inputs } = node.inputs;
    const found = other(called, id);
    if (!found) return [id, { ...node, inputs }];
    return [id, { ...node, inputs: { ...inputs, flow: { kind: 'literal', value: 'id' in found ? found.id : found } } }];
  });
  return { ...document, nodes: Object.fromEntries(nodes) };
}

/** As a step names it; undefined where it calls none, has not chosen, or computes which. */
export function calledFlowOf({ type, inputs: { flow } }: Pick<Step, 'type' | 'inputs'>): CalledFlow | undefined {
  if (type !== CALL || flow?.kind !== 'literal') return undefined;
  if (typeof flow.value === 'string') return flow.value === '' ? undefined : { id: flow.value };
  return namedSchema.safeParse(flow.value).data;
}

/** What becomes of a call, as far as it can be told before it is made. */
export type CallTarget =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'version_missing' | 'not_published'; readonly flow: FlowInfo }
  | { readonly kind: 'known'; readonly flow: FlowInfo; readonly interface: FlowInterface };

/** Finds the flow that a step calls, in the version that it would call now. */
export function callTarget({ flows, flowId: own }: CatalogInfo, node: Pick<Step, 'type' | 'inputs'>): CallTarget {
  const call = flowCallOf(node);
  // A flow that calls itself changes along with its call.
  if (!call || !flows || (call.flowId === own && call.version === 'published')) return { kind: 'unknown' };
  const flow = flows.find(({ id }) => id === call.flowId);
  if (!flow) return { kind: 'missing' };
  if (call.version === 'computed') return { kind: 'unknown' };
  const version = call.version === 'published' ? flow.publishedVersion : call.version;
  if (version === null) return { kind: 'not_published', flow };
  if (version > flow.latestVersion) return { kind: 'version_missing', flow };
  const known = interfaceOf(flow, version);
  return known ? { kind: 'known', flow, interface: known } : { kind: 'unknown' };
}

/** What a version of a flow takes and hands back; undefined where nobody has asked for it. */
export function interfaceOf({ interfaces }: FlowInfo, version: number): FlowInterface | undefined {
  return interfaces.findLast(({ since }) => since <= version)?.interface;
}

/** The type of a step as it stands in a drawing: that of a call gives what the called flow hands back, where that is known. */
export function typeOfStep(catalog: CatalogInfo, node: Step): NodeTypeInfo | undefined {
  const type = findNodeType(catalog, node.type, node.version);
  const target = callTarget(catalog, node);
  if (!type || target.kind !== 'known' || target.interface.kind !== 'callable') return type;
  const properties = { ...type.output.properties, result: target.interface.result };
  return { ...type, output: { ...type.output, properties } };
}
