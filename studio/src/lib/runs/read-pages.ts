import type { Page } from '@plumbline/engine/contract';

/**
 * Reads so many pages in a row, as they are now. What has come in meanwhile pushes others from one page to the next: none is missing, and none is there twice.
 * @param isStale Asked after each page; when it says so, nothing more is read.
 * @returns undefined when it became stale.
 */
export async function readPages<T extends { readonly id: string }>(
  read: (cursor: string | undefined) => Promise<Page<T>>,
  pages: number,
  isStale: () => boolean = () => false,
): Promise<Page<T> | undefined> {
  const items = new Map<string, T>();
  let next: string | undefined;
  for (let page = 0; page < pages && (page === 0 || next !== undefined); page++) {
    const one = await read(next);
    if (isStale()) return undefined;
    for (const item of one.items) items.set(item.id, item);
    next = one.next;
  }
  return { items: [...items.values()], ...(next === undefined ? {} : { next }) };
}
