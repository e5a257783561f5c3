import type { RunDetail, StepDecision } from '@plumbline/engine/contract';
import { untrack } from 'svelte';
import { SvelteSet } from 'svelte/reactivity';
import { api } from '../api/client.ts';
import { refreshOn, resource, type Resource } from '../api/resource.svelte.ts';
import { catalog } from '../catalog.svelte.ts';
import { fastClock } from '../clock.svelte.ts';
import { tellDone, tellProblem } from '../tell.ts';
import { iterationOf, linesAround, type NamedRound } from './rounds.ts';
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
  /** The round that was led to, once it was found. */
  led = $state.raw<NamedRound>();
  /** The round that was asked for with what is shown. */
  #answered = $state.raw<NamedRound>();
  readonly #id: () => string;
  readonly #round: () => NamedRound | undefined;

  /** `round`: the round of a loop that is to be shown, whatever else is left out. */
  constructor(id: () => string, round: () => NamedRound | undefined) {
    this.#id = id;
    this.#round = round;
    this.run = resource(async () => {
      const asked = round();
      const run = await api.runs.get(id(), asked);
      this.#answered = asked;
      return run;
    });
    $effect(() => this.#lead());
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

  /** The round that is to be shown is not there. */
  readonly roundMissing = $derived.by(() => {
    const [run, round] = [this.run.value, this.#round()];
    return run && round && round === this.#answered && iterationOf(run, round) === undefined ? round.round : undefined;
  });

  /** Opens the round that is to be shown and chooses its first step, once. */
  #lead(): void {
    const [run, round] = [this.run.value, this.#round()];
    if (!run || !round || (this.led?.loop === round.loop && this.led.round === round.round)) return;
    const iteration = iterationOf(run, round);
    if (iteration === undefined) return;
    untrack(() => {
      for (const key of linesAround(run, round.loop, iteration)) {
        const line = this.lines.find((candidate) => candidate.key === key);
        if (line && line.kind !== 'step' && !line.open) this.choose(line);
      }
      const first = this.lines.find(
        (line) =>
          line.kind === 'step' &&
          (line.step?.iteration === iteration || line.step?.iteration.startsWith(`${iteration}.`)),
      );
      if (first) this.chosen = first.key;
      this.led = round;
    });
  }

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
