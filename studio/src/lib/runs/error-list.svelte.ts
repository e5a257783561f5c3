import type { ErrorGroup, Problem } from '@plumbline/engine/contract';
import { api, type RunFilter } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import { refreshOn } from '../api/resource.svelte.ts';

/** What runs failed with, by flow and code: of the last 30 days, unless the filter says since when. */
export class ErrorList {
  groups = $state.raw<readonly ErrorGroup[]>();
  problem = $state.raw<Problem>();
  readonly #filter: () => RunFilter | undefined;
  #ticket = 0;

  /** Call while a component is set up; `filter` is read reactively, and while it is undefined nothing is asked. */
  constructor(filter: () => RunFilter | undefined) {
    this.#filter = filter;
    $effect(() => {
      this.#filter();
      void this.refresh();
    });
    refreshOn(['run'], () => void this.refresh());
  }

  readonly refresh = async (): Promise<void> => {
    const filter = this.#filter();
    if (!filter) return;
    const ticket = ++this.#ticket;
    const { flowId, since } = filter;
    try {
      const groups = await api.runs.errors({ ...(flowId ? { flowId } : {}), ...(since ? { since } : {}) });
      if (ticket !== this.#ticket) return;
      this.groups = groups;
      this.problem = undefined;
    } catch (error) {
      if (ticket === this.#ticket) this.problem = asProblem(error);
    }
  };
}
