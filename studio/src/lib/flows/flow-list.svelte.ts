import type { FlowSummary } from '@plumbline/engine/contract';
import { api } from '../api/client.ts';
import { refreshOn, resource, type Resource } from '../api/resource.svelte.ts';
import { tellDone, tellProblem } from '../tell.ts';

/** The list of flows: searched here, switched with the answer expected before it comes. */
export class FlowList {
  readonly flows: Resource<readonly FlowSummary[]>;
  word = $state('');
  readonly #switching = new Set<string>();

  constructor() {
    this.flows = resource(async () => (await api.flows.list()).items);
    refreshOn(['run'], () => {
      if (this.#switching.size === 0) void this.flows.refresh();
    });
  }

  readonly found = $derived.by(() => {
    const word = this.word.trim().toLowerCase();
    const all = this.flows.value ?? [];
    return word ? all.filter((flow) => `${flow.name} ${flow.connectors.join(' ')}`.toLowerCase().includes(word)) : all;
  });

  /** Switches a flow; what was shown before comes back when the engine refuses. */
  async switch(flow: FlowSummary, on: boolean): Promise<void> {
    this.#replace({ ...flow, status: on ? 'on' : 'off' });
    this.#switching.add(flow.id);
    try {
      this.#replace(await api.flows.switch(flow.id, on));
    } catch (error) {
      this.#replace(flow);
      tellProblem(error);
    }
    this.#switching.delete(flow.id);
  }

  async remove(flow: FlowSummary): Promise<boolean> {
    try {
      await api.flows.remove(flow.id);
      this.flows.set((this.flows.value ?? []).filter((candidate) => candidate.id !== flow.id));
      tellDone(`“${flow.name}” is deleted.`);
      return true;
    } catch (error) {
      tellProblem(error);
      return false;
    }
  }

  #replace(flow: FlowSummary): void {
    this.flows.set((this.flows.value ?? []).map((candidate) => (candidate.id === flow.id ? flow : candidate)));
  }
}
