import type { JsonSchema } from '@plumbline/workflows/flow';
import { words } from '../../format.ts';
import { writePath } from './path.ts';

/** One entry of the data picker: something an expression may read. */
export interface DataEntry {
  /** As an expression: `trigger.record.total`. Groups have one too. */
  readonly path: string;
  readonly name: string;
  readonly title: string;
  /** "text", "a list": what it holds. */
  readonly kind: string;
  readonly schema: JsonSchema | undefined;
  /** Value in the chosen sample; undefined when there is none. */
  readonly sample: unknown;
  readonly children: readonly DataEntry[];
  /** Inside a list: the path gives one value per item. */
  readonly repeated: boolean;
  /** Its schema says that it is not always there. */
  readonly optional: boolean;
}

const MAX_DEPTH = 6;
const MAX_CHILDREN = 200;

/**
 * The tree of everything a step may read: from the schema where there is one, from the sample where the schema leaves it open.
 * Steps without a title are left out: the only trigger is there as `trigger` already.
 */
export function dataTree(
  scope: JsonSchema,
  sample: Readonly<Record<string, unknown>>,
  titles: Readonly<Record<string, string>>,
): readonly DataEntry[] {
  const roots = entriesOf({ names: [], schema: scope, sample, repeated: false, depth: 0 });
  return roots
    .flatMap((root): readonly DataEntry[] => {
      const title = titles[root.path];
      if (root.name !== 'steps' && root.name !== 'loops') return [{ ...root, title: title ?? root.title }];
      return root.children.flatMap((step) =>
        titles[step.path] === undefined ? [] : [{ ...step, title: titles[step.path] ?? step.title }],
      );
    })
    .filter((root) => root.children.length > 0 || root.name === 'trigger');
}

interface At {
  readonly names: readonly string[];
  readonly schema: JsonSchema | undefined;
  readonly sample: unknown;
  readonly repeated: boolean;
  readonly depth: number;
}

function entriesOf({ names, schema, sample, repeated, depth }: At): DataEntry[] {
  if (depth > MAX_DEPTH) return [];
  const items = schema?.type === 'array' ? schema.items : schema;
  const value: unknown = Array.isArray(sample) ? sample[0] : sample;
  const known = items?.properties ?? {};
  const open = items === undefined || items.additionalProperties !== false;
  const seen = open && isGroup(value) ? Object.keys(value) : [];
  const inList = repeated || schema?.type === 'array' || Array.isArray(sample);
  return [...new Set([...Object.keys(known), ...seen])].slice(0, MAX_CHILDREN).map((name) => {
    const path = [...names, name];
    const inner = known[name];
    const innerSample = isGroup(value) ? value[name] : undefined;
    return {
      path: writePath(path),
      name,
      title: inner?.title ?? words(name),
      kind: kindOf(inner, innerSample),
      schema: inner,
      sample: innerSample,
      repeated: inList,
      optional: isOptional(items, name),
      children: entriesOf({ names: path, schema: inner, sample: innerSample, repeated: inList, depth: depth + 1 }),
    };
  });
}

/** A schema that requires nothing says nothing of what is always there; most of those were read off a sample. */
function isOptional(parent: JsonSchema | undefined, name: string): boolean {
  const inner = parent?.properties?.[name];
  if (!inner) return false;
  const mayBeNull = [inner, ...(inner.anyOf ?? [])].some(({ type }) => [type].flat().includes('null'));
  return mayBeNull || (parent?.required !== undefined && !parent.required.includes(name));
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(schema: JsonSchema | undefined, sample: unknown): string {
  const type =
    (Array.isArray(schema?.type) ? schema.type[0] : schema?.type) ??
    (Array.isArray(sample) ? 'array' : sample === null || sample === undefined ? '' : typeof sample);
  return (
    { string: 'text', number: 'number', integer: 'number', boolean: 'yes or no', array: 'list', object: 'group' }[
      String(type)
    ] ?? 'any'
  );
}

/** The entries whose path, title or sample holds all words, with what leads to them. */
export function searchTree(entries: readonly DataEntry[], query: string): readonly DataEntry[] {
  const parts = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (parts.length === 0) return entries;
  const walk = (entry: DataEntry): DataEntry[] => {
    const haystack =
      `${entry.path} ${entry.title} ${typeof entry.sample === 'string' || typeof entry.sample === 'number' ? entry.sample : ''}`.toLowerCase();
    const children = entry.children.flatMap(walk);
    if (children.length > 0) return [{ ...entry, children }];
    return parts.every((part) => haystack.includes(part)) ? [{ ...entry, children: [] }] : [];
  };
  return entries.flatMap(walk);
}

/** Finds one entry by its path. */
export function findEntry(entries: readonly DataEntry[], path: string): DataEntry | undefined {
  for (const entry of entries) {
    if (entry.path === path) return entry;
    if (path.startsWith(entry.path)) {
      const found = findEntry(entry.children, path);
      if (found) return found;
    }
  }
  return undefined;
}

/** A sample value in one short line. */
export function brief(value: unknown, length = 60): string {
  if (value === undefined) return '';
  if (value === null) return 'nothing';
  if (value === true) return 'yes';
  if (value === false) return 'no';
  if (Array.isArray(value)) return value.length === 1 ? '1 item' : `${value.length} items`;
  const text =
    typeof value === 'string'
      ? value
      : typeof value === 'object'
        ? Object.keys(value)
            .slice(0, 4)
            .map((key) => words(key))
            .join(', ')
        : String(value);
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
