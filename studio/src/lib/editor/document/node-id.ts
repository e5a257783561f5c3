import type { NodeTypeInfo } from '@plumbline/workflows/flow';

/** `quickbooks.create-bill` → `create_bill`; the id is read in expressions, so it is a JSONata name. */
export function idFor(type: Pick<NodeTypeInfo, 'id'>): string {
  const local = type.id.split('.').at(-1) ?? 'step';
  const id = local
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+/, '')
    .slice(0, 40);
  return id === '' ? 'step' : id;
}

/** The id itself while it is free, else with the first free number behind. */
export function freeId(wanted: string, taken: Readonly<Record<string, unknown>> | ReadonlySet<string>): string {
  const isTaken = (id: string) => (taken instanceof Set ? taken.has(id) : id in taken);
  if (!isTaken(wanted)) return wanted;
  const base = wanted.replace(/_\d+$/, '').slice(0, 42);
  for (let number = 2; ; number++) {
    const id = `${base}_${number}`;
    if (!isTaken(id)) return id;
  }
}

/** Edges are known by what they join: the same three make the same edge. */
export function edgeId(from: string, port: string, to: string): string {
  return `${from}:${port}:${to}`;
}
