import type { Problem } from '@plumbline/engine/contract';

/** A refusal of the API; `problem` says what happened and what the reader can do. */
export class ApiProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.name = 'ApiProblem';
    this.problem = problem;
  }
}

/** Whatever was thrown, as something `ErrorNote` can show. */
export function asProblem(error: unknown): Problem {
  if (error instanceof ApiProblem) return error.problem;
  const detail = error instanceof Error ? error.message : 'Something went wrong in this page.';
  return local({ code: 'studio_error', title: 'Something went wrong', detail, fix: 'Reload the page and try again.' });
}

/** The engine could not be reached at all. */
export function unreachable(cause: unknown): ApiProblem {
  const problem = local({
    code: 'unreachable',
    title: 'The engine does not answer',
    detail: 'The engine could not be reached. Nothing was changed.',
    fix: 'Check your network and that Plumbline is running, then try again.',
  });
  return new ApiProblem(problem, { cause });
}

/** A problem of the studio's own making, in the API's shape. */
export function local(
  told: Pick<Problem, 'code' | 'title' | 'detail' | 'fix'> & { readonly status?: number },
): Problem {
  return { type: 'about:blank', status: 0, request_id: '', ...told };
}
