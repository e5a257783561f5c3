import { outermost, parentOf, withInside } from '../document/containers.ts';
import { frameAt } from '../document/frames.ts';
import type { Point } from '../document/geometry.ts';
import type { Editor } from '../editor.svelte.ts';
import type { StepCanvasNode } from './elements.ts';

export interface Drop {
  /** Where the dragged cards stand on the canvas. */
  readonly positions: Readonly<Record<string, Point>>;
  /** Loop under the first of them. */
  readonly loopId: string | undefined;
  /** Steps that have crossed a loop's border on their way. */
  readonly crossing: readonly string[];
  /** Loop that would take something in. */
  readonly target: string | undefined;
}

/** What letting go of dragged cards means: where they stand, and in which loop. */
export function dropOf(editor: Editor, dragged: readonly StepCanvasNode[]): Drop {
  const { draft, loops } = editor;
  const ids = outermost(
    draft,
    dragged.map(({ id }) => id),
  );
  const positions: Record<string, Point> = {};
  let middle: Point | undefined;
  for (const node of dragged) {
    if (!ids.includes(node.id)) continue;
    const around = node.parentId === undefined ? undefined : loops.frames.get(node.parentId);
    const corner = { x: node.position.x + (around?.x ?? 0), y: node.position.y + (around?.y ?? 0) };
    const frame = loops.frames.get(node.id);
    const before = draft.positions[node.id] ?? corner;
    positions[node.id] = frame ? { x: before.x + corner.x - frame.x, y: before.y + corner.y - frame.y } : corner;
    // A frame is let go of by its head.
    middle ??= { x: corner.x + (node.width ?? 0) / 2, y: corner.y + 32 };
  }
  const loopId = middle && frameAt(loops.frames, middle, new Set(withInside(draft, ids)));
  const crossing = ids.filter((id) => editor.typeOf(id)?.kind !== 'trigger' && parentOf(draft, id) !== loopId);
  return { positions, loopId, crossing, target: crossing.length > 0 ? loopId : undefined };
}
