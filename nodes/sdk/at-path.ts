/** The value at `data.id`, items of lists by their number; the whole for an empty path, undefined where there is none. Reads own fields only. */
export function atPath(value: unknown, path: string): unknown {
  if (path === '') return value;
  return path
    .split('.')
    .reduce<unknown>(
      (owner, name) =>
        typeof owner === 'object' && owner !== null && Object.hasOwn(owner, name)
          ? (owner as Record<string, unknown>)[name]
          : undefined,
      value,
    );
}
