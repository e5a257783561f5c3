import { randomInt } from 'node:crypto';

/** `PLUMBLINE_FAULTS=full` is set by `npm run test:faults` and `npm run test:soak`; without it tests take their short form. */
export const full = process.env['PLUMBLINE_FAULTS'] === 'full';

/** A size in the short form and in the full one. */
export function size<T>(short: T, long: T): T {
  return full ? long : short;
}

/** What chance is drawn from; give `PLUMBLINE_SEED` to have the same again. */
export const seed = Number(process.env['PLUMBLINE_SEED'] ?? randomInt(1_000_000_000));

export interface Chance {
  /** From 0 up to but not including 1. */
  next(): number;
  /** A whole number below. */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
  shuffle<T>(items: readonly T[]): T[];
}

/** Chance that repeats itself for the same seed. */
export function chance(from: number): Chance {
  let state = from >>> 0;
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error('There is nothing to pick from');
      return item;
    },
    shuffle: (items) => {
      const all = [...items];
      for (let index = all.length - 1; index > 0; index--) {
        const other = below(index + 1);
        [all[index], all[other]] = [all[other] as never, all[index] as never];
      }
      return all;
    },
  };
}

/** One line with what a test measured: its row, its seed, its figures. */
export function report(row: string, figures: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify({ row, form: full ? 'full' : 'short', seed, ...figures })}\n`);
}
