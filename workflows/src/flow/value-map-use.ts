import { z } from 'zod';
import type { FlowDocument, FlowNode } from './schema.ts';

/** The one type of step that looks up in a value map. */
const LOOKUP = 'core.lookup';
const chosenSchema = z.object({ id: z.string().nullish(), name: z.string() });

/** A value map as a step has chosen it: by id within a company, by name in a file. */
export interface ChosenValueMap {
  readonly id: string | null;
  readonly name: string;
}

/** The value map that a step looks up in; undefined where it looks into a table of its own, or has not chosen. */
export function valueMapOf({ type, inputs }: Pick<FlowNode, 'type' | 'inputs'>): ChosenValueMap | undefined {
  const { source, map } = inputs;
  if (type !== LOOKUP || source?.kind !== 'literal' || source.value !== 'map' || map?.kind !== 'literal')
    return undefined;
  const chosen = chosenSchema.safeParse(map.value).data;
  return chosen && { id: chosen.id ?? null, name: chosen.name };
}

/** The document with other value maps in the place of those that its steps have chosen. */
export function withValueMaps(
  document: FlowDocument,
  other: (chosen: ChosenValueMap, nodeId: string) => ChosenValueMap,
): FlowDocument {
  const nodes = Object.entries(document.nodes).map(([id, node]): [string, FlowNode] => {
    const chosen = valueMapOf(node);
    if (!chosen) return [id, node];
    const { id: mapId, name } = other(chosen, id);
    const value: Record<string, string> = mapId === null ? { name } : { id: mapId, name };
    return [id, { ...node, inputs: { ...node.inputs, map: { kind: 'literal', value } } }];
  });
  return { ...document, nodes: Object.fromEntries(nodes) };
}
