import {
  LOOP_PORT,
  findNodeType,
  isContainer,
  leadsInside,
  portsOf,
  type CatalogInfo,
  type FlowDocument,
} from '@plumbline/workflows/flow';
import { childrenOf, parentOf } from '../document/containers.ts';
import { readingOrder } from '../document/reading-order.ts';

/** One line of the outline: a step, or a branch with the steps of its way. */
export type OutlineItem =
  | {
      readonly kind: 'step';
      readonly nodeId: string;
      readonly level: number;
      /** It stands elsewhere already; two ways meet there. */ readonly again: boolean;
    }
  | {
      readonly kind: 'branch';
      readonly nodeId: string;
      readonly port: string;
      readonly title: string;
      readonly level: number;
      /** Nothing follows on this way. */ readonly open: boolean;
    };

/** The flow as an indented list: ways of a step with several are branches, one level deeper, and so is what stands in a loop. */
export function outline(document: FlowDocument, catalog: CatalogInfo | undefined): readonly OutlineItem[] {
  const items: OutlineItem[] = [];
  const shown = new Set<string>();
  const order = readingOrder(document);
  const visit = (nodeId: string, level: number): void => {
    for (let id: string | undefined = nodeId; id !== undefined;) {
      const again = shown.has(id);
      items.push({ kind: 'step', nodeId: id, level, again });
      if (again) return;
      shown.add(id);
      const here: string = id;
      const node = document.nodes[here];
      const type = node && catalog && findNodeType(catalog, node.type, node.version);
      const all = document.edges.filter((edge) => edge.from === here && document.nodes[edge.to]);
      const out = all.filter((edge) => !leadsInside(document, edge));
      const loop = isContainer(type);
      if (loop) inside(here, level + 1, type?.ports.find((port) => port.id === LOOP_PORT)?.title ?? 'Inside');
      const ports =
        node && type
          ? portsOf(node, type).filter((port) => !loop || port.id !== LOOP_PORT)
          : [...new Set(out.map((edge) => edge.port))].map((port) => ({ id: port, title: port }));
      if (ports.length <= 1 && out.length <= 1) {
        id = out[0]?.to;
        continue;
      }
      for (const port of ports) {
        const followers = out.filter((edge) => edge.port === port.id);
        items.push({
          kind: 'branch',
          nodeId: here,
          port: port.id,
          title: port.title,
          level: level + 1,
          open: followers.length === 0,
        });
        for (const edge of followers) visit(edge.to, level + 2);
      }
      return;
    }
  };
  const inside = (loopId: string, level: number, title: string): void => {
    const inner = new Set(childrenOf(document, loopId));
    if (inner.size === 0)
      return void items.push({ kind: 'branch', nodeId: loopId, port: LOOP_PORT, title, level, open: true });
    for (const id of order)
      if (inner.has(id) && !shown.has(id) && !document.edges.some((edge) => edge.to === id && inner.has(edge.from)))
        visit(id, level);
    for (const id of order) if (inner.has(id) && !shown.has(id)) visit(id, level);
  };
  const isTop = (id: string) => {
    const parent = parentOf(document, id);
    return parent === undefined || !inLoop(parent);
  };
  const inLoop = (id: string) => {
    const node = document.nodes[id];
    return node !== undefined && isContainer(catalog && findNodeType(catalog, node.type, node.version));
  };
  for (const id of order)
    if (!shown.has(id) && isTop(id) && !document.edges.some((edge) => edge.to === id && document.nodes[edge.from]))
      visit(id, 1);
  // What only stands on a circle is reached from nowhere, and must still be shown to be repaired.
  for (const id of order) if (!shown.has(id)) visit(id, 1);
  return items;
}
