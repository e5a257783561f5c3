import type { LiveChange, RunDetail, RunSummary } from '@plumbline/engine/contract';
import { api } from '../../api/client.ts';
import { onChange } from '../../api/live.svelte.ts';
import { asProblem } from '../../api/problem.ts';
import type { Editor } from '../editor.svelte.ts';
import { announcement } from './paint.ts';

/** A flow's runs as they happen, and the one that is painted on the canvas. */
export class RunOverlay {
  open = $state(false);
  runs = $state.raw<readonly RunSummary[]>([]);
  loaded = $state(false);
  error = $state<string>();
  selectedId = $state<string>();
  /** New runs are shown by themselves. */
  follow = $state(true);
  readonly #editor: Editor;
  #listTimer: ReturnType<typeof setTimeout> | undefined;
  #runTimer: ReturnType<typeof setTimeout> | undefined;
  #newest = '';

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  /** What a run is about; without a record, what started it. */
  titleOf(run: Pick<RunSummary, 'subject'>): string {
    const { triggerId, draft } = this.#editor;
    return run.subject ?? (triggerId === undefined ? undefined : draft.nodes[triggerId]?.name) ?? 'Run';
  }

  readonly going = $derived(this.runs.filter((run) => run.status === 'queued' || run.status === 'running').length);

  /** Watches until the returned function is called. */
  watch(): () => void {
    void this.refresh();
    const stops = [
      onChange('run', (change) => this.#onRun(change)),
      onChange('step', (change) => this.#onStep(change)),
    ];
    return () => {
      for (const stop of stops) stop();
      clearTimeout(this.#listTimer);
      clearTimeout(this.#runTimer);
    };
  }

  async refresh(): Promise<void> {
    try {
      const { items } = await api.runs.list({ flowId: this.#editor.flowId });
      this.error = undefined;
      const [latest] = items;
      const isNew = this.loaded && latest !== undefined && latest.queuedAt > this.#newest;
      this.runs = items;
      this.loaded = true;
      this.#newest = latest?.queuedAt ?? this.#newest;
      if (this.open && latest && ((isNew && this.follow) || this.selectedId === undefined))
        await this.#follow(latest.id);
    } catch (error) {
      this.error = asProblem(error).detail;
    }
  }

  show(): void {
    this.open = true;
    const [latest] = this.runs;
    const first = (this.follow ? undefined : this.selectedId) ?? latest?.id;
    // The drawer takes its room from the canvas, and a run may be of another version: show all of it.
    if (first !== undefined) void this.#follow(first);
  }

  /** Shows one run, whatever came after it. */
  showRun(runId: string): void {
    this.open = true;
    this.follow = false;
    void this.#follow(runId);
  }

  /** Paints a run and, unless one was painted already, shows all of it. */
  async #follow(runId: string): Promise<void> {
    const wasRun = this.#editor.view.kind === 'run';
    await this.select(runId);
    if (!wasRun) setTimeout(() => this.#editor.viewport?.fit(), 60);
  }

  /** Closes the drawer; the canvas shows the draft again. */
  hide(): void {
    this.open = false;
    if (this.#editor.view.kind === 'run') this.#editor.view = { kind: 'draft' };
  }

  /** Paints a run. Choosing an older one by hand stops the following. */
  async select(runId: string, byHand = false): Promise<void> {
    if (byHand && runId !== this.runs[0]?.id) this.follow = false;
    this.selectedId = runId;
    await this.#load(runId);
  }

  async #load(runId: string): Promise<void> {
    let run: RunDetail;
    try {
      run = await api.runs.get(runId);
    } catch (error) {
      this.error = asProblem(error).detail;
      return;
    }
    if (this.selectedId !== runId || !this.open) return;
    const { view } = this.#editor;
    const before = view.kind === 'run' ? view.run : undefined;
    this.#editor.view = { kind: 'run', run };
    this.runs = this.runs.map((summary) =>
      summary.id === run.id
        ? {
            ...summary,
            status: run.status,
            durationMs: run.durationMs,
            finishedAt: run.finishedAt,
            startedAt: run.startedAt,
          }
        : summary,
    );
    const said = announcement(before, run);
    if (said) this.#editor.said = said;
    if (this.follow && before?.id === run.id) this.#followActive(before, run);
  }

  #followActive(before: RunDetail, run: RunDetail): void {
    const active = run.steps.find(
      (step) =>
        step.status === 'running' &&
        before.steps.every((old) => old.nodeId !== step.nodeId || old.status !== 'running'),
    );
    if (active) this.#editor.viewport?.show(active.nodeId);
  }

  #onRun(change: LiveChange): void {
    if (change.flowId !== undefined && change.flowId !== this.#editor.flowId) return;
    if (change.id === this.selectedId || change.id === '*') this.#runSoon();
    this.#listTimer ??= setTimeout(() => {
      this.#listTimer = undefined;
      void this.refresh();
    }, 200);
  }

  #onStep(change: LiveChange): void {
    if (change.id === this.selectedId || change.id === '*') this.#runSoon();
  }

  /** Many steps change at once; the canvas is repainted at most every 120 ms. */
  #runSoon(): void {
    if (!this.open || this.selectedId === undefined) return;
    const runId = this.selectedId;
    this.#runTimer ??= setTimeout(() => {
      this.#runTimer = undefined;
      void this.#load(runId);
    }, 120);
  }
}
