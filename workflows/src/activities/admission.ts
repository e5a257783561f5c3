import { performance } from 'node:perf_hooks';

/** Above this share of its time a process is out of breath. */
const BREATHLESS = 0.9;
/** So often it is looked whether it has its breath back, and the share is taken over no shorter a time. */
const LOOK_MS = 50;

interface Waiting {
  readonly companyId: string;
  readonly enter: () => void;
}

/**
 * Keeps one company from crowding a process that is out of breath: more of its runs at once are no faster than enough of them, and the one run of a neighbour
 * would stand in line behind each of their steps. Whoever has few under way comes in at once; and while there is breath, everybody does.
 */
export class Admission {
  readonly #enough: number;
  readonly #isBreathless: () => boolean;
  readonly #inside = new Map<string, number>();
  readonly #line: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param enough So many runs of one company keep the process busy. */
  constructor(enough: number, isBreathless: () => boolean = breathlessness()) {
    this.#enough = enough;
    this.#isBreathless = isBreathless;
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
        this.#line.push({ companyId, enter: () => (this.#count(companyId, runs), enter()) });
      });
    }
    return () => {
      this.#count(companyId, -1);
      if (this.#line.length > 0) this.#look();
    };
  }

  #mayEnter(companyId: string): boolean {
    return (this.#inside.get(companyId) ?? 0) < this.#enough || !this.#isBreathless();
  }

  #count(companyId: string, runs: number): void {
    const inside = (this.#inside.get(companyId) ?? 0) + runs;
    if (inside > 0) this.#inside.set(companyId, inside);
    else this.#inside.delete(companyId);
  }

  #look(): void {
    const passed = new Set<string>();
    for (const waiting of [...this.#line]) {
      const { companyId } = waiting;
      if (passed.has(companyId)) continue;
      if (this.#mayEnter(companyId)) {
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

/** Whether this process has had hardly any time to spare of late. */
function breathlessness(): () => boolean {
  let since = performance.eventLoopUtilization();
  let at = performance.now();
  let breathless = false;
  return () => {
    if (performance.now() - at < LOOK_MS) return breathless;
    breathless = performance.eventLoopUtilization(since).utilization > BREATHLESS;
    since = performance.eventLoopUtilization();
    at = performance.now();
    return breathless;
  };
}
