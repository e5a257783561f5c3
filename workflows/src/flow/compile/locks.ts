import type { Finding } from '../finding.ts';
import type { FlowDocument } from '../schema.ts';
import { LOCK } from '../special-types.ts';
import { containersAround } from './loops.ts';
import type { Structure } from './structure.ts';

const UNLOCK = 'core.unlock';

/**
 * A run that takes a name it holds already waits for itself, for ever: a second time in a line, or in the second round of a loop. Names that are computed
 * are not known here.
 */
export function checkLock(
  document: FlowDocument,
  structure: Pick<Structure, 'certain' | 'upstream' | 'types'>,
  nodeId: string,
): Finding[] {
  const { certain, upstream } = structure;
  const node = document.nodes[nodeId];
  const name = nameOf(document, nodeId);
  if (node?.type !== LOCK || node.disabled || name === undefined || permitsOf(document, nodeId) !== 1) return [];
  const isOf = (id: string, type: string): boolean =>
    document.nodes[id]?.type === type && !document.nodes[id].disabled && nameOf(document, id) === name;
  const taken = [...(certain.get(nodeId) ?? [])].find((id) => isOf(id, LOCK));
  if (taken === undefined) return checkRounds(document, structure, nodeId, name);
  // Also one in a branch beside it, or in a loop before it, lets go in time.
  const letsGo = (id: string): boolean =>
    isOf(id, UNLOCK) && upstream.get(id)?.has(taken) === true && upstream.get(id)?.has(nodeId) !== true;
  if (Object.keys(document.nodes).some(letsGo)) return [];
  return [
    {
      code: 'lock_waits_for_itself',
      severity: 'error',
      nodeId,
      field: 'name',
      message: `"${node.name}" waits until nobody is alone under "${name}", and "${document.nodes[taken]?.name}" before it is: the run would wait for itself.`,
      fix: 'Put "Let others in" between the two, remove one of them, or give it another name.',
    },
  ];
}

/** Who takes a name in a loop in which nobody lets go of it still has it when the next round asks. A loop of one round ends well, so this stops nobody. */
function checkRounds(
  document: FlowDocument,
  { types }: Pick<Structure, 'types'>,
  nodeId: string,
  name: string,
): Finding[] {
  const controlOf = (id: string) => types.get(id)?.control;
  const loop = containersAround(document, nodeId).findLast(
    (id) => controlOf(id) === 'each' || controlOf(id) === 'while',
  );
  if (loop === undefined) return [];
  const inside = Object.keys(document.nodes).filter(
    (id) => !document.nodes[id]?.disabled && containersAround(document, id).includes(loop),
  );
  const letsGo = (id: string): boolean =>
    document.nodes[id]?.type === UNLOCK && [name, undefined].includes(nameOf(document, id));
  if (inside.some((id) => letsGo(id) || controlOf(id) === 'break')) return [];
  return [
    {
      code: 'lock_waits_for_itself',
      severity: 'warning',
      nodeId,
      field: 'name',
      message: `"${document.nodes[nodeId]?.name}" waits until nobody is alone under "${name}", and in the second round of "${document.nodes[loop]?.name}" the run itself is.`,
      fix: 'Put "Let others in" behind it, inside the loop, or this step before the loop.',
    },
  ];
}

function nameOf(document: FlowDocument, nodeId: string): string | undefined {
  const mapping = document.nodes[nodeId]?.inputs['name'];
  return mapping?.kind === 'literal' && typeof mapping.value === 'string' ? mapping.value : undefined;
}

function permitsOf(document: FlowDocument, nodeId: string): number {
  const mapping = document.nodes[nodeId]?.inputs['permits'];
  return mapping === undefined ? 1 : mapping.kind === 'literal' ? Number(mapping.value) : NaN;
}
