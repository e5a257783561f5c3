import type { BrokenCaller, FlowDetail, FlowVersionSummary, Problem } from '@plumbline/engine/contract';
import { changesBetween, type FlowDocument } from '@plumbline/workflows/flow';
import { SvelteMap } from 'svelte/reactivity';
import { api } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import { refreshOn } from '../api/resource.svelte.ts';
import { catalog } from '../catalog.svelte.ts';
import { tellDone } from '../tell.ts';
import { authorsBetween } from './authors-between.ts';
import { both } from './both.ts';
import { fieldTitles } from './field-titles.ts';

/** A version's number as text, or the draft. */
export type Side = string;
export const DRAFT: Side = 'draft';

/** A flow's versions for ever, two of them side by side, and the ways back to an old one. */
export class VersionsPage {
  flow = $state.raw<FlowDetail>();
  versions = $state.raw<readonly FlowVersionSummary[]>();
  problem = $state.raw<Problem>();
  busy = $state(false);
  /** Flows that could no longer call this one, if the newer side were published in the place of the live version. */
  broken = $state.raw<readonly BrokenCaller[]>([]);
  readonly #flowId: () => string;
  readonly #chosen: () => { readonly from: Side | null; readonly to: Side | null };
  /** A version never changes, so each is fetched once. */
  readonly #documents = new SvelteMap<Side, FlowDocument>();

  /** Call while a component is set up; both are read reactively. */
  constructor(flowId: () => string, chosen: () => { readonly from: Side | null; readonly to: Side | null }) {
    this.#flowId = flowId;
    this.#chosen = chosen;
    $effect(() => {
      this.#flowId();
      void this.refresh();
    });
    catalog.load().catch(() => undefined);
    // Runs end, and the counts of open ones with them.
    refreshOn(['run'], () => void this.refresh());
    $effect(() => {
      for (const side of [this.from, this.to]) void this.#fetch(side);
    });
    $effect(() => {
      void this.#readBroken(this.to, this.flow?.publishedVersion ?? null);
    });
  }

  /** The older side: chosen, else the live version, else the one before it. */
  readonly from = $derived.by((): Side => {
    const { from } = this.#chosen();
    if (from) return from;
    const live = this.flow?.publishedVersion;
    if (live == null) return DRAFT;
    if (this.to === DRAFT) return String(live);
    const before = this.versions?.find(({ number }) => number < Number(this.to));
    return String(before?.number ?? this.to);
  });
  /** The newer side: chosen, else the draft when it differs from the live version, else that. */
  readonly to = $derived.by((): Side => {
    const { to } = this.#chosen();
    if (to) return to;
    const { flow } = this;
    return flow && flow.publishedVersion !== null && !flow.hasUnpublishedChanges
      ? String(flow.publishedVersion)
      : DRAFT;
  });

  readonly older = $derived.by(() => this.#document(this.from));
  readonly newer = $derived.by(() => this.#document(this.to));
  readonly changes = $derived.by(() =>
    this.older && this.newer ? changesBetween(this.older, this.newer, fieldTitles(catalog.info)) : undefined,
  );
  readonly picture = $derived.by(() =>
    this.older && this.newer && this.changes ? both(this.older, this.newer, this.changes) : undefined,
  );
  /** Of the changes shown, where one side follows the other and it is known. */
  readonly authors = $derived.by(() =>
    authorsBetween({
      versions: this.versions ?? [],
      draft: this.flow?.authors ?? {},
      from: placeOf(this.from),
      to: placeOf(this.to),
    }),
  );
  /** Runs that are still open in versions that are no longer live. */
  readonly draining = $derived.by(
    () =>
      this.versions?.reduce(
        (sum, { number, openRuns }) => sum + (number === this.flow?.publishedVersion ? 0 : openRuns),
        0,
      ) ?? 0,
  );

  readonly refresh = async (): Promise<void> => {
    try {
      const [flow, versions] = await Promise.all([api.flows.get(this.#flowId()), api.flows.versions(this.#flowId())]);
      this.flow = flow;
      this.versions = versions;
      this.problem = undefined;
    } catch (error) {
      this.problem = asProblem(error);
    }
  };

  /** @throws ApiProblem when it was refused */
  async rollBack(number: number, note: string): Promise<void> {
    await this.#act(async () => {
      const { number: made } = await api.flows.rollBack(this.#flowId(), number, note.trim() || undefined);
      tellDone(`Version ${made} is live: it is what version ${number} was.`);
    });
  }

  /** Takes an old version's drawing as the draft. @throws ApiProblem when it was refused */
  async draftFrom(number: number): Promise<void> {
    await this.#act(async () => {
      const { document } = await api.flows.version(this.#flowId(), number);
      const flow = await api.flows.get(this.#flowId());
      await api.flows.saveDraft(flow.id, flow.revision, { name: flow.name, document });
      tellDone(`The draft is now what version ${number} was.`);
    });
  }

  async #act(act: () => Promise<void>): Promise<void> {
    this.busy = true;
    try {
      await act();
    } finally {
      this.busy = false;
      void this.refresh();
    }
  }

  async #readBroken(to: Side, live: number | null): Promise<void> {
    this.broken = [];
    if (live === null || to === String(live)) return;
    const broken = await api.flows.brokenCallers(this.#flowId(), to === DRAFT ? undefined : to).catch(() => []);
    if (this.to === to) this.broken = broken;
  }

  #document(side: Side): FlowDocument | undefined {
    return side === DRAFT ? this.flow?.draft : this.#documents.get(side);
  }

  async #fetch(side: Side): Promise<void> {
    if (side === DRAFT || this.#documents.has(side) || !this.flow) return;
    try {
      const { document } = await api.flows.version(this.#flowId(), Number(side));
      this.#documents.set(side, document);
    } catch (error) {
      this.problem = asProblem(error);
    }
  }
}

/** Where a side stands among the versions: the draft comes after all of them. */
function placeOf(side: Side): number {
  return side === DRAFT ? Infinity : Number(side);
}
