import type { Problem, RunSummary } from '@plumbline/engine/contract';
import { api, type RunFilter } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import { refreshOn } from '../api/resource.svelte.ts';
import { tellProblem } from '../tell.ts';

/** Runs that match a filter, newest first: live at the top, more on demand at the bottom. */
export class RunList {
  items = $state.raw<readonly RunSummary[]>();
  next = $state<string>();
  error = $state.raw<Problem>();
  loadingMore = $state(false);
  #ticket = 0;
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
    try {
      const page = await api.runs.list(this.#filter());
      if (ticket !== this.#ticket) return;
      const older = this.#stale ? [] : (this.items?.slice(page.items.length) ?? []);
      const fresh = new Set(page.items.map((run) => run.id));
      const last = page.items.at(-1);
      // Pages loaded before stay under the first one, so live changes do not fold the list back up.
      const kept = last && page.next ? older.filter((run) => !fresh.has(run.id) && run.queuedAt <= last.queuedAt) : [];
      this.items = [...page.items, ...kept];
      if (kept.length === 0) this.next = page.next;
      this.error = undefined;
      this.#stale = false;
    } catch (error) {
      if (ticket !== this.#ticket) return;
      if (this.#stale) this.items = undefined;
      this.error = asProblem(error);
    }
  };

  readonly loadMore = async (): Promise<void> => {
    if (!this.next) return;
    this.loadingMore = true;
    try {
      const page = await api.runs.list({ ...this.#filter(), cursor: this.next });
      const have = new Set(this.items?.map((run) => run.id));
      this.items = [...(this.items ?? []), ...page.items.filter((run) => !have.has(run.id))];
      this.next = page.next;
    } catch (error) {
      tellProblem(error);
    }
    this.loadingMore = false;
  };
}
