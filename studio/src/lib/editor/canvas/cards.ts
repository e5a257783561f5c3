import {
  findNodeType,
  isContainer,
  portsOf,
  type CatalogInfo,
  type Finding,
  type FlowDocument,
} from '@plumbline/workflows/flow';
import { parentOf, within } from '../document/containers.ts';
import type { StepPaint } from '../runs/paint.ts';
import { stepNumbers } from '../document/reading-order.ts';
import { cardLabel, operationOf, statusWords } from './describe.ts';

/** A way out as a card draws it. */
export interface CardPort {
  readonly id: string;
  readonly title: string;
  /** Nothing follows: a "+" hangs under it. */
  readonly open: boolean;
}

/** Everything a card shows, as plain data: equal cards are drawn once. */
export interface Card {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly operation: string;
  readonly type: string;
  readonly connector: string | undefined;
  readonly kind: 'trigger' | 'action' | 'logic' | 'unknown';
  readonly disabled: boolean;
  readonly note: string | undefined;
  readonly pinned: boolean;
  readonly ports: readonly CardPort[];
  /** Loop or scope that it stands in. */
  readonly parent: string | undefined;
  /** It is a loop or a scope around other steps. */
  readonly loop: { readonly steps: number; readonly closed: boolean } | undefined;
  readonly errors: number;
  readonly warnings: number;
  readonly paint: StepPaint | undefined;
  readonly label: string;
}

export interface CardParts {
  readonly document: FlowDocument;
  readonly catalog: CatalogInfo | undefined;
  readonly findings: readonly Finding[];
  readonly paint: ReadonlyMap<string, StepPaint> | undefined;
  /** Loops of which only the card is seen. */
  readonly closed?: ReadonlySet<string>;
  /** Steps whose result is pinned for tests. */
  readonly pinned?: ReadonlySet<string> | undefined;
}

/** One card per step. In a run, steps that were not reached have no paint. */
export function cardsOf({ document, catalog, findings, paint, closed, pinned }: CardParts): readonly Card[] {
  const numbers = stepNumbers(document);
  const used = new Set(document.edges.map((edge) => `${edge.from}\n${edge.port}`));
  // In the order of their numbers, which is the order the keyboard goes through them.
  const nodes = Object.entries(document.nodes).sort(([a], [b]) => (numbers.get(a) ?? 0) - (numbers.get(b) ?? 0));
  return nodes.map(([id, node]) => {
    const type = catalog && findNodeType(catalog, node.type, node.version);
    const own = findings.filter((finding) => finding.nodeId === id);
    const base = {
      id,
      number: numbers.get(id) ?? 0,
      name: node.name,
      operation: operationOf(type, node, catalog),
      type: node.type,
      connector: type?.connector,
      kind: type?.kind ?? ('unknown' as const),
      disabled: node.disabled ?? false,
      note: node.note,
      pinned: pinned?.has(id) ?? false,
      ports: [
        ...(type ? portsOf(node, type) : []),
        // Where a person decides about errors, the way they may choose shows once it is drawn.
        ...(type && used.has(`${id}\nerror`) && portsOf(node, type).every((port) => port.id !== 'error')
          ? [{ id: 'error', title: 'On error' }]
          : []),
      ].map((port) => ({
        id: port.id,
        title: port.title,
        open: !used.has(`${id}\n${port.id}`),
      })),
      parent: parentOf(document, id),
      loop: isContainer(type) ? { steps: within(document, [id]).size, closed: closed?.has(id) ?? false } : undefined,
      errors: own.filter((finding) => finding.severity === 'error').length,
      warnings: own.filter((finding) => finding.severity === 'warning').length,
      paint: paint?.get(id),
    };
    const status = base.paint
      ? statusWords[base.paint.status]
      : paint && base.kind !== 'trigger'
        ? 'not reached'
        : undefined;
    return { ...base, label: cardLabel({ ...base, status, around: document.nodes[base.parent ?? '']?.name }) };
  });
}
