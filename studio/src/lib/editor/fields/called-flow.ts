import {
  callTarget,
  interfaceOf,
  type CatalogInfo,
  type FlowInfo,
  type FlowInterface,
  type FlowNode,
} from '@plumbline/workflows/flow';
import { quoteName } from './path.ts';

type Callable = Extract<FlowInterface, { kind: 'callable' }>;

/** The flows that may be called, or may be once they are published; never the one that is drawn. */
export function callableFlows({ flows = [], flowId }: CatalogInfo): readonly FlowInfo[] {
  return flows.filter((flow) => flow.id !== flowId && currentOf(flow)?.kind === 'callable');
}

/** What the flow takes and hands back that a step calls; what its drawing will, while it has no version. */
export function calledInterface(catalog: CatalogInfo, node: Pick<FlowNode, 'type' | 'inputs'>): Callable | undefined {
  const target = callTarget(catalog, node);
  const found =
    target.kind === 'known' ? target.interface : target.kind === 'not_published' ? target.flow.draft : undefined;
  return found?.kind === 'callable' ? found : undefined;
}

/** Paths of what a called flow hands back, each with whether it may be missing. */
export function resultPaths(
  nodeId: string,
  { result }: Callable,
): readonly { readonly path: string; readonly sure: boolean }[] {
  return Object.keys(result.properties ?? {}).map((name) => ({
    path: `steps.${nodeId}.result.${quoteName(name)}`,
    sure: result.required?.includes(name) ?? false,
  }));
}

function currentOf(flow: FlowInfo): FlowInterface | undefined {
  return flow.publishedVersion === null ? flow.draft : interfaceOf(flow, flow.publishedVersion);
}
