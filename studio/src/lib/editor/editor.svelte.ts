import type { FlowDetail, RunDetail, StepStatus } from '@plumbline/engine/contract';
import {
  canonicalJson,
  checkStructure,
  compile,
  LOOP_PORT,
  defaultPolicy,
  isScope,
  scopeSchema,
  type CatalogInfo,
  type Finding,
  type FlowDocument,
  type FlowNode,
  type JsonSchema,
  type Mapping,
  type NodeTypeInfo,
} from '@plumbline/workflows/flow';
import { createContext } from 'svelte';
import { api } from '../api/client.ts';
import { ApiProblem, asProblem } from '../api/problem.ts';
import { Autosave, type SaveState } from './document/autosave.ts';
import { duplicateNodes, pasteNodes } from './document/clipboard.ts';
import { parentOf } from './document/containers.ts';
import type { Point } from './document/geometry.ts';
import { record, redo, startHistory, undo, type History } from './document/history.ts';
import { tidy } from './document/layout.ts';
import { moveInto } from './document/loop-steps.ts';
import { addNode, connect, disconnect, moveNodes, removeNodes, wouldCircle, type Place } from './document/nodes.ts';
import { stepNumbers } from './document/reading-order.ts';
import {
  chooseConnection,
  ensureSlot,
  setInput,
  setNode,
  setParam,
  setPortsInput,
  setSlot,
  type Candidate,
} from './document/settings.ts';
import { Loops } from './loops.svelte.ts';
import { paintOf, travelled } from './runs/paint.ts';
import type { ChosenTurns } from './runs/turns.ts';
import { cardsOf } from './canvas/cards.ts';

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
    this.#history = startHistory(flow.draft);
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
    this.view.kind === 'draft' ? this.draft : this.view.kind === 'run' ? this.view.run.document : this.view.document,
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

  // — steps —

  add(type: NodeTypeInfo, place: Place): void {
    let added = '';
    this.run(`Add ${type.title}`, (document) => {
      const connector = this.catalog.connectors.find((candidate) => candidate.id === type.connector);
      const slotted = connector ? ensureSlot(document, connector, this.candidates) : undefined;
      const result = addNode(slotted?.document ?? document, type, place, {
        inputs: literalDefaults(type),
        ...(slotted ? { connection: slotted.slot } : {}),
      });
      added = result.nodeId;
      return this.loops.settled(result.document);
    });
    if (added === '') return;
    this.loops.reveal(added);
    this.select([added]);
    this.opened = added;
    this.said = `${type.title} added`;
    requestAnimationFrame(() => this.viewport?.show(added));
  }

  connect(from: string, port: string, to: string): void {
    if (this.canConnect(from, to, port)) this.run('Connect steps', (document) => connect(document, from, port, to));
  }

  /** Lines stay on their side of a loop's border; only the loop itself leads inside. */
  canConnect(from: string, to: string, port = 'out'): boolean {
    const inside = port === LOOP_PORT && this.loops.ids.has(from);
    return (
      from !== to &&
      this.structure.types.get(to)?.kind !== 'trigger' &&
      parentOf(this.draft, to) === (inside ? from : parentOf(this.draft, from)) &&
      !wouldCircle(this.draft, from, to)
    );
  }

  disconnect(ids: readonly string[]): void {
    this.run(ids.length === 1 ? 'Remove a line' : `Remove ${ids.length} lines`, (document) =>
      disconnect(document, ids),
    );
  }

  /** Deletes what is selected, lines and steps. */
  remove(nodeIds: readonly string[], edgeIds: readonly string[] = []): void {
    if (nodeIds.length + edgeIds.length === 0 || this.readOnly) return;
    if (this.loops.askBeforeDeleting(nodeIds, edgeIds)) return;
    const [only] = nodeIds;
    const label =
      nodeIds.length === 0
        ? 'Remove a line'
        : nodeIds.length === 1 && only
          ? `Delete ${this.draft.nodes[only]?.name ?? 'step'}`
          : `Delete ${nodeIds.length} steps`;
    this.run(label, (document) => removeNodes(disconnect(document, edgeIds), nodeIds));
    this.said = label.replace('Delete', 'Deleted').replace('Remove', 'Removed');
  }

  duplicate(ids: readonly string[]): void {
    this.#insert(ids.length === 1 ? 'Duplicate a step' : `Duplicate ${ids.length} steps`, (document) =>
      duplicateNodes(document, ids),
    );
  }

  /** Puts copied steps on the canvas. @returns false when the text holds none */
  paste(text: string, at?: Point): boolean {
    const [beside] = this.selection;
    const loop = beside === undefined ? undefined : parentOf(this.draft, beside);
    return this.#insert('Paste', (document) => pasteNodes(document, text, { at, into: () => loop }));
  }

  #insert(
    label: string,
    make: (document: FlowDocument) => { document: FlowDocument; nodeIds: readonly string[] } | undefined,
  ): boolean {
    const made = this.readOnly ? undefined : make(this.draft);
    if (!made) return false;
    let { document } = made;
    for (const id of made.nodeIds) {
      const node = document.nodes[id];
      const type = node && this.catalog.nodeTypes.find((candidate) => candidate.id === node.type);
      const connector = this.catalog.connectors.find((candidate) => candidate.id === type?.connector);
      if (connector && node?.connection) ({ document } = ensureSlot(document, connector, this.candidates));
    }
    this.run(
      `${label} ${made.nodeIds.length === 1 ? (document.nodes[made.nodeIds[0] ?? '']?.name ?? '') : ''}`.trim(),
      () => this.loops.settled(document),
    );
    this.select(made.nodeIds);
    this.said = made.nodeIds.length === 1 ? 'One step added' : `${made.nodeIds.length} steps added`;
    return true;
  }

  move(positions: Readonly<Record<string, Point>>, merge?: string): void {
    const count = Object.keys(positions).length;
    this.run(
      count === 1 ? 'Move a step' : `Move ${count} steps`,
      (document) => this.loops.settled(moveNodes(document, positions)),
      merge,
    );
  }

  /** Ends a drag: cards stand where they were let go of, and those that crossed the border of a loop are in it, or out. */
  drop(positions: Readonly<Record<string, Point>>, crossing: readonly string[], loopId: string | undefined): void {
    if (crossing.length === 0) return this.move(positions);
    const where = this.loops.where(crossing, loopId);
    this.run(`Move ${crossing.length === 1 ? 'a step' : `${crossing.length} steps`} ${where}`, (document) =>
      this.loops.settled(
        moveInto(moveNodes(document, positions), this.structure.types, { ids: crossing, loopId, placed: true }),
      ),
    );
    this.said = `Moved ${where}`;
  }

  tidy(): void {
    this.run('Tidy the drawing', (document) => moveNodes(document, tidy(document, this.loops.ids)));
    requestAnimationFrame(() => this.viewport?.fit());
  }

  rename(nodeId: string, name: string): void {
    if (name.trim() !== '')
      this.run(
        'Rename a step',
        (document) => setNode(document, nodeId, { name: name.slice(0, 120) }),
        `name:${nodeId}`,
      );
  }

  change(nodeId: string, label: string, change: Partial<FlowNode>, merge?: string): void {
    this.run(label, (document) => setNode(document, nodeId, change), merge);
  }

  toggle(ids: readonly string[]): void {
    const off = !ids.every((id) => this.draft.nodes[id]?.disabled);
    this.run(off ? 'Switch off' : 'Switch on', (document) =>
      ids.reduce((next, id) => setNode(next, id, { disabled: off || undefined }), document),
    );
  }

  /** What happens on an error; where nothing can go along an error way its line goes too. */
  setOnError(nodeId: string, onError: NonNullable<FlowNode['onError']>): void {
    this.run('Change what happens on an error', (document) => {
      const next = setNode(document, nodeId, {
        onError: onError === defaultPolicy(document, this.structure.types, nodeId) ? undefined : onError,
      });
      // A person may send a step that waits for them along that way, too.
      return onError === 'port' || onError === 'park' || isScope(this.typeOf(nodeId))
        ? next
        : disconnect(
            next,
            next.edges.filter((edge) => edge.from === nodeId && edge.port === 'error').map((edge) => edge.id),
          );
    });
  }

  setField(
    nodeId: string,
    field: { readonly name: string; readonly title: string },
    mapping: Mapping | undefined,
  ): void {
    const type = this.typeOf(nodeId);
    this.run(
      `Change ${field.title}`,
      (document) => {
        if (type?.portsFrom !== field.name) return setInput(document, nodeId, field.name, mapping);
        const listed =
          mapping?.kind === 'literal' && Array.isArray(mapping.value)
            ? mapping.value.map((item) => String((item as { id?: unknown } | null)?.id ?? ''))
            : [];
        return setPortsInput(document, nodeId, field.name, mapping, [
          ...listed,
          ...type.ports.map((port) => port.id),
          'error',
        ]);
      },
      `input:${nodeId}:${field.name}`,
    );
  }

  useConnection(nodeId: string, connectionId: string | null): void {
    const connector = this.catalog.connectors.find((candidate) => candidate.id === this.typeOf(nodeId)?.connector);
    if (connector)
      this.run('Change the connection', (document) => chooseConnection(document, nodeId, connector, connectionId));
  }

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
      this.#set(record(this.#history, { label: 'Take over their version', state: flow.draft, at: Date.now() }));
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

/** What the schema gives by itself is left to the engine; choices of a trigger start with their first, so that data is known at once. */
function literalDefaults(type: NodeTypeInfo): FlowNode['inputs'] {
  // A new one looks up in what everybody keeps together; those from before have a table of their own, which is the field's default.
  const inputs: FlowNode['inputs'] = type.id === 'core.lookup' ? { source: { kind: 'literal', value: 'map' } } : {};
  for (const [name, schema] of Object.entries(type.input.properties ?? {})) {
    if (
      schema.default === undefined &&
      type.kind === 'trigger' &&
      schema.enum?.[0] !== undefined &&
      type.input.required?.includes(name)
    )
      inputs[name] = { kind: 'literal', value: schema.enum[0] as string };
  }
  return inputs;
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

const [getEditor, setEditor] = createContext<Editor>();
export { getEditor, setEditor };
