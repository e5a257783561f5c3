import type { Queue, WaitingStep } from '@plumbline/engine/contract';
import { api } from '../api/client.ts';
import { refreshOn, resource, type Resource } from '../api/resource.svelte.ts';
import { tellDone, tellProblem } from '../tell.ts';

/** What waits, kept fresh, and the two things that can be done about what goes on by itself. */
export class QueuePage {
  readonly queue: Resource<Queue>;
  /** Key of the step something is being done about. */
  busy = $state<string>();

  /** Call while a component is set up. */
  constructor() {
    this.queue = resource(api.queue);
    refreshOn(['run', 'step'], this.queue.refresh);
  }

  /** How many runs wait for a person. */
  readonly stuck = $derived.by(() => this.queue.value?.groups.reduce((sum, { count }) => sum + count, 0) ?? 0);

  keyOf({ runId, nodeId, iteration }: WaitingStep): string {
    return `${runId}/${nodeId}/${iteration}`;
  }

  async wake(step: WaitingStep): Promise<boolean> {
    return this.#act(step, () => api.runs.wake(step.runId, step.nodeId, step.iteration), 'It is tried now.');
  }

  async drop(step: WaitingStep): Promise<boolean> {
    const { runId, nodeId, iteration } = step;
    return this.#act(step, () => api.runs.decide(runId, nodeId, { action: 'abort', iteration }), 'It is dropped.');
  }

  async #act(step: WaitingStep, act: () => Promise<void>, done: string): Promise<boolean> {
    this.busy = this.keyOf(step);
    try {
      await act();
      tellDone(done);
      return true;
    } catch (error) {
      tellProblem(error);
      return false;
    } finally {
      this.busy = undefined;
      void this.queue.refresh();
    }
  }
}
