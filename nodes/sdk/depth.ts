/** Says how many flows, one calling the next, led to a call. Set on every call to an address that a user typed. */
export const DEPTH_HEADER = 'plumbline-depth';

/** Longest such chain; one that is longer leads in a circle. */
export const DEPTH_MAX = 8;

/** What the header says; 0 where there is none, or none that can be read. */
export function depthOf(value: string | null | undefined): number {
  return value && /^\d{1,4}$/.test(value) ? Number(value) : 0;
}

/** A `fetch` whose calls say that they are one further than what led to them, whatever the caller sets. */
export function fetchAtDepth(fetch: typeof globalThis.fetch, depth: number): typeof globalThis.fetch {
  return async (input, init = {}) => {
    const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
    headers.set(DEPTH_HEADER, String(depth + 1));
    return await fetch(input, { ...init, headers });
  };
}
