import type { Problem, RunSummary } from '@plumbline/engine/contract';
import { api, type RunFilter } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import { refreshOn } from '../api/resource.svelte.ts';
import { readPages } from './read-pages.ts';

/** Runs that match a filter, newest first: live at the top, more on demand at the bottom. */
export class RunList {
  items = $state.raw<readonly RunSummary[]>();
  next = $state<string>();
  error = $state.raw<Problem>();
  loadingMore = $state(false);
  #ticket = 0;
  /** How many pages are shown. */
  #pages = 1;
  /** What is shown belongs to the former filter: it stays until there is something better, and nothing of it is kept. */
  #stale = false;
  readonly #filter: () => RunFilter;

  /** Call while a component is set up; `filter` is read reactively. */
  constructor(filter: () => RunFilter) {
    this.#filter = filter;
    $effect(() => {
      this.#filter();
      this.#stale = true;
      this.next = undefined;
      void this.refresh();
    });
    refreshOn(['run'], () => void this.refresh());
  }

  readonly refresh = async (): Promise<void> => {
    const ticket = ++this.#ticket;
    if (this.#stale) this.#pages = 1;
    try {
      const filter = this.#filter();
      // All that is shown is read anew: a run further down may have changed too, or have left what is filtered for.
      const slice = await readPages(
        (cursor) => api.runs.list(cursor === undefined ? filter : { ...filter, cursor }),
        this.#pages,
        () => ticket !== this.#ticket,
      );
      if (!slice) return;
      this.items = slice.items;
      this.next = slice.next;
      this.error = undefined;
      this.#stale = false;
    } catch (error) {
      if (ticket !== this.#ticket) return;
      if (this.#stale) this.items = undefined;
      this.error = asProblem(error);
    }
  };

  readonly loadMore = async (): Promise<void> => {
    if (this.next === undefined) return;
    this.loadingMore = true;
    this.#pages += 1;
    await this.refresh();
    this.loadingMore = false;
  };
}
