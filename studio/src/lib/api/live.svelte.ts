import type { LiveChange } from '@plumbline/engine/contract';

export type LiveTopic = LiveChange['topic'];
export type LiveListener = (change: LiveChange) => void;

const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000] as const;

/** One stream of changes for the whole page: opened by the first listener, closed after the last, reopened when it breaks. */
class Live {
  /** Whether changes arrive; `false` also while nobody listens. */
  connected = $state(false);
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  readonly #listeners = new Map<LiveTopic, Set<LiveListener>>();

  /**
   * Calls `listener` for every change of a topic.
   * Whenever the stream begins it is called once with id `*`: something may have been missed, so fetch again.
   * @returns what stops it
   */
  onChange(topic: LiveTopic, listener: LiveListener): () => void {
    const set = this.#listeners.get(topic) ?? new Set();
    set.add(listener);
    this.#listeners.set(topic, set);
    this.#open();
    return () => {
      set.delete(listener);
      if (set.size === 0) this.#listeners.delete(topic);
      // A page change removes and adds listeners in one go; closing at once would reconnect for nothing.
      setTimeout(() => {
        if (this.#listeners.size === 0) this.close();
      }, 1_000);
    };
  }

  /** Ends the stream, for instance before changing company. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#source?.close();
    this.#source = undefined;
    this.connected = false;
  }

  /** Opens the stream anew, as another company's. */
  restart(): void {
    this.close();
    if (this.#listeners.size > 0) this.#open();
  }

  #open(): void {
    if (this.#source || this.#timer) return;
    const source = new EventSource('/api/live');
    this.#source = source;
    source.addEventListener('open', (event) => {
      this.connected = true;
      // The server's own word, after the browser's: from now on nothing is missed. What changed before, since the page was fetched, may have been.
      if (!(event instanceof MessageEvent)) return;
      this.#tries = 0;
      this.#tellAll();
    });
    source.addEventListener('change', (event: MessageEvent<string>) => {
      const change = JSON.parse(event.data) as LiveChange;
      for (const listener of [...(this.#listeners.get(change.topic) ?? [])]) listener(change);
    });
    // The browser's own retry gives up after some answers (401, a proxy's 502); ours does not while someone listens.
    source.addEventListener('error', () => {
      this.close();
      const wait = RETRY_MS[Math.min(this.#tries, RETRY_MS.length - 1)];
      this.#tries += 1;
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#listeners.size > 0) this.#open();
      }, wait);
    });
  }

  #tellAll(): void {
    for (const [topic, set] of this.#listeners) for (const listener of [...set]) listener({ topic, id: '*' });
  }
}

export const live = new Live();

/** Shorthand for `live.onChange`. */
export function onChange(topic: LiveTopic, listener: LiveListener): () => void {
  return live.onChange(topic, listener);
}
