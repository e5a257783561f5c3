import type { Finding } from '../finding.ts';
import type { FlowDocument } from '../schema.ts';
import { LOCK } from '../special-types.ts';
import type { Structure } from './structure.ts';

const UNLOCK = 'core.unlock';

/** A run that takes a name it surely holds already waits for itself, for ever. Names that are computed are not known here. */
export function checkLock(
  document: FlowDocument,
  { certain, upstream }: Pick<Structure, 'certain' | 'upstream'>,
  nodeId: string,
): Finding[] {
  const node = document.nodes[nodeId];
  const name = nameOf(document, nodeId);
  if (node?.type !== LOCK || name === undefined || permitsOf(document, nodeId) !== 1) return [];
  const isOf = (id: string, type: string): boolean =>
    document.nodes[id]?.type === type && !document.nodes[id].disabled && nameOf(document, id) === name;
  const taken = [...(certain.get(nodeId) ?? [])].find((id) => isOf(id, LOCK));
  if (taken === undefined || node.disabled) return [];
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

function nameOf(document: FlowDocument, nodeId: string): string | undefined {
  const mapping = document.nodes[nodeId]?.inputs['name'];
  return mapping?.kind === 'literal' && typeof mapping.value === 'string' ? mapping.value : undefined;
}

function permitsOf(document: FlowDocument, nodeId: string): number {
  const mapping = document.nodes[nodeId]?.inputs['permits'];
  return mapping === undefined ? 1 : mapping.kind === 'literal' ? Number(mapping.value) : NaN;
}
