import type { TaskSummary } from '@plumbline/engine/contract';

/** The state a task is drawn as: by what came of it, where something did. */
export function lookOf({ status, outcome }: Pick<TaskSummary, 'status' | 'outcome'>): string {
  if (status !== 'decided') return status;
  return outcome?.id === 'approved' || outcome?.id === 'rejected' ? outcome.id : 'decided';
}
