import { createSubscriber } from 'svelte/reactivity';

/** A clock that components may read: it ticks only while someone does. */
class Clock {
  readonly #subscribe: () => void;

  constructor(everyMs: number) {
    this.#subscribe = createSubscriber((update) => {
      const timer = setInterval(update, everyMs);
      return () => clearInterval(timer);
    });
  }

  /** Milliseconds since 1970, read anew with every tick. */
  get now(): number {
    this.#subscribe();
    return Date.now();
  }
}

/** For "4 min ago". */
export const slowClock = new Clock(10_000);
/** For what runs under one's eyes. */
export const fastClock = new Clock(250);
