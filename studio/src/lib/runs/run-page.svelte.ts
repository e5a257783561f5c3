import type { RunDetail, StepDecision } from '@plumbline/engine/contract';
import { SvelteSet } from 'svelte/reactivity';
import { api } from '../api/client.ts';
import { refreshOn, resource, type Resource } from '../api/resource.svelte.ts';
import { catalog } from '../catalog.svelte.ts';
import { fastClock } from '../clock.svelte.ts';
import { tellDone, tellProblem } from '../tell.ts';
import { lineToShow, waterfall, type StepLine, type WaterfallLine } from './waterfall.ts';

const said: Readonly<Record<StepDecision['action'], string>> = {
  retry: 'The step is tried again.',
  skip: 'The step is skipped; the run goes on.',
  error_port: 'The run goes on along the error way.',
  abort: 'It is given up.',
};

/** One run under the reader's eyes: kept fresh while it lives. */
export class RunPage {
  readonly run: Resource<RunDetail>;
  /** Line the reader chose; until then the most telling one is shown. */
  chosen = $state<string>();
  /** A decision or a cancel is on its way. */
  busy = $state<string>();
  /** Rounds of loops that the reader opened or closed. */
  readonly #turned = new SvelteSet<string>();
  readonly #id: () => string;

  constructor(id: () => string) {
    this.#id = id;
    this.run = resource(() => api.runs.get(id()));
    refreshOn(['run', 'step'], this.run.refresh, (changed) => changed === id());
    // What steps take and give by example; without it the page only offers less.
    catalog.load().catch(() => undefined);
  }

  readonly ended = $derived.by(() => this.run.value?.finishedAt != null);
  readonly lines = $derived.by((): readonly WaterfallLine[] => {
    const run = this.run.value;
    if (!run) return [];
    // An ended run reads no clock, so nothing ticks for it.
    return waterfall(run, run.finishedAt ? Date.parse(run.finishedAt) : fastClock.now, this.#turned);
  });
  readonly shown = $derived.by(
    (): StepLine | undefined =>
      this.lines.find((line): line is StepLine => line.kind === 'step' && line.key === this.chosen) ??
      lineToShow(this.lines),
  );

  /** Shows a step, or opens and closes rounds. */
  choose(line: WaterfallLine): void {
    if (line.kind === 'step') this.chosen = line.key;
    else if (!this.#turned.delete(line.key)) this.#turned.add(line.key);
  }

  /** @throws ApiProblem when it was not accepted */
  async decide(nodeId: string, decision: StepDecision): Promise<void> {
    this.busy = decision.action;
    try {
      await api.runs.decide(this.#id(), nodeId, decision);
      tellDone(said[decision.action]);
    } finally {
      this.busy = undefined;
      void this.run.refresh();
    }
  }

  async cancel(): Promise<boolean> {
    this.busy = 'cancel';
    try {
      await api.runs.cancel(this.#id());
      tellDone('The run is being cancelled.');
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
