import type { DispatcherStore } from '@plumbline/db';
import { pollOnce, type PollOptions } from './poll-once.ts';

const LOOK_MS = 1_000;
/** Vendors are slow: so many are waited for at once. */
const IN_FLIGHT = 8;

/**
 * Polls whatever is due, in one worker process of many: a subscription is leased to one of them at a time. It has a loop of its own, so that a slow vendor does
 * not hold up the dispatching of events.
 */
export class Poller {
  readonly #options: PollOptions & { readonly dispatcher: DispatcherStore };
  readonly #running = new Map<string, Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #looking = false;

  constructor(options: PollOptions & { readonly dispatcher: DispatcherStore }) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled(this.#running.values());
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#running.size >= IN_FLIGHT) return;
    this.#looking = true;
    const { deps, dispatcher } = this.#options;
    try {
      for (const { companyId, subscriptionId } of await dispatcher.duePolls(deps.now(), IN_FLIGHT * 2)) {
        if (this.#running.size >= IN_FLIGHT) break;
        if (this.#running.has(subscriptionId)) continue;
        const poll = pollOnce(this.#options, companyId, subscriptionId)
          .then(() => undefined)
          .catch((error: unknown) =>
            deps.log.error(
              { err: error, companyId, subscriptionId },
              'a poll could not be carried out; its lease runs out',
            ),
          )
          .finally(() => this.#running.delete(subscriptionId));
        this.#running.set(subscriptionId, poll);
      }
    } catch (error) {
      deps.log.error({ err: error }, 'polls that are due could not be read; it looks again in a second');
    }
    this.#looking = false;
  }
}
