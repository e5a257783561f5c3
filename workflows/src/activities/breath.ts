import { performance } from 'node:perf_hooks';

/** The share is taken over no shorter a time. */
const LOOK_MS = 50;

/** How much of its time the event loop of this process has had to work of late. */
export class Breath {
  #since = performance.eventLoopUtilization();
  #at = performance.now();
  #share = 0;

  /** From 0, idle, to 1, out of breath. */
  get share(): number {
    if (performance.now() - this.#at >= LOOK_MS) {
      this.#share = performance.eventLoopUtilization(this.#since).utilization;
      this.#since = performance.eventLoopUtilization();
      this.#at = performance.now();
    }
    return this.#share;
  }
}
