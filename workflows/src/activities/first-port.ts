import type { NodeType } from '@plumbline/nodes';
import { literalsOf } from '../flow/literals.ts';
import type { PlanStep } from '../flow/plan.ts';

/** The way out that a step without a result takes. */
export function firstPort(type: NodeType | undefined, step: Pick<PlanStep, 'inputs'> | undefined): string {
  if (!type || !step) return 'out';
  const ports = typeof type.ports === 'function' ? type.ports(literalsOf(step.inputs)) : type.ports;
  return ports[0]?.id ?? 'out';
}
