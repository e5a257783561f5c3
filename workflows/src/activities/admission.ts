import { Breath } from './breath.ts';
import type { Neighbours } from './neighbours.ts';

/** So often it is looked whether those in line may come in. */
const LOOK_MS = 50;
/** Above this share of its time a process is out of breath; and above that one while several companies share it. */
const BREATHLESS = { alone: 0.9, shared: 0.6 };
/** Nobody who brings runs waits longer: they hold a task of Temporal, which has to end. */
const PATIENCE_MS = 4_000;

/** How many runs of one company keep a process busy while it is there alone, and how many leave room for others beside it. */
export interface Enough {
  readonly alone: number;
  readonly shared: number;
}

interface Waiting {
  readonly companyId: string;
  readonly enter: () => void;
  /** On the clock of `performance.now()`. */
  readonly until: number;
}

/**
 * Keeps one company from crowding a process that is out of breath: more of its runs at once are no faster than enough of them, and the one run of a neighbour
 * would stand in line behind each of their steps. Where several companies share the process, each leaves room for the others. Whoever has few under way comes
 * in at once; and while there is breath, everybody does.
 */
export class Admission {
  readonly #enough: Enough;
  readonly #neighbours: Neighbours;
  readonly #breath: Pick<Breath, 'share'>;
  readonly #inside = new Map<string, number>();
  readonly #line: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(enough: Enough, neighbours: Neighbours, breath: Pick<Breath, 'share'> = new Breath()) {
    this.#enough = enough;
    this.#neighbours = neighbours;
    this.#breath = breath;
  }

  /** Whether runs of a company would come in at once. */
  isOpen(companyId: string): boolean {
    // Those of the same company come in in the order in which they asked.
    return !this.#line.some((waiting) => waiting.companyId === companyId) && this.#mayEnter(companyId);
  }

  /**
   * Waits until runs of a company may come in together.
   * @returns to be called once for each of them, when it is done or has not begun after all.
   */
  async enter(companyId: string, runs: number): Promise<() => void> {
    if (this.isOpen(companyId)) this.#count(companyId, runs);
    else {
      this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
      await new Promise<void>((enter) => {
        const until = runs > 0 ? performance.now() + PATIENCE_MS : Infinity;
        this.#line.push({ companyId, until, enter: () => (this.#count(companyId, runs), enter()) });
      });
    }
    return () => {
      this.#count(companyId, -1);
      if (this.#line.length > 0) this.#look();
    };
  }

  #mayEnter(companyId: string): boolean {
    const how = this.#neighbours.has(companyId) ? 'shared' : 'alone';
    return (this.#inside.get(companyId) ?? 0) < this.#enough[how] || this.#breath.share <= BREATHLESS[how];
  }

  #count(companyId: string, runs: number): void {
    const inside = (this.#inside.get(companyId) ?? 0) + runs;
    if (inside > 0) this.#inside.set(companyId, inside);
    else this.#inside.delete(companyId);
  }

  #look(): void {
    const passed = new Set<string>();
    for (const waiting of [...this.#line]) {
      const { companyId, until } = waiting;
      if (passed.has(companyId)) continue;
      if (this.#mayEnter(companyId) || performance.now() > until) {
        this.#line.splice(this.#line.indexOf(waiting), 1);
        waiting.enter();
      }
      // One of each company at a time: what it brings is seen by the next look.
      passed.add(companyId);
    }
    if (this.#line.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
