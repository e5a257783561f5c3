import type { GroupDecision, GroupOutcome, Problem, StuckGroup } from '@plumbline/engine/contract';
import { exampleOf } from '@plumbline/workflows/flow';
import { api } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import { catalog } from '../catalog.svelte.ts';
import { JsonText } from '../ui/json-text.svelte.ts';

/** `edit` tries again with some fields replaced in each. */
export type BulkAction = GroupDecision['action'] | 'edit';

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
  /** For `skip` the answer in the steps' place, for `edit` the fields that are replaced. */
  json = $state.raw(new JsonText({}));
  compensate = $state(false);
  /** For `skip`: the way they go on; empty where there is no choice. */
  port = $state('');
  readonly #decided: () => void;
  #ticket = 0;

  constructor(decided: () => void) {
    this.#decided = decided;
    catalog.load().catch(() => undefined);
  }

  readonly written = $derived.by(() => this.action === 'skip' || this.action === 'edit');
  /** Steps that the decision fits. */
  readonly fitting = $derived.by(() => (this.preview ? this.preview.steps.length - this.preview.refused.length : 0));
  /** Ways that are to be chosen from. */
  readonly ways = $derived.by(() => {
    const ports = this.action === 'skip' ? (this.group?.ports ?? []) : [];
    return ports.length > 1 ? ports : [];
  });
  readonly ready = $derived.by(() => this.fitting > 0 && (!this.written || this.json.fine));

  async ask(group: StuckGroup, action: BulkAction): Promise<void> {
    this.group = group;
    this.action = action;
    this.compensate = false;
    // Named, so that each goes the way that is shown, and what does not have it is left as it is.
    this.port = this.ways[0]?.id ?? '';
    this.preview = this.outcome = this.problem = undefined;
    const type = (): ReturnType<typeof catalog.nodeType> => catalog.nodeType(group.type, group.typeVersion);
    this.json =
      action === 'skip'
        ? new JsonText(exampleOf(type()?.output) ?? {})
        : new JsonText({}, () => {
            const schema = type()?.input;
            // Some of the fields, not all of them.
            return schema && { ...schema, required: [] };
          });
    await this.look();
  }

  /** Chooses a way, which some may not have, and asks again what the decision would touch. */
  async goAlong(port: string): Promise<void> {
    this.port = port;
    await this.look();
  }

  /** Asks what the decision would touch as it is written now. */
  async look(): Promise<void> {
    const { group } = this;
    if (!group || !this.json.fine) return;
    const ticket = ++this.#ticket;
    try {
      const preview = await api.runs.decideGroup(group.fingerprint, { ...this.#decision(), dryRun: true });
      if (ticket !== this.#ticket) return;
      this.preview = preview;
      this.problem = undefined;
    } catch (error) {
      if (ticket === this.#ticket) this.problem = asProblem(error);
    }
  }

  /** Decides about exactly those that were shown, whatever has joined them since. */
  async decide(): Promise<void> {
    const { group, preview } = this;
    if (!group || !preview) return;
    this.busy = true;
    try {
      this.outcome = await api.runs.decideGroup(group.fingerprint, {
        ...this.#decision(),
        dryRun: false,
        runIds: preview.steps.map(({ runId }) => runId),
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

  #decision(): Omit<GroupDecision, 'dryRun'> {
    const { action } = this;
    const value = this.json.parsed?.value;
    if (action === 'edit') return { action: 'retry', patch: (value ?? {}) as Record<string, unknown> };
    if (action === 'skip') return { action, output: value, ...(this.port ? { port: this.port } : {}) };
    return action === 'abort' && this.compensate ? { action, compensate: true } : { action };
  }
}
