import type { FlowDocument } from '@plumbline/workflows/flow';

const WIDTH = 248;
const HEIGHT = 56;
const MARGIN = 12;
const NAME_LENGTH = 27;

/** A flow's drawing, measured for an SVG that cannot be edited. */
export interface Picture {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly {
    readonly id: string;
    readonly name: string;
    readonly type: string;
    readonly version: number;
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  }[];
  readonly edges: readonly {
    readonly id: string;
    readonly path: string;
    readonly error: boolean;
    readonly label: string;
    readonly labelX: number;
    readonly labelY: number;
  }[];
}

/** Lays out a flow from the positions in its document. */
export function picture(document: FlowDocument): Picture {
  const at = (id: string): { readonly x: number; readonly y: number } => document.positions[id] ?? { x: 0, y: 0 };
  const ids = Object.keys(document.nodes);
  const xs = ids.map((id) => at(id).x);
  const ys = ids.map((id) => at(id).y);
  const left = Math.min(0, ...xs) - MARGIN;
  const top = Math.min(0, ...ys) - MARGIN;
  return {
    x: left,
    y: top,
    width: Math.max(0, ...xs) + WIDTH + MARGIN - left,
    height: Math.max(0, ...ys) + HEIGHT + MARGIN - top,
    nodes: Object.entries(document.nodes).map(([id, { name, type, version }]) => ({
      id,
      name: name.length > NAME_LENGTH ? `${name.slice(0, NAME_LENGTH - 1)}…` : name,
      type,
      version,
      ...at(id),
      width: WIDTH,
      height: HEIGHT,
    })),
    edges: document.edges.map(({ id, from, to, port }) => {
      const [x1, y1] = [at(from).x + WIDTH / 2, at(from).y + HEIGHT];
      const [x2, y2] = [at(to).x + WIDTH / 2, at(to).y];
      const middle = (y1 + y2) / 2;
      return {
        id,
        path: x1 === x2 ? `M${x1} ${y1}V${y2}` : `M${x1} ${y1}V${middle}H${x2}V${y2}`,
        error: port === 'error',
        label: port === 'out' ? '' : port,
        labelX: (x1 + x2) / 2,
        labelY: middle - 6,
      };
    }),
  };
}
