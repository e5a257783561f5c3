export interface Random {
  /** A whole number, both ends included. */
  whole(low: number, high: number): number;
  one<T>(of: readonly T[]): T;
  chance(probability: number): boolean;
}

/** Numbers that look random and are the same for the same seed (mulberry32). */
export function pseudoRandom(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const whole = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return { whole, one: (of) => of[whole(0, of.length - 1)] as never, chance: (probability) => next() < probability };
}
