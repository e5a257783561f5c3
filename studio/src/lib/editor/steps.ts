import {
  defaultPolicy,
  isScope,
  LOOP_PORT,
  type FlowDocument,
  type FlowNode,
  type Mapping,
  type NodeTypeInfo,
} from '@plumbline/workflows/flow';
import { duplicateNodes, pasteNodes } from './document/clipboard.ts';
import { parentOf } from './document/containers.ts';
import type { Point } from './document/geometry.ts';
import { tidy } from './document/layout.ts';
import { moveInto } from './document/loop-steps.ts';
import { addNode, connect, disconnect, moveNodes, removeNodes, wouldCircle, type Place } from './document/nodes.ts';
import { chooseConnection, ensureSlot, setInput, setNode, setPortsInput } from './document/settings.ts';
import type { Editor } from './editor.svelte.ts';

/** What a hand does to the steps of a drawing and to the lines between them; each is one thing to undo. */
export class Steps {
  readonly #editor: Editor;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  add(type: NodeTypeInfo, place: Place): void {
    let added = '';
    this.#editor.run(`Add ${type.title}`, (document) => {
      const connector = this.#editor.catalog.connectors.find((candidate) => candidate.id === type.connector);
      const slotted = connector ? ensureSlot(document, connector, this.#editor.candidates) : undefined;
      const result = addNode(slotted?.document ?? document, type, place, {
        inputs: literalDefaults(type),
        ...(slotted ? { connection: slotted.slot } : {}),
      });
      added = result.nodeId;
      return this.#editor.loops.settled(result.document);
    });
    if (added === '') return;
    this.#editor.loops.reveal(added);
    this.#editor.select([added]);
    this.#editor.opened = added;
    this.#editor.said = `${type.title} added`;
    requestAnimationFrame(() => this.#editor.viewport?.show(added));
  }

  connect(from: string, port: string, to: string): void {
    if (this.canConnect(from, to, port))
      this.#editor.run('Connect steps', (document) => connect(document, from, port, to));
  }

  /** Lines stay on their side of a loop's border; only the loop itself leads inside. */
  canConnect(from: string, to: string, port = 'out'): boolean {
    const inside = port === LOOP_PORT && this.#editor.loops.ids.has(from);
    return (
      from !== to &&
      this.#editor.structure.types.get(to)?.kind !== 'trigger' &&
      parentOf(this.#editor.draft, to) === (inside ? from : parentOf(this.#editor.draft, from)) &&
      !wouldCircle(this.#editor.draft, from, to)
    );
  }

  disconnect(ids: readonly string[]): void {
    this.#editor.run(ids.length === 1 ? 'Remove a line' : `Remove ${ids.length} lines`, (document) =>
      disconnect(document, ids),
    );
  }

  /** Deletes what is selected, lines and steps. */
  remove(nodeIds: readonly string[], edgeIds: readonly string[] = []): void {
    if (nodeIds.length + edgeIds.length === 0 || this.#editor.readOnly) return;
    if (this.#editor.loops.askBeforeDeleting(nodeIds, edgeIds)) return;
    const [only] = nodeIds;
    const label =
      nodeIds.length === 0
        ? 'Remove a line'
        : nodeIds.length === 1 && only
          ? `Delete ${this.#editor.draft.nodes[only]?.name ?? 'step'}`
          : `Delete ${nodeIds.length} steps`;
    this.#editor.run(label, (document) => removeNodes(disconnect(document, edgeIds), nodeIds));
    this.#editor.said = label.replace('Delete', 'Deleted').replace('Remove', 'Removed');
  }

  duplicate(ids: readonly string[]): void {
    this.#insert(ids.length === 1 ? 'Duplicate a step' : `Duplicate ${ids.length} steps`, (document) =>
      duplicateNodes(document, ids),
    );
  }

  /** Puts copied steps on the canvas. @returns false when the text holds none */
  paste(text: string, at?: Point): boolean {
    const [beside] = this.#editor.selection;
    const loop = beside === undefined ? undefined : parentOf(this.#editor.draft, beside);
    return this.#insert('Paste', (document) => pasteNodes(document, text, { at, into: () => loop }));
  }

  #insert(
    label: string,
    make: (document: FlowDocument) => { document: FlowDocument; nodeIds: readonly string[] } | undefined,
  ): boolean {
    const made = this.#editor.readOnly ? undefined : make(this.#editor.draft);
    if (!made) return false;
    let { document } = made;
    for (const id of made.nodeIds) {
      const node = document.nodes[id];
      const type = node && this.#editor.catalog.nodeTypes.find((candidate) => candidate.id === node.type);
      const connector = this.#editor.catalog.connectors.find((candidate) => candidate.id === type?.connector);
      if (connector && node?.connection) ({ document } = ensureSlot(document, connector, this.#editor.candidates));
    }
    this.#editor.run(
      `${label} ${made.nodeIds.length === 1 ? (document.nodes[made.nodeIds[0] ?? '']?.name ?? '') : ''}`.trim(),
      () => this.#editor.loops.settled(document),
    );
    this.#editor.select(made.nodeIds);
    this.#editor.said = made.nodeIds.length === 1 ? 'One step added' : `${made.nodeIds.length} steps added`;
    return true;
  }

  move(positions: Readonly<Record<string, Point>>, merge?: string): void {
    const count = Object.keys(positions).length;
    this.#editor.run(
      count === 1 ? 'Move a step' : `Move ${count} steps`,
      (document) => this.#editor.loops.settled(moveNodes(document, positions)),
      merge,
    );
  }

  /** Ends a drag: cards stand where they were let go of, and those that crossed the border of a loop are in it, or out. */
  drop(positions: Readonly<Record<string, Point>>, crossing: readonly string[], loopId: string | undefined): void {
    if (crossing.length === 0) return this.move(positions);
    const where = this.#editor.loops.where(crossing, loopId);
    this.#editor.run(`Move ${crossing.length === 1 ? 'a step' : `${crossing.length} steps`} ${where}`, (document) =>
      this.#editor.loops.settled(
        moveInto(moveNodes(document, positions), this.#editor.structure.types, { ids: crossing, loopId, placed: true }),
      ),
    );
    this.#editor.said = `Moved ${where}`;
  }

  tidy(): void {
    this.#editor.run('Tidy the drawing', (document) => moveNodes(document, tidy(document, this.#editor.loops.ids)));
    requestAnimationFrame(() => this.#editor.viewport?.fit());
  }

  rename(nodeId: string, name: string): void {
    if (name.trim() !== '')
      this.#editor.run(
        'Rename a step',
        (document) => setNode(document, nodeId, { name: name.slice(0, 120) }),
        `name:${nodeId}`,
      );
  }

  change(nodeId: string, label: string, change: Partial<FlowNode>, merge?: string): void {
    this.#editor.run(label, (document) => setNode(document, nodeId, change), merge);
  }

  toggle(ids: readonly string[]): void {
    const off = !ids.every((id) => this.#editor.draft.nodes[id]?.disabled);
    this.#editor.run(off ? 'Switch off' : 'Switch on', (document) =>
      ids.reduce((next, id) => setNode(next, id, { disabled: off || undefined }), document),
    );
  }

  /** What happens on an error; where nothing can go along an error way its line goes too. */
  setOnError(nodeId: string, onError: NonNullable<FlowNode['onError']>): void {
    this.#editor.run('Change what happens on an error', (document) => {
      const next = setNode(document, nodeId, {
        onError: onError === defaultPolicy(document, this.#editor.structure.types, nodeId) ? undefined : onError,
      });
      // A person may send a step that waits for them along that way, too.
      return onError === 'port' || onError === 'park' || isScope(this.#editor.typeOf(nodeId))
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
    const type = this.#editor.typeOf(nodeId);
    this.#editor.run(
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
    const connector = this.#editor.catalog.connectors.find(
      (candidate) => candidate.id === this.#editor.typeOf(nodeId)?.connector,
    );
    if (connector)
      this.#editor.run('Change the connection', (document) =>
        chooseConnection(document, nodeId, connector, connectionId),
      );
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
