/** Tokens of one address, and when they were counted. */
interface Bucket {
  tokens: number;
  at: number;
}

/** Addresses it remembers; beyond that the fullest have long been full again. */
const BUCKETS_MAX = 20_000;

/** How many deliveries an address takes, by token buckets of this process: a flood at one address leaves the others alone. */
export class EndpointLimit {
  readonly #buckets = new Map<string, Bucket>();
  readonly #perSecond: number;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /**
   * Takes one delivery.
   * @param perMinute the address's own limit, where it has one; it may be used up at once.
   * @returns 0 when it may come in, else the whole seconds until the next may.
   */
  take(key: string, now: Date, perMinute: number | undefined): number {
    const perSecond = perMinute === undefined ? this.#perSecond : Math.min(this.#perSecond, perMinute / 60);
    const capacity = Math.max(1, perMinute === undefined ? perSecond * 2 : Math.min(perMinute, this.#perSecond * 2));
    const time = now.getTime();
    const bucket = this.#buckets.get(key) ?? { tokens: capacity, at: time };
    // A clock that is set back adds nothing, and takes nothing either.
    const gained = (Math.max(0, time - bucket.at) / 1_000) * perSecond;
    const tokens = Math.min(capacity, bucket.tokens + gained);
    const taken = tokens >= 1;
    if (!this.#buckets.has(key) && this.#buckets.size >= BUCKETS_MAX) this.#buckets.clear();
    this.#buckets.set(key, { tokens: taken ? tokens - 1 : tokens, at: time });
    return taken ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond));
  }
}
