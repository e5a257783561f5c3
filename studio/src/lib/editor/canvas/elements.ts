import { Position, type Edge, type Node } from '@xyflow/svelte';
import { LOOP_PORT, leadsInside, type FlowDocument } from '@plumbline/workflows/flow';
import type { Box } from '../document/frames.ts';
import { card as size, portOffset } from '../document/geometry.ts';
import type { Card } from './cards.ts';

export type StepData = {
  readonly card: Card;
  readonly readOnly: boolean;
  /** Of a loop's frame: how far from its left edge its card begins. */
  readonly inset: number;
} & Record<string, unknown>;
/** A step's card, or the frame of a loop around its steps. */
export type StepCanvasNode = Node<StepData, 'step' | 'loop'>;

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
  state: {
    readonly readOnly: boolean;
    readonly selected: ReadonlySet<string>;
    /** Of loops that are open. */
    readonly frames: ReadonlyMap<string, Box>;
  },
  previous: readonly StepCanvasNode[],
): StepCanvasNode[] {
  const before = new Map(previous.map((node) => [node.id, node]));
  return cards.map((card, index) => {
    const old = before.get(card.id);
    const place = positions[card.id] ?? { x: 0, y: index * 150 };
    const frame = state.frames.get(card.id);
    const around = card.parent === undefined ? undefined : state.frames.get(card.parent);
    const box = frame ?? { ...place, ...size };
    // What stands in a frame is placed from its corner.
    const position = { x: box.x - (around?.x ?? 0), y: box.y - (around?.y ?? 0) };
    const inset = place.x - box.x;
    const selected = state.selected.has(card.id);
    const sameCard =
      old !== undefined &&
      old.data.readOnly === state.readOnly &&
      old.data.inset === inset &&
      JSON.stringify(old.data.card) === JSON.stringify(card);
    if (
      old &&
      sameCard &&
      old.selected === selected &&
      old.position.x === position.x &&
      old.position.y === position.y &&
      old.width === box.width &&
      old.height === box.height &&
      old.parentId === (around ? card.parent : undefined)
    )
      return old;
    const { parentId: _, ...rest } = old ?? {};
    return {
      ...rest,
      id: card.id,
      type: frame ? 'loop' : 'step',
      position,
      ...(around && card.parent !== undefined ? { parentId: card.parent } : {}),
      selected,
      draggable: !state.readOnly,
      connectable: !state.readOnly,
      width: box.width,
      height: box.height,
      measured: { width: box.width, height: box.height },
      handles: handlesOf(card, frame && { inset, height: box.height }),
      ariaLabel: card.label,
      data: sameCard && old ? old.data : { card, readOnly: state.readOnly, inset },
    };
  });
}

/** Ways out under a card, or under a frame; the one that leads into a loop begins under the loop's head. */
export function portPlaces(
  card: Card,
  framed: boolean,
): readonly { readonly id: string; readonly x: number; readonly inside: boolean }[] {
  const inside = (id: string) => framed && card.loop !== undefined && id === LOOP_PORT;
  const under = card.ports.filter((port) => !inside(port.id));
  return card.ports.map((port) => ({
    id: port.id,
    inside: inside(port.id),
    x: inside(port.id) ? portOffset(0, 1) : portOffset(under.indexOf(port), under.length),
  }));
}

function handlesOf(
  card: Card,
  frame: { readonly inset: number; readonly height: number } | undefined,
): NonNullable<StepCanvasNode['handles']> {
  const left = frame?.inset ?? 0;
  const target = {
    type: 'target' as const,
    position: Position.Top,
    x: left + size.width / 2 - reach,
    y: 0,
    width: 2 * reach,
    height: reach,
  };
  const sources = portPlaces(card, frame !== undefined).map(({ id, x, inside }) => ({
    id,
    type: 'source' as const,
    position: Position.Bottom,
    x: left + x - reach,
    y: (inside || !frame ? size.height : frame.height) - reach,
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
    readonly frames: ReadonlyMap<string, Box>;
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
    const framed = state.frames.has(edge.from);
    const several = from.ports.length > (framed ? 2 : 1);
    const inside = leadsInside(document, edge);
    const label = several || (inside && !framed) ? (port?.title ?? edge.port) : undefined;
    const data: LineData = {
      label,
      isError: edge.port === 'error',
      addLabel: state.readOnly
        ? undefined
        : inside
          ? `Add a step in ${from.name} before ${to.name}`
          : `Add a step between ${from.name} and ${to.name}`,
      travelled: state.travelled.has(edge.id),
    };
    const selected = state.selected.has(edge.id);
    const old = before.get(edge.id);
    // Above the frames around it, below the cards in them.
    const zIndex = depthOf(to, byId);
    if (old && old.selected === selected && old.zIndex === zIndex && JSON.stringify(old.data) === JSON.stringify(data))
      return [old];
    return [
      {
        id: edge.id,
        type: 'line',
        source: edge.from,
        // A way out that is gone still shows its line, from the middle, so that it can be removed.
        sourceHandle: port ? edge.port : (from.ports[0]?.id ?? null),
        target: edge.to,
        selected,
        zIndex,
        data,
        ariaLabel: `Line from ${from.name}${label ? `, ${label},` : ''} to ${to.name}`,
      },
    ];
  });
}

function depthOf(card: Card, byId: ReadonlyMap<string, Card>): number {
  let depth = 0;
  for (let id = card.parent; id !== undefined && depth < 10; id = byId.get(id)?.parent) depth++;
  return depth;
}
