import type { FlowPin, RunDetail, TestRequest } from '@plumbline/engine/contract';
import { createContext } from 'svelte';
import { api } from '../api/client.ts';
import { onChange } from '../api/live.svelte.ts';
import { asProblem } from '../api/problem.ts';
import { parentOf } from './document/containers.ts';
import type { Editor } from './editor.svelte.ts';
import { announcement, stepsOfNode } from './runs/paint.ts';
import type { Samples } from './samples.svelte.ts';

/** How much of the drawing is tried: one step alone, all that leads to it, or everything. */
export type Reach = { readonly only: string } | { readonly upTo: string } | Readonly<Record<string, never>>;

/** Where the event that a test starts with comes from. */
export type EventSource = 'sample' | 'pasted' | 'made_up';

export interface TrialProblem {
  readonly message: string;
  readonly fix: string | undefined;
}

/** Trying the draft out before it is published: tests, what came of them, and what steps hand on meanwhile. */
export class Trial {
  pins = $state.raw<readonly FlowPin[]>([]);
  starting = $state(false);
  problem = $state.raw<TrialProblem>();
  source = $state<EventSource>('sample');
  pasted = $state('');
  /** An item for a step that is tried alone inside a loop, as JSON; empty when the sample's is good enough. */
  item = $state('');
  readonly #editor: Editor;
  readonly #samples: Samples;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The test whose changes matter, from the moment it has a name: it may end before it was read for the first time. */
  #followed: string | undefined;
  /** Readings that were asked for; a slow one must not put back what a later one showed. */
  #asked = 0;

  constructor(editor: Editor, samples: Samples) {
    this.#editor = editor;
    this.#samples = samples;
  }

  readonly going: boolean = $derived.by(() => {
    const run = this.#editor.tried;
    return this.starting || (run !== undefined && (run.status === 'queued' || run.status === 'running'));
  });

  pinOf(nodeId: string): FlowPin | undefined {
    return this.pins.find((pin) => pin.nodeId === nodeId);
  }

  /** Watches the test that is under way until the returned function is called. */
  watch(): () => void {
    void this.loadPins();
    const soon = (id: string) => {
      if (this.#followed !== undefined && (id === this.#followed || id === '*')) this.#loadSoon(this.#followed);
    };
    const stops = [onChange('run', ({ id }) => soon(id)), onChange('step', ({ id }) => soon(id))];
    return () => {
      for (const stop of stops) stop();
      clearTimeout(this.#timer);
    };
  }

  async start(reach: Reach): Promise<void> {
    if (!this.#editor.mayEdit || this.starting) return;
    this.problem = undefined;
    let request: TestRequest;
    try {
      request = this.#request(reach);
    } catch {
      this.problem = { message: 'What was pasted is no JSON.', fix: 'Correct it, or choose another event.' };
      return;
    }
    this.starting = true;
    try {
      const { runId } = await api.flows.test(this.#editor.flowId, request);
      this.#editor.view = { kind: 'draft' };
      this.#editor.turns = {};
      this.#followed = runId;
      await this.#load(runId);
    } catch (error) {
      const { detail, fix } = asProblem(error);
      this.problem = { message: detail, fix };
      this.#editor.said = detail;
    }
    this.starting = false;
  }

  #request(reach: Reach): TestRequest {
    const { draft, triggerId } = this.#editor;
    const sample = this.#samples.chosen?.context['trigger'];
    const output: unknown =
      this.source === 'pasted' ? JSON.parse(this.pasted) : this.source === 'sample' ? sample : undefined;
    const trigger =
      output === undefined ? {} : { trigger: { ...(triggerId === undefined ? {} : { nodeId: triggerId }), output } };
    if (!('only' in reach) || parentOf(draft, String(reach.only)) === undefined)
      return { document: draft, ...reach, ...trigger };
    const loop = this.#samples.turns['loop'] as { readonly item?: unknown } | undefined;
    const item: unknown = this.item.trim() === '' ? loop?.item : JSON.parse(this.item);
    return { document: draft, ...reach, ...trigger, ...(item === undefined ? {} : { item }) };
  }

  /** Takes the paint of the last test off the drawing. */
  clear(): void {
    this.#followed = undefined;
    this.#editor.tried = undefined;
    this.problem = undefined;
  }

  #loadSoon(runId: string): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#load(runId);
    }, 120);
  }

  async #load(runId: string): Promise<void> {
    const mine = ++this.#asked;
    let run: RunDetail;
    try {
      run = await api.runs.get(runId);
    } catch (error) {
      if (mine !== this.#asked || runId !== this.#followed) return;
      this.problem = { message: asProblem(error).detail, fix: undefined };
      return;
    }
    if (mine !== this.#asked || runId !== this.#followed) return;
    const before = this.#editor.tried;
    this.#editor.tried = run;
    const said = announcement(before, run);
    if (said) this.#editor.said = said;
  }

  // — pins —

  async loadPins(): Promise<void> {
    try {
      this.#keep(await api.flows.pins(this.#editor.flowId));
    } catch {
      // Without them the editor only marks fewer steps.
    }
  }

  #keep(pins: readonly FlowPin[]): void {
    this.pins = pins;
    this.#editor.pinned = new Set(pins.map(({ nodeId }) => nodeId));
  }

  /** What could be pinned of a step: what it gave in the test or run that is shown. */
  resultOf(nodeId: string): { readonly output: unknown; readonly port: string } | undefined {
    const run = this.#editor.painted;
    const step = run && stepsOfNode(run, nodeId, this.#editor.turns).at(-1);
    return step?.status === 'succeeded' ? { output: step.output, port: step.port ?? 'out' } : undefined;
  }

  async pin(nodeId: string, output: unknown, port: string): Promise<void> {
    // A step that was drawn a moment ago is known to the engine once it is saved.
    await this.#change(
      () => this.#editor.autosave.flush().then(() => api.flows.pin(this.#editor.flowId, nodeId, { output, port })),
      `${this.#editor.draft.nodes[nodeId]?.name ?? 'The step'} is pinned`,
    );
  }

  async unpin(nodeId: string): Promise<void> {
    await this.#change(
      () => api.flows.unpin(this.#editor.flowId, nodeId),
      `${this.#editor.draft.nodes[nodeId]?.name ?? 'The step'} is not pinned any more`,
    );
  }

  async #change(change: () => Promise<void>, said: string): Promise<void> {
    this.problem = undefined;
    try {
      await change();
      await this.loadPins();
      this.#editor.said = said;
    } catch (error) {
      const { detail, fix } = asProblem(error);
      this.problem = { message: detail, fix };
    }
  }

  /** Pins what a step gave, or takes its pin away. */
  toggle(nodeId: string): void {
    const result = this.resultOf(nodeId);
    if (this.pinOf(nodeId)) void this.unpin(nodeId);
    else if (result) void this.pin(nodeId, result.output, result.port);
    else this.#editor.said = 'There is nothing to pin yet: test the step first.';
  }
}

const [getTrial, setTrial] = createContext<Trial>();
export { getTrial, setTrial };
