import { performance } from 'node:perf_hooks';

/** So many runs of one company keep a process busy; more of them at once only make everybody wait longer for their next word. */
const ENOUGH = 100;
/** Above this share of its time the process is out of breath. */
const BREATHLESS = 0.9;
/** So often it is looked whether it has its breath back, and the share is taken over no shorter a time. */
const LOOK_MS = 50;

interface Waiting {
  readonly companyId: string;
  readonly enter: () => void;
}

/**
 * Keeps a process that is out of breath from taking up ever more runs of one company: thousands of them side by side are no faster than a hundred, and
 * the one run of a neighbour would stand in line behind each of their steps. Whoever has few under way comes in at once; and while there is breath, as
 * with runs that wait for slow vendors, everybody does.
 */
export class Admission {
  readonly #isBreathless: () => boolean;
  readonly #inside = new Map<string, number>();
  readonly #line: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(isBreathless: () => boolean = breathlessness()) {
    this.#isBreathless = isBreathless;
  }

  /**
   * Waits until runs of a company may be taken up together.
   * @returns to be called once for each of them, when it is done or not taken up after all.
   */
  async enter(companyId: string, runs: number): Promise<() => void> {
    // Those of the same company come in in the order in which they asked.
    if (this.#line.some((waiting) => waiting.companyId === companyId) || !this.#mayEnter(companyId)) {
      this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
      await new Promise<void>((enter) => {
        this.#line.push({ companyId, enter: () => (this.#count(companyId, runs), enter()) });
      });
    } else this.#count(companyId, runs);
    return () => {
      this.#count(companyId, -1);
      if (this.#line.length > 0) this.#look();
    };
  }

  #mayEnter(companyId: string): boolean {
    return (this.#inside.get(companyId) ?? 0) < ENOUGH || !this.#isBreathless();
  }

  #count(companyId: string, runs: number): void {
    const inside = (this.#inside.get(companyId) ?? 0) + runs;
    if (inside > 0) this.#inside.set(companyId, inside);
    else this.#inside.delete(companyId);
  }

  #look(): void {
    const passed = new Set<string>();
    for (const waiting of [...this.#line]) {
      if (passed.has(waiting.companyId)) continue;
      if (this.#mayEnter(waiting.companyId)) {
        this.#line.splice(this.#line.indexOf(waiting), 1);
        waiting.enter();
      }
      // One of each company at a time: what it brings is seen by the next look.
      passed.add(waiting.companyId);
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
