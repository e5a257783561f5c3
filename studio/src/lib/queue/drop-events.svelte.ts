import type { DropOutcome, PendingChoice, PendingEvents, Problem } from '@plumbline/engine/contract';
import { SvelteSet } from 'svelte/reactivity';
import { api } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import { plural } from '../format.ts';
import { tellDone } from '../tell.ts';

/** Dropping events that have not begun: first which they are, then some of them or all, for a reason. */
export class DropEvents {
  group = $state.raw<PendingEvents>();
  /** What would be dropped. */
  preview = $state.raw<DropOutcome>();
  problem = $state.raw<Problem>();
  busy = $state(false);
  reason = $state('');
  typed = $state('');
  /** Those that are marked; with none, all are meant. */
  readonly marked = new SvelteSet<string>();
  readonly #dropped: () => void;
  #ticket = 0;

  constructor(dropped: () => void) {
    this.#dropped = dropped;
  }

  readonly count = $derived.by(() => this.marked.size || (this.preview?.count ?? 0));
  readonly ready = $derived.by(() => this.count > 0 && this.reason.trim() !== '');

  async ask(group: PendingEvents): Promise<void> {
    this.group = group;
    this.reason = this.typed = '';
    this.preview = this.problem = undefined;
    await this.look();
  }

  /** Asks which of them fit what is typed. */
  async look(): Promise<void> {
    const ticket = ++this.#ticket;
    this.marked.clear();
    try {
      const preview = await api.dropEvents({ choice: this.#filter(), reason: '', dryRun: true });
      if (ticket !== this.#ticket) return;
      this.preview = preview;
      this.problem = undefined;
    } catch (error) {
      if (ticket === this.#ticket) this.problem = asProblem(error);
    }
  }

  mark(id: string): void {
    if (!this.marked.delete(id)) this.marked.add(id);
  }

  /** Drops those that are marked, or all that were counted, whatever has come since. */
  async drop(): Promise<void> {
    const { preview, reason } = this;
    if (!preview) return;
    this.busy = true;
    try {
      const choice: PendingChoice = this.marked.size > 0 ? { ids: [...this.marked] } : this.#filter();
      const { count, left } = await api.dropEvents({ choice, reason, dryRun: false, upTo: preview.upTo });
      const more = left > 0 ? ` ${plural(left, 'is', 'are')} left: begun meanwhile, or more than go at once.` : '';
      tellDone(`${plural(count, 'event is', 'events are')} dropped.${more}`);
      this.close();
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.busy = false;
    this.#dropped();
  }

  close(): void {
    this.group = undefined;
  }

  #filter(): PendingChoice {
    const { kind = '', key = '' } = this.group ?? {};
    const q = this.typed.trim();
    return { kind, key, ...(q ? { q } : {}) };
  }
}
