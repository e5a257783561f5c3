import type { GroupDecision, GroupOutcome, Problem, StuckGroup } from '@plumbline/engine/contract';
import { api } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';

export type BulkAction = GroupDecision['action'];

/** One decision about everything that waits for the same reason: first what it would touch, then what came of it. */
export class BulkDecision {
  group = $state.raw<StuckGroup>();
  action = $state<BulkAction>('retry');
  /** What it would touch. */
  preview = $state.raw<GroupOutcome>();
  /** What came of it. */
  outcome = $state.raw<GroupOutcome>();
  problem = $state.raw<Problem>();
  busy = $state(false);
  /** For skip: the answer in the steps' place. */
  text = $state('{}');
  readonly #decided: () => void;

  constructor(decided: () => void) {
    this.#decided = decided;
  }

  readonly answer = $derived.by((): { readonly value: unknown } | undefined => {
    try {
      return { value: JSON.parse(this.text) };
    } catch {
      return undefined;
    }
  });
  readonly ready = $derived.by(
    () => this.preview !== undefined && (this.action !== 'skip' || this.answer !== undefined),
  );

  async ask(group: StuckGroup, action: BulkAction): Promise<void> {
    this.group = group;
    this.action = action;
    this.preview = this.outcome = this.problem = undefined;
    this.text = '{}';
    try {
      const preview = await api.runs.decideGroup(group.fingerprint, { action, dryRun: true });
      if (this.group === group) this.preview = preview;
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  /** Decides about exactly those that were shown, whatever has joined them since. */
  async decide(): Promise<void> {
    const { group, preview, action } = this;
    if (!group || !preview) return;
    this.busy = true;
    try {
      this.outcome = await api.runs.decideGroup(group.fingerprint, {
        action,
        dryRun: false,
        runIds: preview.steps.map(({ runId }) => runId),
        ...(action === 'skip' ? { output: this.answer?.value } : {}),
      });
      this.problem = undefined;
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.busy = false;
    this.#decided();
  }

  close(): void {
    this.group = undefined;
  }
}
