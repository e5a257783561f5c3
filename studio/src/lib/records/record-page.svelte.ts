import type { RecordDetail } from '@plumbline/engine/contract';
import { api } from '../api/client.ts';
import { refreshOn, resource, type Resource } from '../api/resource.svelte.ts';
import { tellDone, tellProblem } from '../tell.ts';

export type InvoiceDecision = 'approved' | 'rejected' | 'paid';

const said: Readonly<Record<InvoiceDecision, string>> = {
  approved: 'Approved. Flows that wait for it start now.',
  rejected: 'Rejected.',
  paid: 'Marked as paid.',
};

/** One record under the reader's eyes, with what runs about it. */
export class RecordPage {
  readonly record: Resource<RecordDetail>;
  deciding = $state(false);

  constructor(where: () => { readonly entity: string; readonly id: string }) {
    this.record = resource(() => {
      const { entity, id } = where();
      return api.records.get(entity, id);
    });
    refreshOn(['run'], () => {
      if (!this.deciding) void this.record.refresh();
    });
  }

  /** Shows the decision at once; what was there comes back when the engine refuses. */
  async decide(to: InvoiceDecision): Promise<void> {
    const before = this.record.value;
    if (!before) return;
    this.deciding = true;
    this.record.set({ ...before, data: { ...before.data, status: to } });
    try {
      this.record.set(await api.records.setInvoiceStatus(before.id, to));
      tellDone(said[to]);
    } catch (error) {
      this.record.set(before);
      tellProblem(error);
    }
    this.deciding = false;
  }
}
