/** Size of a card and the distances of the automatic layout, in canvas pixels. Fixed, so that nothing has to be measured. */
export const card = { width: 256, height: 64 } as const;

/** Centre to centre of two rows; the templates are drawn with it. */
export const rowHeight = 150;

export const columnWidth = card.width + 48;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where the way out number `index` of `count` leaves a card, from its left edge. */
export function portOffset(index: number, count: number): number {
  return Math.round((card.width * (index + 1)) / (count + 1));
}
