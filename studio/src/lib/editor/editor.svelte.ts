import type { FlowDetail, FlowPublished, RunDetail, StepStatus } from '@plumbline/engine/contract';
import {
  canonicalJson,
  checkStructure,
  compile,
  LOOP_PORT,
  scopeSchema,
  type CatalogInfo,
  type Finding,
  type FlowDocument,
  type JsonSchema,
  type NodeTypeInfo,
} from '@plumbline/workflows/flow';
import { createContext } from 'svelte';
import { api } from '../api/client.ts';
import { ApiProblem, asProblem } from '../api/problem.ts';
import { Autosave, type SaveState } from './document/autosave.ts';
import type { Point } from './document/geometry.ts';
import { record, redo, startHistory, undo, type History } from './document/history.ts';
import type { Place } from './document/nodes.ts';
import { placed } from './document/layout.ts';
import { publishShown } from './document/publish-shown.ts';
import { stepNumbers } from './document/reading-order.ts';
import { setParam, setSlot, type Candidate } from './document/settings.ts';
import { Loops } from './loops.svelte.ts';
import { paintOf, travelled } from './runs/paint.ts';
import type { ChosenTurns } from './runs/turns.ts';
import { cardsOf } from './canvas/cards.ts';
import { Steps } from './steps.ts';

/** What the canvas shows: the draft, or something that cannot be changed. */
export type View =
  | { readonly kind: 'draft' }
  | { readonly kind: 'version'; readonly number: number; readonly document: FlowDocument }
  | { readonly kind: 'run'; readonly run: RunDetail };

/** A request for the palette: where the step goes, and where on the screen it opens. */
export interface PaletteRequest {
  readonly place: Place;
  readonly at: Point;
}

/** What the canvas lets others do with the viewport; set while it is shown. */
export interface Viewport {
  readonly fit: (nodeIds?: readonly string[]) => void;
  readonly show: (nodeId: string) => void;
  readonly zoom: (by: 'in' | 'out' | 'reset') => void;
  /** The point of the canvas in the middle of the screen. */
  readonly middle: () => Point;
  readonly focusNode: (nodeId: string) => void;
}

const noTravel: ReadonlySet<string> = new Set();

/** One flow on the drawing table: its document with all that was done to it, what is chosen, what is wrong, and how it is kept. */
export class Editor {
  readonly flowId: string;
  catalog = $state.raw<CatalogInfo>() as CatalogInfo;
  #history = $state.raw<History<FlowDocument>>() as History<FlowDocument>;
  #name = $state('');
  flow = $state.raw<FlowDetail>() as FlowDetail;
  selection = $state.raw<readonly string[]>([]);
  selectedEdges = $state.raw<readonly string[]>([]);
  view = $state.raw<View>({ kind: 'draft' });
  findings = $state.raw<readonly Finding[]>([]);
  saveState = $state.raw<SaveState>({ kind: 'saved', at: null });
  palette = $state.raw<PaletteRequest>();
  #opened = $state<string>();
  #flowOpen = $state(false);
  /** Field to bring into view in the inspector; a new object each time it is asked for. */
  fieldFocus = $state.raw<{ readonly nodeId: string; readonly field: string }>();
  /** For the live region. */
  said = $state('');
  candidates = $state.raw<readonly Candidate[]>([]);
  viewport: Viewport | undefined;
  readonly autosave: Autosave;
  readonly steps = new Steps(this);
  readonly loops: Loops;
  #compiling: ReturnType<typeof setTimeout> | undefined;

  /** Whether this person may change flows; others look on. */
  readonly mayEdit: boolean;

