import type { NodeTypeInfo } from '../catalog.ts';
import type { Finding } from '../finding.ts';
import { LOOP_PORT } from '../regions.ts';
import type { FlowDocument, FlowEdge } from '../schema.ts';

/** Loops may stand in loops so deep. */
export const LOOP_DEPTH = 3;

/** Loops and scopes together may stand in each other so deep. */
export const CONTAINER_DEPTH = 6;

export function isLoop(type: NodeTypeInfo | undefined): boolean {
  return type?.control === 'each' || type?.control === 'while';
}

/** Whether steps stand inside it: it is a loop or a scope. */
export function isContainer(type: NodeTypeInfo | undefined): boolean {
  return isLoop(type) || type?.control === 'scope';
}

/** Whether a loop or a scope would stand in too many others; `around` are the kinds of those. */
export function isTooDeep(type: NodeTypeInfo | undefined, around: readonly (NodeTypeInfo | undefined)[]): boolean {
  if (isLoop(type) && around.filter(isLoop).length >= LOOP_DEPTH) return true;
  return isContainer(type) && around.length >= CONTAINER_DEPTH;
}

/** Whether an edge leads from a container to the first step inside it. */
export function leadsInside(document: FlowDocument, edge: FlowEdge): boolean {
  return edge.port === LOOP_PORT && document.nodes[edge.to]?.parent === edge.from;
}

/** Loops and scopes around a node, outermost first. Of a circle, which is no drawing of any, each once. */
export function containersAround(document: FlowDocument, nodeId: string): readonly string[] {
  const chain = new Set<string>();
  let parent = document.nodes[nodeId]?.parent;
  while (parent !== undefined && !chain.has(parent)) {
    chain.add(parent);
    parent = document.nodes[parent]?.parent;
  }
  return [...chain].reverse();
}

/** Checks that loops and scopes hold whole steps: what stands inside begins and ends inside. */
export function checkLoops(document: FlowDocument, types: ReadonlyMap<string, NodeTypeInfo>): Finding[] {
  const findings: Finding[] = [];
  const error = (finding: Omit<Finding, 'severity'>): void => {
    findings.push({ severity: 'error', ...finding });
  };
  for (const [nodeId, node] of Object.entries(document.nodes)) {
    const type = types.get(nodeId);
    const word = isLoop(type) ? 'loop' : 'scope';
    const around = containersAround(document, nodeId);
    const kinds = around.map((id) => types.get(id));
    if (node.parent !== undefined) {
      if (!document.nodes[node.parent] || !isContainer(types.get(node.parent)))
        error({
          code: 'parent_unknown',
          nodeId,
          message: `"${node.name}" stands in a loop or a scope that does not exist (${node.parent}).`,
          fix: 'Take it out of there, or put that step back.',
        });
      if (type?.kind === 'trigger')
        error({
          code: 'trigger_in_loop',
          nodeId,
          message: `"${node.name}" is a trigger: it cannot stand in a loop or a scope.`,
          fix: 'Take it out of there.',
        });
      if (around.includes(nodeId))
        error({
          code: 'cycle',
          nodeId,
          message: `"${node.name}" stands inside itself.`,
          fix: `Take one ${word} out of the other.`,
        });
      else if (isTooDeep(type, kinds)) {
        const loops = isLoop(type) && kinds.filter(isLoop).length >= LOOP_DEPTH;
        error({
          code: 'loop_too_deep',
          nodeId,
          message: loops
            ? `"${node.name}" stands in ${kinds.filter(isLoop).length} loops; at most ${LOOP_DEPTH} may stand in each other.`
            : `"${node.name}" stands in ${around.length} loops and scopes; at most ${CONTAINER_DEPTH} may stand in each other.`,
          fix: 'Move the inner steps into a flow of their own and call it.',
        });
      }
    }
    if ((type?.control === 'next' || type?.control === 'break') && !kinds.some(isLoop) && !around.includes(nodeId))
      error({
        code: 'loop_missing',
        nodeId,
        message: `"${node.name}" ends a turn of a loop, and stands in none.`,
        fix: 'Move it into a loop, or remove it.',
      });
    if (
      isContainer(type) &&
      !node.disabled &&
      !document.edges.some((edge) => edge.from === nodeId && leadsInside(document, edge))
    )
      error({
        code: 'loop_empty',
        nodeId,
        message: `Nothing stands inside "${node.name}".`,
        fix: `Add a step inside it, or remove the ${word}.`,
      });
  }
  for (const edge of document.edges) {
    const [from, to] = [document.nodes[edge.from], document.nodes[edge.to]];
    if (!from || !to || leadsInside(document, edge)) continue;
    const enters = isContainer(types.get(edge.from)) && edge.port === LOOP_PORT;
    if (enters || from.parent !== to.parent)
      error({
        code: 'edge_crosses_loop',
        nodeId: edge.from,
        message: enters
          ? `"${from.name}" leads inside to "${to.name}", which does not stand in it.`
          : `The connection from "${from.name}" to "${to.name}" crosses the border of a loop or a scope.`,
        fix: 'Move one of them, or connect the loop or the scope itself.',
      });
  }
  return findings;
}
