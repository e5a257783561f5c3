import type { RunDetail, StepDecision, StepDetail, StuckGroup } from '@plumbline/engine/contract';
import { api } from '../api/client.ts';
import { refreshOn, resource, type Resource } from '../api/resource.svelte.ts';
import { fastClock } from '../clock.svelte.ts';
import { tellDone, tellProblem } from '../tell.ts';
import { lineToShow, waterfall, type WaterfallLine } from './waterfall.ts';

const said: Readonly<Record<StepDecision['action'], string>> = {
  retry: 'The step is tried again.',
  skip: 'The step is skipped; the run goes on.',
  abort: 'The run is stopped.',
};

/** One run under the reader's eyes: kept fresh while it lives. */
export class RunPage {
  readonly run: Resource<RunDetail>;
  /** Line the reader chose; until then the most telling one is shown. */
  chosen = $state<string>();
  /** A decision or a cancel is on its way. */
  busy = $state<string>();
  #groups = $state.raw<readonly StuckGroup[]>([]);
  readonly #id: () => string;

  constructor(id: () => string) {
    this.#id = id;
    this.run = resource(() => api.runs.get(id()));
    refreshOn(['run', 'step'], this.run.refresh, (changed) => changed === id());
    $effect(() => {
      if (this.stuck)
        api.runs.groups().then(
          (groups) => (this.#groups = groups),
          () => (this.#groups = []),
        );
    });
  }

  readonly stuck = $derived.by(() => this.run.value?.steps.some((step) => step.status === 'parked') ?? false);
  readonly ended = $derived.by(() => this.run.value?.finishedAt != null);
  readonly lines = $derived.by((): readonly WaterfallLine[] => {
    const run = this.run.value;
    if (!run) return [];
    // An ended run reads no clock, so nothing ticks for it.
    return waterfall(run, run.finishedAt ? Date.parse(run.finishedAt) : fastClock.now);
  });
  readonly shown = $derived.by(() => this.lines.find((line) => line.key === this.chosen) ?? lineToShow(this.lines));

  /** How many other runs wait at this step for the same reason. */
  others(step: StepDetail | undefined): number {
    if (step?.status !== 'parked') return 0;
    const group = this.#groups.find(
      ({ flowId, nodeId, kind, code }) =>
        flowId === this.run.value?.flowId &&
        nodeId === step.nodeId &&
        kind === step.error?.kind &&
        code === step.error.code,
    );
    return Math.max(0, (group?.count ?? 0) - 1);
  }

  async decide(nodeId: string, decision: StepDecision): Promise<boolean> {
    return this.#act(decision.action, () => api.runs.decide(this.#id(), nodeId, decision), said[decision.action]);
  }

  async cancel(): Promise<boolean> {
    return this.#act('cancel', () => api.runs.cancel(this.#id()), 'The run is being cancelled.');
  }

  async #act(name: string, act: () => Promise<void>, done: string): Promise<boolean> {
    this.busy = name;
    try {
      await act();
      tellDone(done);
      return true;
    } catch (error) {
      tellProblem(error);
      return false;
    } finally {
      this.busy = undefined;
      void this.run.refresh();
    }
  }
}
