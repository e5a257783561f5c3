import type { TaskDetail, TaskSeat } from '@plumbline/engine/contract';
import { api } from '../api/client.ts';
import { refreshOn, resource, type Resource } from '../api/resource.svelte.ts';
import { tellDone, tellProblem } from '../tell.ts';
import { Answer } from './answer.svelte.ts';

/** One task under the reader's eyes, and what can be done about it. */
export class TaskPage {
  readonly task: Resource<TaskDetail>;
  readonly answer = new Answer();
  /** Name of what is on its way. */
  busy = $state<string>();
  /** For an admin: in whose place. */
  seatId = $state('');
  /** A link that was just made; it is shown this once. */
  link = $state.raw<{ readonly seat: TaskSeat; readonly url: string; readonly expiresAt: string }>();
  readonly #id: () => string;

  /** Call while a component is set up. */
  constructor(id: () => string) {
    this.#id = id;
    this.task = resource(() => api.tasks.get(id()));
    refreshOn(['task'], this.task.refresh, (changed) => changed === id());
  }

  /** Those in whose place an admin may decide. */
  readonly others = $derived.by((): readonly TaskSeat[] => {
    const task = this.task.value;
    if (!task?.mayOversee || task.status !== 'open') return [];
    return task.stages
      .flatMap(({ seats }) => seats)
      .filter(({ id, status }) => status === 'open' && id !== task.seatId);
  });

  /** Whether the reader can answer now: from their own seat, or in the place of whom they chose. */
  readonly mayAnswer = $derived.by(() => {
    const task = this.task.value;
    return task?.status === 'open' && (task.seatId !== null || this.seatId !== '');
  });

  /** @returns whether it was taken */
  async decide(outcome: string): Promise<boolean> {
    const { seatId } = this;
    const taken = await this.answer.send(outcome, async (request) => {
      this.task.set(await api.tasks.decide(this.#id(), { ...request, ...(seatId ? { seatId } : {}) }));
    });
    if (taken) {
      this.seatId = '';
      tellDone('Your decision is kept.');
    } else void this.task.refresh();
    return taken;
  }

  async delegate(to: string): Promise<boolean> {
    return await this.#do('delegate', async () => {
      this.task.set(await api.tasks.delegate(this.#id(), to, this.seatId || undefined));
      this.seatId = '';
      return 'It is handed on.';
    });
  }

  async makeLink(seat: TaskSeat): Promise<boolean> {
    return await this.#do(`link:${seat.id}`, async () => {
      this.link = { seat, ...(await api.tasks.makeLink(this.#id(), seat.id)) };
      void this.task.refresh();
      return undefined;
    });
  }

  async revokeLink(seat: TaskSeat): Promise<boolean> {
    return await this.#do(`revoke:${seat.id}`, async () => {
      await api.tasks.revokeLink(this.#id(), seat.id);
      void this.task.refresh();
      return 'The link no longer works.';
    });
  }

  async #do(name: string, act: () => Promise<string | undefined>): Promise<boolean> {
    this.busy = name;
    try {
      const done = await act();
      if (done) tellDone(done);
      return true;
    } catch (error) {
      tellProblem(error);
      return false;
    } finally {
      this.busy = undefined;
    }
  }
}
