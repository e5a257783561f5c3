/** Looks until there is something to see. @throws Error naming what never came. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  options: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const { withinMs = 90_000, everyMs = 50 } = options;
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`Waited ${withinMs / 1_000} s for ${what}, in vain`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
