import type { NodeTypeInfo } from './catalog.ts';
import type { PlanMapping } from './plan.ts';
import { LOOP_PORT } from './regions.ts';
import type { FlowNode, Mapping } from './schema.ts';

/** A way out of a node. */
export interface Port {
  readonly id: string;
  readonly title: string;
}

/** What its ports depend on, of a node as it is drawn or of a step as it is planned. */
type Configured = Pick<FlowNode, 'onError'> & {
  readonly inputs: Readonly<Record<string, Mapping | PlanMapping>>;
};

/**
 * The ports a node offers: those of its type, those its literal configuration adds, in the order in which the node itself tells them, and `error` when it
 * continues on errors. The first is the one it leaves by when nothing says which.
 */
export function portsOf(node: Configured, type: NodeTypeInfo): readonly Port[] {
  const listed = type.portsFrom === undefined ? undefined : node.inputs[type.portsFrom];
  const cases: readonly unknown[] = listed?.kind === 'literal' && Array.isArray(listed.value) ? listed.value : [];
  const ports: Port[] = [...type.ports];
  ports.splice(type.listedAt ?? 0, 0, ...cases.filter(isCase).map(({ id, title }) => ({ id, title })));
  if (node.onError === 'port' && !ports.some(({ id }) => id === 'error'))
    ports.push({ id: 'error', title: 'On error' });
  return ports;
}

/**
 * The ways on from a step whose answer somebody gives in its place, first the one it goes when none of them is chosen. The way inside a loop or a scope is
 * none of them; nor is the way for errors, which is a decision of its own.
 */
export function waysPast({ inputs }: Pick<Configured, 'inputs'>, type: NodeTypeInfo): readonly Port[] {
  return portsOf({ inputs }, type).filter(
    ({ id }) => id !== 'error' && !(type.control !== undefined && id === LOOP_PORT),
  );
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