  constructor(flow: FlowDetail, catalog: CatalogInfo, mayEdit = true) {
    this.mayEdit = mayEdit;
    this.flowId = flow.id;
    this.catalog = { ...catalog, flowId: flow.id };
    this.flow = flow;
    this.#name = flow.name;
    this.#history = startHistory(placed(flow.draft));
    this.findings = flow.findings;
    this.loops = new Loops(this);
    this.autosave = new Autosave({
      revision: flow.revision,
      read: () => ({ name: this.#name.trim() || this.flow.name, document: this.draft }),
      write: (revision, draft) => api.flows.saveDraft(this.flowId, revision, draft),
      refusal: (error) => {
        const { code, detail, status } = asProblem(error);
        return {
          code,
          message: detail,
          passing: !(error instanceof ApiProblem) || status === 0 || status >= 500 || status === 429,
        };
      },
      onState: (state) => (this.saveState = state),
      onSaved: (saved, current) => {
        // The server's word counts; ours was only quicker.
        if (current) this.findings = saved.findings;
        this.changedSincePublish = true;
        // Undone back to what is published is no change; only the server can tell.
        if (current) this.refreshFlow().catch(() => {});
      },
      now: () => Date.now(),
    });
    this.changedSincePublish = flow.hasUnpublishedChanges;
  }

  changedSincePublish = $state(false);

  get draft(): FlowDocument {
    return this.#history.present;
  }

  /** What is on the canvas. */
  readonly shown: FlowDocument = $derived.by(() =>
    this.view.kind === 'draft'
      ? this.draft
      : placed(this.view.kind === 'run' ? this.view.run.document : this.view.document),
  );
  readonly readOnly: boolean = $derived.by(() => !this.mayEdit || this.view.kind !== 'draft');
  readonly structure = $derived.by(() => checkStructure(this.shown, this.catalog));
  readonly numbers = $derived(stepNumbers(this.shown));
  readonly errors = $derived(this.findings.filter((finding) => finding.severity === 'error'));
  readonly warnings = $derived(this.findings.filter((finding) => finding.severity === 'warning'));
  /** A draft that is being tried out, painted over the drawing while it can still be changed. */
  tried = $state.raw<RunDetail>();
  /** Steps whose result is pinned for tests. */
  pinned = $state.raw<ReadonlySet<string>>(new Set());
  /** Turns of loops that are looked at. */
  turns = $state.raw<ChosenTurns>({});
  /** The run that is painted, if one is. */
  readonly painted: RunDetail | undefined = $derived.by(() =>
    this.view.kind === 'run' ? this.view.run : this.view.kind === 'draft' ? this.tried : undefined,
  );
  readonly paint = $derived(this.painted ? paintOf(this.painted, this.turns) : undefined);
  readonly travelled = $derived(this.painted ? travelled(this.painted, this.turns) : noTravel);
  readonly cards = $derived.by(() =>
    cardsOf({
      document: this.shown,
      catalog: this.catalog,
      findings: this.view.kind === 'draft' ? this.findings : [],
      paint: this.paint,
      closed: this.loops.closed,
      pinned: this.view.kind === 'draft' ? this.pinned : undefined,
    }),
  );
  readonly triggerId = $derived(
    [...this.structure.types].filter(([, type]) => type.kind === 'trigger').map(([id]) => id)[0],
  );
  readonly triggerCount = $derived([...this.structure.types.values()].filter((type) => type.kind === 'trigger').length);

  /** The step whose inspector is open. */
  get opened(): string | undefined {
    return this.#opened;
  }

  set opened(nodeId: string | undefined) {
    this.#opened = nodeId;
    if (nodeId !== undefined) this.#flowOpen = false;
  }

  /** The flow's own settings are open, where a step's would be. */
  get flowOpen(): boolean {
    return this.#flowOpen;
  }

  set flowOpen(open: boolean) {
    this.#flowOpen = open;
    if (open) this.#opened = undefined;
  }

  get name(): string {
    return this.#name;
  }

  set name(name: string) {
    this.#name = name;
    this.autosave.touch();
  }

  get undoLabel(): string | undefined {
    return this.#history.past.at(-1)?.label;
  }

  get redoLabel(): string | undefined {
    return this.#history.future[0]?.label;
  }

  typeOf(nodeId: string): NodeTypeInfo | undefined {
    return this.structure.types.get(nodeId);
  }

  /** What expressions of a step may read. */
  scopeOf(nodeId: string): JsonSchema {
    return scopeSchema(this.shown, this.structure, nodeId);
  }

  statusOf(nodeId: string): StepStatus | undefined {
    return this.paint?.get(nodeId)?.status;
  }

  /** Does something to the draft. The same `merge` within a second is one step to undo. */
  run(label: string, change: (document: FlowDocument) => FlowDocument, merge?: string): void {
    if (this.readOnly) return;
    this.#set(record(this.#history, { label, state: change(this.draft), merge, at: Date.now() }));
  }

  undo(): void {
    if (this.readOnly) return;
    const label = this.undoLabel;
    this.#set(undo(this.#history));
    if (label) this.said = `Undone: ${label}`;
  }

  redo(): void {
    if (this.readOnly) return;
    const label = this.redoLabel;
    this.#set(redo(this.#history));
    if (label) this.said = `Done again: ${label}`;
  }

  #set(history: History<FlowDocument>): void {
    if (history === this.#history) return;
    this.#history = history;
    const { nodes, edges } = history.present;
    if (this.selection.some((id) => !nodes[id])) this.selection = this.selection.filter((id) => nodes[id]);
    if (this.selectedEdges.length > 0)
      this.selectedEdges = this.selectedEdges.filter((id) => edges.some((edge) => edge.id === id));
    if (this.opened !== undefined && !nodes[this.opened]) this.opened = undefined;
    this.#compileSoon();
    this.autosave.touch();
  }

  /** Small flows are checked with every key; large ones when the hand rests. */
  #compileSoon(): void {
    clearTimeout(this.#compiling);
    const size = Object.keys(this.draft.nodes).length;
    const check = () => (this.findings = compile(this.draft, this.catalog).findings);
    if (size <= 40) check();
    else this.#compiling = setTimeout(check, 200);
  }

  // — its settings —

  useSlotConnection(slot: string, connectionId: string | null): void {
    this.run('Change the connection', (document) => setSlot(document, slot, { id: connectionId }));
  }

  setSetting(id: string, value: FlowDocument['params'][string]['value']): void {
    this.run('Change a setting', (document) => setParam(document, id, { value }), `param:${id}`);
  }

  /** Takes another document over as the draft: a version, or somebody else's draft. It can be undone. */
  restore(label: string, document: FlowDocument): void {
    this.view = { kind: 'draft' };
    this.run(label, () => document);
  }

  // — what is chosen —

  select(nodeIds: readonly string[], edgeIds: readonly string[] = []): void {
    if (!sameList(nodeIds, this.selection)) this.selection = nodeIds;
    if (!sameList(edgeIds, this.selectedEdges)) this.selectedEdges = edgeIds;
    // The inspector follows the selection while it is open; it does not open by itself.
    const [only] = nodeIds;
    if (this.opened !== undefined && nodeIds.length === 1) this.opened = only;
  }

  /** Goes to where a finding is. */
  goTo(finding: Pick<Finding, 'nodeId' | 'field'>): void {
    this.view = { kind: 'draft' };
    const { nodeId, field } = finding;
    if (nodeId === undefined && field?.startsWith('params.')) this.flowOpen = true;
    if (nodeId === undefined || !this.draft.nodes[nodeId]) return;
    this.loops.reveal(nodeId);
    this.select([nodeId]);
    this.opened = nodeId;
    if (field !== undefined) this.fieldFocus = { nodeId, field };
    requestAnimationFrame(() => this.viewport?.show(nodeId));
  }

  askForStep(place: Place, at: Point): void {
    if (this.readOnly) return;
    const inside = place.kind === 'after' && place.port === LOOP_PORT && this.loops.ids.has(place.nodeId);
    this.palette = {
      place: inside ? { kind: 'inside', loopId: place.nodeId, ...(place.at ? { at: place.at } : {}) } : place,
      at,
    };
  }

  // — the server —

  /** Reads what others may have changed of the flow: its state, its versions. The draft here stays. */
  async refreshFlow(): Promise<void> {
    const flow = await api.flows.get(this.flowId);
    this.flow = flow;
    this.changedSincePublish = flow.hasUnpublishedChanges;
  }

  /** Publishes what is shown; what somebody else has made of it since is taken over instead. @throws ApiProblem */
  async publish(note: string | undefined): Promise<FlowPublished> {
    return await publishShown({
      autosave: this.autosave,
      publish: (revision) => api.flows.publish(this.flowId, revision, note),
      takeTheirs: () => this.settle('theirs'),
    });
  }

  /** Reads anew which flows there are to call, and checks the draft against them. @throws ApiProblem */
  async refreshFlows(): Promise<void> {
    const flows = await api.flows.interfaces();
    if (canonicalJson(flows) === canonicalJson(this.catalog.flows ?? null)) return;
    this.catalog = { ...this.catalog, flows };
    this.#compileSoon();
  }

  /** Ends a conflict: their draft replaces ours, or ours goes over theirs. */
  async settle(keep: 'mine' | 'theirs'): Promise<void> {
    const flow = await api.flows.get(this.flowId);
    this.flow = flow;
    if (keep === 'theirs') {
      this.#name = flow.name;
      this.#set(record(this.#history, { label: 'Take over their version', state: placed(flow.draft), at: Date.now() }));
    }
    await this.autosave.resolve(
      flow.revision,
      keep === 'theirs' ? { name: flow.name, document: flow.draft } : undefined,
    );
  }

  close(): void {
    clearTimeout(this.#compiling);
    this.autosave.stop();
  }
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

const [getEditor, setEditor] = createContext<Editor>();
export { getEditor, setEditor };
