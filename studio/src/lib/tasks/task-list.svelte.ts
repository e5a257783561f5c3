import type { Problem, TaskSummary } from '@plumbline/engine/contract';
import { api } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import { refreshOn } from '../api/resource.svelte.ts';
import { tellProblem } from '../tell.ts';

/** One view of the tasks, kept fresh; more of it on demand. */
export class TaskList {
  items = $state.raw<readonly TaskSummary[]>();
  next = $state<string>();
  error = $state.raw<Problem>();
  loadingMore = $state(false);
  #ticket = 0;
  readonly #view: () => string;

  /** Call while a component is set up; `view` is read reactively. */
  constructor(view: () => string) {
    this.#view = view;
    $effect(() => {
      view();
      this.items = undefined;
      void this.refresh();
    });
    refreshOn(['task'], () => void this.refresh());
  }

  readonly refresh = async (): Promise<void> => {
    const ticket = ++this.#ticket;
    try {
      const page = await api.tasks.list(this.#view());
      if (ticket !== this.#ticket) return;
      this.items = page.items;
      this.next = page.next;
      this.error = undefined;
    } catch (error) {
      if (ticket === this.#ticket) this.error = asProblem(error);
    }
  };

  readonly loadMore = async (): Promise<void> => {
    if (!this.next) return;
    this.loadingMore = true;
    try {
      const page = await api.tasks.list(this.#view(), this.next);
      const have = new Set(this.items?.map(({ id }) => id));
      this.items = [...(this.items ?? []), ...page.items.filter(({ id }) => !have.has(id))];
      this.next = page.next;
    } catch (error) {
      tellProblem(error);
    }
    this.loadingMore = false;
  };
}
