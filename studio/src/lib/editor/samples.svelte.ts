import type { Preview, Sample } from '@plumbline/engine/contract';
import { createContext } from 'svelte';
import { api } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';

/** Past events the mappings of a flow are tried on, and which of them is used. */
export class Samples {
  list = $state.raw<readonly Sample[]>([]);
  chosenId = $state<string>();
  error = $state<string>();
  /** What the first turn of the loops around the open step sees: `loop` and `loops`. */
  turns = $state.raw<Readonly<Record<string, unknown>>>({});
  readonly #flowId: string;

  constructor(flowId: string) {
    this.#flowId = flowId;
  }

  readonly chosen: Sample | undefined = $derived(
    this.list.find((sample) => sample.eventId === this.chosenId) ?? this.list[0],
  );

  readonly context: Readonly<Record<string, unknown>> = $derived({
    ...this.chosen?.context,
    ...this.turns,
  });

  /**
   * Fetches past events.
   * @param startedBy what to call an event that is about no record, instead of the key it came under
   */
  async load(startedBy: string): Promise<void> {
    try {
      const list = await api.flows.samples(this.#flowId);
      this.list = list.map((sample) => (/\s/.test(sample.title) ? sample : { ...sample, title: startedBy }));
      this.error = undefined;
    } catch (error) {
      this.error = asProblem(error).detail;
    }
  }
}

/** The result of one expression on the chosen sample, asked for when the typing rests. */
export class PreviewOf {
  result = $state.raw<Preview>();
  pending = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abort: AbortController | undefined;

  ask(source: string, context: Readonly<Record<string, unknown>>): void {
    this.stop();
    if (source.trim() === '') {
      this.result = undefined;
      return;
    }
    this.pending = true;
    this.#timer = setTimeout(() => void this.#fetch(source, context), 250);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.pending = false;
  }

  async #fetch(source: string, context: Readonly<Record<string, unknown>>): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const result = await api.expressions.preview(source, context, abort.signal);
      if (!abort.signal.aborted) this.result = result;
    } catch {
      // That the engine is out of reach is said once, beside the save state, and not under every field.
      if (!abort.signal.aborted) this.result = undefined;
    }
    if (!abort.signal.aborted) this.pending = false;
  }
}

const [getSamples, setSamples] = createContext<Samples>();
export { getSamples, setSamples };
