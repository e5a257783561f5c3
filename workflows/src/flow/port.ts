import type { NodeTypeInfo } from './catalog.ts';
import type { FlowNode } from './schema.ts';

/** A way out of a node. */
export interface Port {
  readonly id: string;
  readonly title: string;
}

/** The ports a node offers: those of its type, those its literal configuration adds, and `error` when it continues on errors. */
export function portsOf(node: FlowNode, type: NodeTypeInfo): readonly Port[] {
  const ports: Port[] = [];
  const listed = type.portsFrom === undefined ? undefined : node.inputs[type.portsFrom];
  if (listed?.kind === 'literal' && Array.isArray(listed.value)) {
    for (const item of listed.value) {
      if (isCase(item)) ports.push({ id: item.id, title: item.title });
    }
  }
  ports.push(...type.ports);
  if (node.onError === 'port' && !ports.some(({ id }) => id === 'error'))
    ports.push({ id: 'error', title: 'On error' });
  return ports;
}

/**
 * The way on past a step that is switched off: the first one that its type has of itself, such as "If true" of a condition, "Approved" of a question and
 * "Everything else" of a choice.
 */
export function passedPort({ ports }: Pick<NodeTypeInfo, 'ports'>): string {
  return ports[0]?.id ?? 'out';
}

function isCase(item: unknown): item is Port {
  return (
    typeof item === 'object' &&
    item !== null &&
    typeof (item as Port).id === 'string' &&
    typeof (item as Port).title === 'string'
  );
}
