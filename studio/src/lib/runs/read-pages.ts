/** One page of a list, and where the next begins. */
export interface Slice<T> {
  readonly items: readonly T[];
  readonly next?: string | undefined;
}

/**
 * Reads so many pages in a row, as they are now. What has come in meanwhile pushes others from one page to the next: none is missing, and none is there twice.
 * @param isStale Asked after each page; when it says so, nothing more is read.
 * @returns undefined when it became stale.
 */
export async function readPages<T extends { readonly id: string }>(
  read: (cursor: string | undefined) => Promise<Slice<T>>,
  pages: number,
  isStale: () => boolean = () => false,
): Promise<Slice<T> | undefined> {
  const items = new Map<string, T>();
  let next: string | undefined;
  for (let page = 0; page < pages && (page === 0 || next !== undefined); page++) {
    const slice = await read(next);
    if (isStale()) return undefined;
    for (const item of slice.items) items.set(item.id, item);
    next = slice.next;
  }
  return { items: [...items.values()], next };
}
