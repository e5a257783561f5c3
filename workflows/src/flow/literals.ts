import type { PlanMapping } from './plan.ts';
import type { Mapping } from './schema.ts';

/** The inputs that are given and not computed, by field: those of a step as drawn, or as planned. */
export function literalsOf(inputs: Readonly<Record<string, Mapping | PlanMapping>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([field, mapping]) => (mapping.kind === 'literal' ? [[field, mapping.value]] : [])),
  );
}
