import type { Problem } from '@plumbline/engine/contract';
import { onChange, type LiveTopic } from './live.svelte.ts';
import { asProblem } from './problem.ts';

/** Something fetched: its value, what went wrong, and a way to fetch it again. */
export class Resource<T> {
  value = $state.raw<T>();
  error = $state.raw<Problem>();
  /** A fetch is under way; the value before it stays. */
  loading = $state(true);
  #ticket = 0;
  readonly #load: () => Promise<T>;

  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  /** Fetches again. Only the newest answer counts. */
  readonly refresh = async (): Promise<void> => {
    const ticket = ++this.#ticket;
    this.loading = true;
    try {
      const value = await this.#load();
      if (ticket !== this.#ticket) return;
      this.value = value;
      this.error = undefined;
    } catch (error) {
      if (ticket !== this.#ticket) return;
      this.error = asProblem(error);
    }
    this.loading = false;
  };

  /** Shows a value before the engine has confirmed it; an answer on its way is dropped. */
  set(value: T): void {
    this.#ticket += 1;
    this.loading = false;
    this.value = value;
  }
}

/**
 * Fetches now and whenever what `load` reads before its first `await` changes. Call while a component is set up.
 * The value of the former arguments stays until the new one is there.
 */
export function resource<T>(load: () => Promise<T>): Resource<T> {
  const made = new Resource(load);
  $effect(() => {
    void made.refresh();
  });
  return made;
}

/** Fetches again when one of the topics changes, at most once per 250 ms. Call while a component is set up. */
export function refreshOn(topics: readonly LiveTopic[], refresh: () => void, concerns?: (id: string) => boolean): void {
  $effect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stops = topics.map((topic) =>
      onChange(topic, (change) => {
        if (change.id !== '*' && concerns && !concerns(change.id)) return;
        timer ??= setTimeout(() => {
          timer = undefined;
          refresh();
        }, 250);
      }),
    );
    return () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
    };
  });
}
