import { Position, type Edge, type Node } from '@xyflow/svelte';
import type { FlowDocument } from '@plumbline/workflows/flow';
import { card as size, portOffset } from '../document/geometry.ts';
import type { Card } from './cards.ts';

export type StepData = { readonly card: Card; readonly readOnly: boolean } & Record<string, unknown>;
export type StepCanvasNode = Node<StepData, 'step'>;

export type LineData = {
  /** Name of the way, where a step has several. */
  readonly label: string | undefined;
  readonly isError: boolean;
  /** Accessible name of its "+"; absent when nothing may be added. */
  readonly addLabel: string | undefined;
  /** The shown run went along it. */
  readonly travelled: boolean;
} & Record<string, unknown>;
export type LineCanvasEdge = Edge<LineData, 'line'>;

/** Half of a handle's 24 px target. */
const reach = 12;

/**
 * Cards as the canvas takes them. Sizes and handles are given, not measured, so lines to cards outside of the view are right, too.
 * What has not changed keeps its identity: the canvas then leaves it alone.
 */
export function canvasNodes(
  cards: readonly Card[],
  positions: FlowDocument['positions'],
  state: { readonly readOnly: boolean; readonly selected: ReadonlySet<string> },
  previous: readonly StepCanvasNode[],
): StepCanvasNode[] {
  const before = new Map(previous.map((node) => [node.id, node]));
  return cards.map((card, index) => {
    const old = before.get(card.id);
    const position = positions[card.id] ?? { x: 0, y: index * 150 };
    const selected = state.selected.has(card.id);
    const sameCard =
      old !== undefined &&
      old.data.readOnly === state.readOnly &&
      JSON.stringify(old.data.card) === JSON.stringify(card);
    if (old && sameCard && old.selected === selected && old.position.x === position.x && old.position.y === position.y)
      return old;
    return {
      ...old,
      id: card.id,
      type: 'step',
      position,
      selected,
      draggable: !state.readOnly,
      connectable: !state.readOnly,
      width: size.width,
      height: size.height,
      measured: { width: size.width, height: size.height },
      handles: handlesOf(card),
      ariaLabel: card.label,
      data: sameCard && old ? old.data : { card, readOnly: state.readOnly },
    };
  });
}

function handlesOf(card: Card): NonNullable<StepCanvasNode['handles']> {
  const target = {
    type: 'target' as const,
    position: Position.Top,
    x: size.width / 2 - reach,
    y: 0,
    width: 2 * reach,
    height: reach,
  };
  const sources = card.ports.map((port, index) => ({
    id: port.id,
    type: 'source' as const,
    position: Position.Bottom,
    x: portOffset(index, card.ports.length) - reach,
    y: size.height - reach,
    width: 2 * reach,
    height: reach,
  }));
  return card.kind === 'trigger' ? sources : [target, ...sources];
}

/** Lines as the canvas takes them. */
export function canvasEdges(
  document: FlowDocument,
  cards: readonly Card[],
  state: {
    readonly readOnly: boolean;
    readonly selected: ReadonlySet<string>;
    readonly travelled: ReadonlySet<string>;
  },
  previous: readonly LineCanvasEdge[],
): LineCanvasEdge[] {
  const byId = new Map(cards.map((card) => [card.id, card]));
  const before = new Map(previous.map((edge) => [edge.id, edge]));
  return document.edges.flatMap((edge): LineCanvasEdge[] => {
    const from = byId.get(edge.from);
    const to = byId.get(edge.to);
    if (!from || !to) return [];
    const port = from.ports.find((candidate) => candidate.id === edge.port);
    const label = from.ports.length > 1 ? (port?.title ?? edge.port) : undefined;
    const data: LineData = {
      label,
      isError: edge.port === 'error',
      addLabel: state.readOnly ? undefined : `Add a step between ${from.name} and ${to.name}`,
      travelled: state.travelled.has(edge.id),
    };
    const selected = state.selected.has(edge.id);
    const old = before.get(edge.id);
    if (old && old.selected === selected && JSON.stringify(old.data) === JSON.stringify(data)) return [old];
    return [
      {
        id: edge.id,
        type: 'line',
        source: edge.from,
        // A way out that is gone still shows its line, from the middle, so that it can be removed.
        sourceHandle: port ? edge.port : (from.ports[0]?.id ?? null),
        target: edge.to,
        selected,
        data,
        ariaLabel: `Line from ${from.name}${label ? `, ${label},` : ''} to ${to.name}`,
      },
    ];
  });
}
