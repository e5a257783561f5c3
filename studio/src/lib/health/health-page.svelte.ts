import type { Accounting, Health } from '@plumbline/engine/contract';
import { api } from '../api/client.ts';
import { resource, type Resource } from '../api/resource.svelte.ts';

const EVERY_MS = 30_000;

/** The parts of the house in an office's words. */
export const parts: readonly {
  readonly key: keyof Health['checks'];
  readonly title: string;
  readonly what: string;
}[] = [
  { key: 'database', title: 'Records', what: 'Keeps what came in, what ran and your own data.' },
  { key: 'temporal', title: 'Timers', what: 'Remembers what waits, and until when.' },
  { key: 'worker', title: 'Workers', what: 'Start the runs, and do their steps.' },
  { key: 'evaluator', title: 'Formulas', what: 'Compute what steps are given.' },
];

/** How the house does: looked at when the page opens, every half minute, and on request. */
export class HealthPage {
  readonly health: Resource<Health>;
  readonly accounts: Resource<Accounting>;

  /** Call while a component is set up. */
  constructor() {
    this.health = resource(api.health);
    this.accounts = resource(api.accounting);
    $effect(() => {
      const timer = setInterval(this.look, EVERY_MS);
      return () => clearInterval(timer);
    });
  }

  readonly looking = $derived.by(() => this.health.loading || this.accounts.loading);

  readonly look = (): void => {
    void this.health.refresh();
    void this.accounts.refresh();
  };
}
