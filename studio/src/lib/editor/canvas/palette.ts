import { isContainer, isLoop, isTooDeep, type CatalogInfo, type NodeTypeInfo } from '@plumbline/workflows/flow';

export interface PaletteGroup {
  readonly title: string;
  readonly items: readonly NodeTypeInfo[];
  /** They are put around the chosen steps, and not beside them. */
  readonly around?: boolean;
}

/** Where the chosen step will go; it decides what makes sense. */
export interface PaletteContext {
  /** Something leads to it, so it cannot be a trigger. */
  readonly hasInput: boolean;
  /** Something follows it, so it needs a way out. */
  readonly hasOutput: boolean;
  /** The flow has a trigger already. */
  readonly hasTrigger: boolean;
  /** Connectors the company has connected; their steps come first. */
  readonly connected: ReadonlySet<string>;
  /** Kinds of the loops and scopes it would stand in, outermost first. @default none */
  readonly around?: readonly (NodeTypeInfo | undefined)[];
}

const categoryOrder = [
  'Triggers',
  'Logic',
  'Accounting',
  'Project Management',
  'Payments',
  'Communication',
  'Productivity',
  'Data',
  'Network',
];

/** The steps that may be added here, by category; with a query only what matches, best first, in one group. */
export function paletteGroups(catalog: CatalogInfo, query: string, context: PaletteContext): readonly PaletteGroup[] {
  const newest = new Map<string, NodeTypeInfo>();
  for (const type of catalog.nodeTypes)
    if ((newest.get(type.id)?.version ?? 0) < type.version) newest.set(type.id, type);
  const allowed = [...newest.values()].filter((type) => fits(type, context));
  if (query.trim() !== '') {
    const found = allowed
      .map((type) => ({ type, score: scoreOf(type, catalog, query) }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score || a.type.title.localeCompare(b.type.title, 'en'));
    return found.length === 0 ? [] : [{ title: 'Found', items: found.map(({ type }) => type) }];
  }
  const groups = new Map<string, NodeTypeInfo[]>();
  for (const type of allowed) groups.set(type.category, [...(groups.get(type.category) ?? []), type]);
  const rank = (title: string) =>
    title === 'Triggers' && context.hasTrigger ? 90 : categoryOrder.includes(title) ? categoryOrder.indexOf(title) : 50;
  return [...groups]
    .sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b, 'en'))
    .map(([title, items]) => ({ title, items }));
}

function fits(type: NodeTypeInfo, { hasInput, hasOutput, around = [] }: PaletteContext): boolean {
  if ((type.control === 'next' || type.control === 'break') && !around.some(isLoop)) return false;
  if (isTooDeep(type, around)) return false;
  if (hasInput && type.kind === 'trigger') return false;
  return !hasOutput || type.ports.length > 0 || type.portsFrom !== undefined;
}

/** Loops and scopes that the chosen steps could be put into. */
export function loopGroups(
  catalog: CatalogInfo,
  query: string,
  { title, fits }: { readonly title: string; readonly fits: (type: NodeTypeInfo) => boolean },
): readonly PaletteGroup[] {
  const items = catalog.nodeTypes.filter(
    (type) => isContainer(type) && fits(type) && (query.trim() === '' || scoreOf(type, catalog, query) > 0),
  );
  return items.length === 0 ? [] : [{ title, items, around: true }];
}

function scoreOf(type: NodeTypeInfo, catalog: CatalogInfo, query: string): number {
  const connector = catalog.connectors.find((candidate) => candidate.id === type.connector)?.title ?? '';
  const title = type.title.toLowerCase();
  // Who knows its name, or begins to write it, means this one.
  let score = title.startsWith(query.trim().toLowerCase()) ? 40 : 0;
  for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
    if (title.startsWith(word)) score += 12;
    else if (title.split(/\s+/).some((part) => part.startsWith(word))) score += 8;
    else if (connector.toLowerCase().startsWith(word) || type.id.includes(`.${word}`)) score += 6;
    else if (`${title} ${connector} ${type.category} ${type.description} ${type.id}`.toLowerCase().includes(word))
      score += 2;
    else return 0;
  }
  return score;
}
