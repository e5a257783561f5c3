import type { Problem, Question, TaskDecisionRequest } from '@plumbline/engine/contract';
import { asProblem } from '../api/problem.ts';

/** What somebody is about to answer, and what the engine had against it. */
export class Answer {
  comment = $state('');
  values = $state.raw<Record<string, string | boolean>>({});
  /** Id of the outcome that is on its way. */
  busy = $state<string>();
  problem = $state.raw<Problem>();

  /** The field of the form that is not right, and why. */
  get wrong(): { readonly field: string; readonly text: string } | undefined {
    const { path, detail } = this.problem ?? {};
    return path?.startsWith('values.') ? { field: path.slice('values.'.length), text: detail ?? '' } : undefined;
  }

  get commentProblem(): string | undefined {
    return this.problem?.path === 'comment' ? this.problem.detail : undefined;
  }

  /** Sends it. @returns whether it was taken */
  async send(outcome: string, send: (request: TaskDecisionRequest) => Promise<unknown>): Promise<boolean> {
    this.busy = outcome;
    this.problem = undefined;
    try {
      await send({ outcome, comment: this.comment, values: this.values });
      return true;
    } catch (error) {
      this.problem = asProblem(error);
      return false;
    } finally {
      this.busy = undefined;
    }
  }
}

/** How a button of an outcome is drawn. */
export function kindOf(outcome: Question['outcomes'][number]): 'primary' | 'plain' | 'danger' {
  return outcome.id === 'approved' ? 'primary' : outcome.id === 'rejected' ? 'danger' : 'plain';
}
