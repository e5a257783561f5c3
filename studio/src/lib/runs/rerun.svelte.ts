import type { Problem, Rerun, RerunRequest, RunDetail } from '@plumbline/engine/contract';
import { api } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import { readingOrder } from './reading-order.ts';

/** How a closed run is run again: what somebody chooses, and what that would do. */
export class RerunChoice {
  version = $state<RerunRequest['version']>('same');
  /** Node to begin at; empty for the trigger. */
  from = $state('');
  otherInput = $state(false);
  text = $state('');
  /** What it would do. */
  preview = $state.raw<Rerun>();
  problem = $state.raw<Problem>();
  busy = $state(false);
  readonly #run: RunDetail;
  #ticket = 0;

  constructor(run: RunDetail, from = '') {
    this.#run = run;
    this.from = from;
    const trigger = run.steps.find((step) => !this.begins.some(({ value }) => value === step.nodeId));
    this.text = JSON.stringify(trigger?.output ?? run.event?.data ?? {}, null, 2);
  }

  /** Where it may begin, in the order of the drawing. */
  get begins(): readonly { readonly value: string; readonly label: string }[] {
    const { document } = this.#run;
    const entered = new Set(document.edges.map(({ to }) => to));
    return readingOrder(document)
      .filter((id) => entered.has(id))
      .map((id) => ({ value: id, label: `“${document.nodes[id]?.name ?? id}”` }));
  }

  readonly input = $derived.by((): Readonly<Record<string, unknown>> | undefined => {
    try {
      const value: unknown = JSON.parse(this.text);
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? (value as Record<string, unknown>)
        : undefined;
    } catch {
      return undefined;
    }
  });
  readonly ready = $derived.by(
    () => this.preview !== undefined && this.problem === undefined && (!this.otherInput || this.input !== undefined),
  );
  /** Steps that change something outside, and would again. */
  readonly writing = $derived.by(() => this.preview?.again.filter(({ writes }) => writes) ?? []);

  /** What is asked for, as it is written now; text that is no input yet is left out. */
  readonly request = $derived.by((): RerunRequest => {
    const input = this.otherInput ? this.input : undefined;
    return { version: this.version, ...(this.from ? { from: this.from } : {}), ...(input ? { input } : {}) };
  });

  /** Asks what a choice would do, and whether it is accepted. */
  async look(request: RerunRequest): Promise<void> {
    const ticket = ++this.#ticket;
    try {
      const preview = await api.runs.rerun(this.#run.id, { ...request, dryRun: true });
      if (ticket !== this.#ticket) return;
      this.preview = preview;
      this.problem = undefined;
    } catch (error) {
      if (ticket !== this.#ticket) return;
      this.preview = undefined;
      this.problem = asProblem(error);
    }
  }

  /** @returns the new run's id, or undefined when it was refused; why is said in place. */
  async start(): Promise<string | undefined> {
    this.busy = true;
    try {
      const { runId } = await api.runs.rerun(this.#run.id, { ...this.request, dryRun: false });
      return runId ?? undefined;
    } catch (error) {
      this.problem = asProblem(error);
      return undefined;
    } finally {
      this.busy = false;
    }
  }
}
