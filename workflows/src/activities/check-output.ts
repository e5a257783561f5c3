import type { NodeResult, NodeType } from '@plumbline/nodes';
import type { PlanStep } from '../flow/plan.ts';
import { StepError } from './classify.ts';

/**
 * What a step gave, as its type describes it.
 * @throws StepError when it is of another shape
 */
export function checkOutput(type: NodeType, step: PlanStep, result: NodeResult): unknown {
  const parsed = type.output.safeParse(result.output);
  if (parsed.success) return parsed.data;
  throw new StepError({
    kind: 'contract',
    code: 'output_invalid',
    message: `"${step.name}" gave an answer of a shape it should not have: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}.`,
    fix: 'The step may have gone through: look at the vendor, then skip it or retry.',
  });
}
