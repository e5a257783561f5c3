import type {
  EventDrop,
  PendingEvents,
  Queue,
  WaitingDecision,
  WaitingOutcome,
  WaitingStep,
} from '@plumbline/engine/contract';
import { SvelteSet } from 'svelte/reactivity';
import { api } from '../api/client.ts';
import { refreshOn, resource, type Resource } from '../api/resource.svelte.ts';
import { plural } from '../format.ts';
import { tellDone, tellProblem } from '../tell.ts';

/** Whether it can be told to go on: nobody else brings its end, or it need not wait for what may happen. */
export function canGoOn({ awaits }: WaitingStep): boolean {
  return !awaits || awaits.kind === 'event';
}

/** So many are listed at first, and more with each time somebody asks for more. */
const PAGE = 200;
/** Most that are listed. */
const MOST = 2_000;
/** Most that one request decides about. */
const AT_ONCE = 200;

/** What waits, kept fresh, and the two things that can be done about what goes on by itself. */
export class QueuePage {
  readonly queue: Resource<Queue>;
  /** What somebody dropped before it began, and can be put back. */
  readonly drops: Resource<readonly EventDrop[]>;
  /** So many of what goes on by itself are listed. */
  shown = $state(PAGE);
  /** Of which flow; empty for all. */
  flowId = $state('');
  /** Key of the step something is being done about. */
  busy = $state<string>();

  /** Keys of the steps that are marked. */
  readonly marked = new SvelteSet<string>();

  /** Call while a component is set up. */
  constructor() {
    this.queue = resource(() => api.queue(this.shown, this.flowId || undefined));
    this.drops = resource(api.eventDrops);
    refreshOn(['run', 'step'], this.queue.refresh);
  }

  /** How many runs wait for a person. */
  readonly stuck = $derived.by(() => this.queue.value?.groups.reduce((sum, { count }) => sum + count, 0) ?? 0);

  /** Whether more can be listed. */
  readonly hasMore = $derived.by(
    () => (this.queue.value?.waitingTotal ?? 0) > (this.queue.value?.waiting.length ?? 0) && this.shown < MOST,
  );

  showMore(): void {
    this.shown = Math.min(this.shown + PAGE, MOST);
  }

  show(flowId: string): void {
    this.marked.clear();
    Object.assign(this, { flowId, shown: PAGE });
  }

  keyOf({ runId, nodeId, iteration }: WaitingStep): string {
    return `${runId}/${nodeId}/${iteration}`;
  }

  /** Those that are marked and still wait. */
  readonly chosen = $derived.by(
    () => this.queue.value?.waiting.filter((step) => this.marked.has(this.keyOf(step))) ?? [],
  );
  /** How many events wait for their turn. */
  readonly pending = $derived.by(() => this.queue.value?.pending.reduce((sum, { count }) => sum + count, 0) ?? 0);

  mark(step: WaitingStep): void {
    const key = this.keyOf(step);
    if (!this.marked.delete(key)) this.marked.add(key);
  }

  markAll(all: boolean): void {
    this.marked.clear();
    if (all) for (const step of this.queue.value?.waiting ?? []) this.marked.add(this.keyOf(step));
  }

  /** Of those that are marked, the ones that can be told to go on. */
  readonly wakeable = $derived.by(() => this.chosen.filter(canGoOn));

  /** Drops all that are marked, or wakes those that can be. */
  async decideChosen(action: WaitingDecision['action']): Promise<boolean> {
    const steps = (action === 'wake' ? this.wakeable : this.chosen).map(({ runId, nodeId, iteration }) => ({
      runId,
      nodeId,
      iteration,
    }));
    if (steps.length === 0) return true;
    return this.#do(`${action}:chosen`, async () => {
      const outcome: { done: number; refused: WaitingOutcome['refused'][number][] } = { done: 0, refused: [] };
      for (let at = 0; at < steps.length; at += AT_ONCE) {
        const part = await api.decideWaiting({ action, steps: steps.slice(at, at + AT_ONCE) });
        outcome.done += part.done;
        outcome.refused.push(...part.refused);
      }
      const { done, refused } = outcome;
      this.marked.clear();
      const [first] = refused;
      const what = `${plural(done, 'step is', 'steps are')} ${action === 'wake' ? 'tried now' : 'dropped'}.`;
      return first ? `${what} ${plural(refused.length, 'was', 'were')} left: ${first.why}` : what;
    });
  }

  async putFirst({ kind, key }: PendingEvents): Promise<boolean> {
    return this.#do(`first:${key}`, async () => {
      const { count } = await api.putFirst(kind, key);
      return `${plural(count, 'event goes', 'events go')} first.`;
    });
  }

  async putBack({ id, count }: EventDrop): Promise<boolean> {
    return this.#do(`back:${id}`, async () => {
      await api.putBack(id);
      void this.drops.refresh();
      return `${plural(count, 'event is', 'events are')} back in line.`;
    });
  }

  async wake(step: WaitingStep): Promise<boolean> {
    return this.#act(step, () => api.runs.wake(step.runId, step.nodeId, step.iteration), 'It is tried now.');
  }

  async drop(step: WaitingStep): Promise<boolean> {
    const { runId, nodeId, iteration } = step;
    return this.#act(step, () => api.runs.decide(runId, nodeId, { action: 'abort', iteration }), 'It is dropped.');
  }

  async #act(step: WaitingStep, act: () => Promise<void>, done: string): Promise<boolean> {
    return this.#do(this.keyOf(step), () => act().then(() => done));
  }

  /** @returns whether it went through; what came of it is said in a corner. */
  async #do(name: string, act: () => Promise<string>): Promise<boolean> {
    this.busy = name;
    try {
      tellDone(await act());
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
