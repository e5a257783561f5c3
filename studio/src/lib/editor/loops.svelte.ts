import {
  containersAround,
  findNodeType,
  isContainer,
  isTooDeep,
  type FlowDocument,
  type NodeTypeInfo,
} from '@plumbline/workflows/flow';
import { childrenOf, folded, loopsOf, outermost, parentOf, within, withInside } from './document/containers.ts';
import { framesOf, makeRoom } from './document/frames.ts';
import { movable, moveInto, removeWithInside, unwrapLoop, wrapInLoop } from './document/loop-steps.ts';
import { disconnect } from './document/nodes.ts';
import type { Editor } from './editor.svelte.ts';

const none: ReadonlySet<string> = new Set();

/** What is asked before loops that hold steps are deleted. */
export interface LoopDeletion {
  readonly nodeIds: readonly string[];
  readonly edgeIds: readonly string[];
}

/** The loops and scopes of a drawing: what stands in them, which are closed, and how steps get in and out. */
export class Loops {
  /** Loops drawn as a card only; how one looks at a drawing is no part of it. */
  closed = $state.raw(none);
  /** Waits for a person's word. */
  deleting = $state.raw<LoopDeletion>();
  /** Steps for which a loop is being chosen. */
  moving = $state.raw<readonly string[]>();
  /** Loop that what is being dragged would fall into. */
  target = $state<string>();
  readonly #editor: Editor;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  readonly ids: ReadonlySet<string> = $derived.by(() => loopsOf(this.#editor.shown, this.#editor.structure.types));
  /** What is in sight. */
  readonly visible: FlowDocument = $derived.by(() => folded(this.#editor.shown, this.closed));
  readonly frames = $derived.by(() =>
    framesOf(this.visible, new Set([...this.ids].filter((id) => !this.closed.has(id)))),
  );

  /** Steps in a loop, at any depth. */
  sizeOf(loopId: string): number {
    return within(this.#editor.shown, [loopId]).size;
  }

  toggle(loopId: string): void {
    const closed = new Set(this.closed);
    const closes = !closed.delete(loopId);
    if (closes) closed.add(loopId);
    this.closed = closed;
    this.#editor.said = `${this.#editor.shown.nodes[loopId]?.name ?? 'It'} ${closes ? 'closed' : 'opened'}`;
  }

  /** Opens whatever stands around a step, so that it can be seen. */
  reveal(nodeId: string): void {
    const around = containersAround(this.#editor.shown, nodeId).filter((id) => this.closed.has(id));
    if (around.length > 0) this.closed = new Set([...this.closed].filter((id) => !around.includes(id)));
  }

  /** Room is made for what has grown. */
  settled(document: FlowDocument): FlowDocument {
    return makeRoom(document, this.#loopsIn(document));
  }

  #loopsIn(document: FlowDocument): ReadonlySet<string> {
    return new Set(Object.keys(document.nodes).filter((id) => isContainer(this.#typeIn(document, id))));
  }

  #typeIn(document: FlowDocument, id: string): NodeTypeInfo | undefined {
    const node = document.nodes[id];
    return node && findNodeType(this.#editor.catalog, node.type, node.version);
  }

  /** Loops that steps may be moved into. */
  targetsFor(ids: readonly string[]): readonly string[] {
    const { draft, structure, numbers } = this.#editor;
    const moved = movable(draft, structure.types, ids);
    const [first] = moved;
    if (first === undefined) return [];
    const inner = new Set(withInside(draft, moved));
    const holds = [...inner].filter((id) => this.ids.has(id));
    const fits = (id: string) => holds.every((inside) => !isTooDeep(structure.types.get(inside), this.#kindsIn(id)));
    return [...this.ids]
      .filter((id) => !inner.has(id) && parentOf(draft, first) !== id && fits(id))
      .sort((a, b) => (numbers.get(a) ?? 0) - (numbers.get(b) ?? 0));
  }

  canLeave(ids: readonly string[]): boolean {
    return movable(this.#editor.draft, this.#editor.structure.types, ids).some(
      (id) => parentOf(this.#editor.draft, id) !== undefined,
    );
  }

  /** Puts steps into a loop; with one possible loop at once, with several they are offered. */
  askWhere(ids: readonly string[]): boolean {
    if (this.#editor.readOnly) return false;
    const targets = this.targetsFor(ids);
    const [only] = targets;
    if (only === undefined) {
      this.#editor.said = 'There is no loop or scope it could be moved into.';
      return false;
    }
    if (targets.length === 1) this.move(ids, only);
    else this.moving = ids;
    return true;
  }

  move(ids: readonly string[], loopId: string | undefined): void {
    const { draft, structure } = this.#editor;
    const names = movable(draft, structure.types, ids);
    const what = names.length === 1 ? (draft.nodes[names[0] ?? '']?.name ?? 'a step') : `${names.length} steps`;
    const where = this.where(ids, loopId);
    this.#editor.run(`Move ${what} ${where}`, (document) =>
      this.settled(moveInto(document, structure.types, { ids, loopId })),
    );
    this.#editor.said = `${what} moved ${where}`;
    const [first] = names;
    if (first !== undefined) {
      this.reveal(first);
      requestAnimationFrame(() => this.#editor.viewport?.show(first));
    }
  }

  /** The kinds of what stands around whatever is put into a loop or a scope. */
  #kindsIn(id: string): readonly (NodeTypeInfo | undefined)[] {
    const { draft, structure } = this.#editor;
    return [...containersAround(draft, id), id].map((around) => structure.types.get(around));
  }

  /** "into Each invoice", "out of Together". */
  where(ids: readonly string[], loopId: string | undefined): string {
    const { draft } = this.#editor;
    if (loopId !== undefined) return `into ${draft.nodes[loopId]?.name ?? 'it'}`;
    return `out of ${draft.nodes[parentOf(draft, ids[0] ?? '') ?? '']?.name ?? 'it'}`;
  }

  /** One loop or scope out, which may be into the one around it. */
  leave(ids: readonly string[]): boolean {
    const { draft } = this.#editor;
    const [first] = outermost(draft, ids);
    const loop = first === undefined ? undefined : parentOf(draft, first);
    if (loop === undefined || this.#editor.readOnly) return false;
    this.move(ids, parentOf(draft, loop));
    return true;
  }

  /** Steps that could be put into a new loop together. */
  wrappable(ids: readonly string[], type?: NodeTypeInfo): readonly string[] {
    const { draft, structure } = this.#editor;
    const moved = movable(draft, structure.types, ids);
    const [first] = moved;
    if (first === undefined) return [];
    const parent = parentOf(draft, first);
    const around = parent === undefined ? [] : this.#kindsIn(parent);
    return moved.every((id) => parentOf(draft, id) === parent) && !isTooDeep(type, around) ? moved : [];
  }

  wrap(type: NodeTypeInfo, ids: readonly string[]): void {
    let made: string | undefined;
    this.#editor.run(`Put ${ids.length === 1 ? 'a step' : `${ids.length} steps`} into ${type.title}`, (document) => {
      const wrapped = wrapInLoop(document, this.#editor.structure.types, { type, ids });
      made = wrapped?.nodeId;
      return wrapped ? this.settled(wrapped.document) : document;
    });
    if (made === undefined) return;
    const loopId = made;
    this.#editor.select([loopId]);
    this.#editor.opened = loopId;
    this.#editor.said = `${type.title} added around ${ids.length === 1 ? 'one step' : `${ids.length} steps`}`;
    requestAnimationFrame(() => this.#editor.viewport?.show(loopId));
  }

  /** Whether deleting would take steps along that were not chosen. @returns true when it is asked first */
  askBeforeDeleting(nodeIds: readonly string[], edgeIds: readonly string[]): boolean {
    const inner = [...within(this.#editor.draft, nodeIds)].filter((id) => !nodeIds.includes(id));
    if (inner.length === 0) return false;
    this.deleting = { nodeIds, edgeIds };
    return true;
  }

  /** Deletes what was asked about, with the steps inside or without them. */
  finishDeleting(keep: boolean): void {
    const asked = this.deleting;
    this.deleting = undefined;
    if (!asked) return;
    const { draft, structure } = this.#editor;
    const [only] = asked.nodeIds;
    const name =
      asked.nodeIds.length === 1 ? (draft.nodes[only ?? '']?.name ?? 'a step') : `${asked.nodeIds.length} steps`;
    this.#editor.run(keep ? `Delete ${name} and keep its steps` : `Delete ${name} with its steps`, (document) => {
      let next = disconnect(document, asked.edgeIds);
      if (keep)
        for (const id of asked.nodeIds)
          if (childrenOf(next, id).length > 0 && this.ids.has(id)) next = unwrapLoop(next, structure.types, id);
      return this.settled(removeWithInside(next, asked.nodeIds));
    });
    this.#editor.said = keep ? `Deleted ${name}, its steps stay` : `Deleted ${name} with its steps`;
  }
}
