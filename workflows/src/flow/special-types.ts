import type { Plan } from './plan.ts';

/** The node type that has a run hold a name. */
export const LOCK = 'core.lock';
/** The node type that gives each run its turn. */
export const THROTTLE = 'core.throttle';
/** The node type that starts a run of another flow and waits for its end. */
export const CALL = 'core.call-flow';

/** Whether a step of a flow is of a type. */
export function uses({ steps }: Pick<Plan, 'steps'>, type: string): boolean {
  return Object.values(steps).some((step) => step.type === type);
}
