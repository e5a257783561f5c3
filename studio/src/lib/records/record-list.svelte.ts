import type { Problem, RecordRow } from '@plumbline/engine/contract';
import { api, type RecordFilter } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import { tellDone, tellProblem } from '../tell.ts';

/** Records of one entity that match a filter; more on demand. */
export class RecordList {
  rows = $state.raw<readonly RecordRow[]>();
  total = $state<number>();
  next = $state<string>();
  error = $state.raw<Problem>();
  loadingMore = $state(false);
  #ticket = 0;
  readonly #wanted: () => { readonly entity: string; readonly filter: RecordFilter };

  /** Call while a component is set up; `wanted` is read reactively. */
  constructor(wanted: () => { readonly entity: string; readonly filter: RecordFilter }) {
    this.#wanted = wanted;
    let before = '';
    $effect(() => {
      const { entity } = this.#wanted();
      // Another entity's rows must not stand under these columns; another filter's may until the answer is there.
      if (entity !== before) this.rows = undefined;
      before = entity;
      void this.refresh();
    });
  }

  readonly refresh = async (): Promise<void> => {
    const ticket = ++this.#ticket;
    const { entity, filter } = this.#wanted();
    try {
      const page = await api.records.list(entity, filter);
      if (ticket !== this.#ticket) return;
      this.rows = page.items;
      this.total = page.total;
      this.next = page.next;
      this.error = undefined;
    } catch (error) {
      if (ticket === this.#ticket) this.error = asProblem(error);
    }
  };

  readonly loadMore = async (): Promise<void> => {
    if (!this.next) return;
    const { entity, filter } = this.#wanted();
    this.loadingMore = true;
    try {
      const page = await api.records.list(entity, { ...filter, cursor: this.next });
      this.rows = [...(this.rows ?? []), ...page.items];
      this.next = page.next;
    } catch (error) {
      tellProblem(error);
    }
    this.loadingMore = false;
  };

  /** Approves an invoice, shown at once; the row goes back when the engine refuses. */
  async approve(row: RecordRow): Promise<void> {
    this.#replace({ ...row, data: { ...row.data, status: 'approved' } });
    try {
      this.#replace(await api.records.setInvoiceStatus(row.id, 'approved'));
      tellDone(`${String(row.data['number'] ?? 'The invoice')} is approved.`);
    } catch (error) {
      this.#replace(row);
      tellProblem(error);
    }
  }

  #replace(row: RecordRow): void {
    this.rows = this.rows?.map((candidate) => (candidate.id === row.id ? row : candidate));
  }
}
