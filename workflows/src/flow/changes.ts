import { canonicalJson } from './canonical.ts';
import type { FlowDocument, FlowNode, Join, Mapping } from './schema.ts';

export interface FieldChange {
  readonly title: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** One difference between two drawings of a flow. */
export interface FlowChange {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly what: 'step' | 'line' | 'setting' | 'connection';
  readonly id: string;
  readonly title: string;
  readonly fields: readonly FieldChange[];
}

/** Titles of a step's fields, by field name. */
export type FieldTitles = (node: FlowNode) => Readonly<Record<string, string>>;

/** What a change is about, the same in every comparison: `step:bill`. */
export function itemOf({ what, id }: Pick<FlowChange, 'what' | 'id'>): string {
  return `${what}:${id}`;
}

/** What is different in `after`. Places on the canvas do not count: they change nothing that runs. */
export function changesBetween(
  before: FlowDocument,
  after: FlowDocument,
  titlesOf: FieldTitles = () => ({}),
): readonly FlowChange[] {
  const changes: FlowChange[] = [];
  const both = <T>(a: Readonly<Record<string, T>>, b: Readonly<Record<string, T>>) =>
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((id) => [id, a[id], b[id]] as const);
  for (const [id, old, now] of both(before.nodes, after.nodes)) {
    if (old && now) {
      const fields = nodeChanges({ node: old, document: before }, { node: now, document: after }, titlesOf(now));
      if (fields.length > 0) changes.push({ kind: 'changed', what: 'step', id, title: now.name, fields });
    } else if (now) changes.push({ kind: 'added', what: 'step', id, title: now.name, fields: [] });
    else if (old) changes.push({ kind: 'removed', what: 'step', id, title: old.name, fields: [] });
  }
  const lines = (document: FlowDocument) =>
    new Map(
      document.edges.map((edge) => [
        `${edge.from}\n${edge.port}\n${edge.to}`,
        `${nameOf(document, edge.from)} → ${nameOf(document, edge.to)}`,
      ]),
    );
  const oldLines = lines(before);
  const newLines = lines(after);
  for (const [id, title] of newLines)
    if (!oldLines.has(id)) changes.push({ kind: 'added', what: 'line', id, title, fields: [] });
  for (const [id, title] of oldLines)
    if (!newLines.has(id)) changes.push({ kind: 'removed', what: 'line', id, title, fields: [] });
  for (const [id, old, now] of both(before.params, after.params)) {
    if (canonicalJson(old ?? null) === canonicalJson(now ?? null)) continue;
    const fields = valueChanges('Value', old?.value, now?.value);
    changes.push({
      kind: old ? (now ? 'changed' : 'removed') : 'added',
      what: 'setting',
      id,
      title: (now ?? old)?.title ?? id,
      fields,
    });
  }
  for (const [id, old, now] of both(before.connections, after.connections)) {
    if (canonicalJson(old ?? null) === canonicalJson(now ?? null)) continue;
    changes.push({
      kind: old ? (now ? 'changed' : 'removed') : 'added',
      what: 'connection',
      id,
      title: (now ?? old)?.title ?? id,
      fields: [],
    });
  }
  return changes;
}

/** A step in its drawing. */
interface Placed {
  readonly node: FlowNode;
  readonly document: FlowDocument;
}

function nodeChanges(before: Placed, after: Placed, titles: Readonly<Record<string, string>>): FieldChange[] {
  const [old, now] = [before.node, after.node];
  const compare = (title: string, wording: (placed: Placed) => string | undefined): FieldChange[] => {
    const [was, is] = [wording(before) ?? null, wording(after) ?? null];
    return was === is ? [] : [{ title, before: was, after: is }];
  };
  return [
    ...[...new Set([...Object.keys(old.inputs), ...Object.keys(now.inputs)])].flatMap((field) =>
      mappingChanges(titles[field] ?? field, old.inputs[field], now.inputs[field]),
    ),
    ...compare('Name', ({ node }) => node.name),
    ...compare('Connection', ({ node, document }) =>
      node.connection === undefined ? undefined : (document.connections[node.connection]?.title ?? node.connection),
    ),
    ...compare('Switched off', ({ node }) => (node.disabled ? 'yes' : 'no')),
    ...compare('Retries', ({ node: { retry } }) => retry && `${retry.attempts} tries, from ${retry.initialSeconds} s`),
    ...compare('When it still fails', ({ node: { onError } }) => onError && policyWords[onError]),
    ...compare('Starts when', ({ node: { join } }) => join && joinWords(join)),
    ...compare('Stands in', ({ node, document }) => node.parent && nameOf(document, node.parent)),
    ...compare('Note', ({ node }) => node.note),
    ...compare('Type', ({ node }) => `${node.type} ${node.version}`),
  ];
}

const policyWords: Readonly<Record<NonNullable<FlowNode['onError']>, string>> = {
  park: 'wait for a person to decide',
  port: 'go on along an error line',
  stop: 'fail',
  compensate: 'fail the run, and undo what it wrote',
};

function joinWords(join: Join): string {
  const ways = { any: 'the first way into it is done', all: 'all ways into it are done', count: '' }[join.mode];
  const words = join.mode === 'count' ? `${join.count} ways into it are done` : ways;
  return join.timeoutSeconds === undefined ? words : `${words}, or after ${join.timeoutSeconds} s`;
}

function mappingChanges(title: string, before: Mapping | undefined, after: Mapping | undefined): FieldChange[] {
  if (before?.kind === 'literal' && after?.kind === 'literal') return valueChanges(title, before.value, after.value);
  const [was, is] = [showMapping(before), showMapping(after)];
  return was === is ? [] : [{ title, before: was, after: is }];
}

function showMapping(mapping: Mapping | undefined): string | null {
  if (!mapping) return null;
  return mapping.kind === 'expression' ? `= ${mapping.source}` : show(mapping.value);
}

/** Differences between two values, each at its place within them: `Fields › amount › required`. */
function valueChanges(title: string, before: unknown, after: unknown): FieldChange[] {
  const [was, is] = partsOf(before, after) ?? [];
  if (was && is) {
    const inside = [...new Set([...was.keys(), ...is.keys()])].flatMap((name) =>
      valueChanges(`${title} › ${name}`, was.get(name), is.get(name)),
    );
    if (inside.length > 0 || canonicalJson(before) === canonicalJson(after)) return inside;
    return [{ title: `Order of ${title}`, before: [...was.keys()].join(', '), after: [...is.keys()].join(', ') }];
  }
  const [old, now] = [before, after].map((value) => (value === undefined ? null : show(value)));
  return old === now ? [] : [{ title, before: old ?? null, after: now ?? null }];
}

type Parts = ReadonlyMap<string, unknown>;

/** What two groups or two lists consist of, by name; lists by what each item is called when all have names of their own, else by place. */
function partsOf(before: unknown, after: unknown): readonly [Parts, Parts] | undefined {
  if (Array.isArray(before) && Array.isArray(after)) {
    const [was, is] = [byName(before), byName(after)];
    return was && is ? [was, is] : [byPlace(before), byPlace(after)];
  }
  return isGroup(before) && isGroup(after)
    ? [new Map(Object.entries(before)), new Map(Object.entries(after))]
    : undefined;
}

function byPlace(list: readonly unknown[]): Parts {
  return new Map(list.map((item, index) => [String(index + 1), item]));
}

function byName(list: readonly unknown[]): Parts | undefined {
  const named = new Map<string, unknown>();
  for (const item of list) {
    const name = isGroup(item) ? LABELS.map((label) => item[label]).find(isName) : undefined;
    if (name === undefined || named.has(name)) return undefined;
    named.set(name, item);
  }
  return named;
}

/** Fields by which people tell the items of a list apart. */
const LABELS = ['name', 'key', 'id', 'field', 'title'] as const;

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length === 0 ? 'nothing' : value.map(show).join(', ');
  if (isGroup(value))
    return Object.entries(value)
      .map(([name, part]) => `${name}: ${show(part)}`)
      .join(' · ');
  return JSON.stringify(value);
}

function nameOf(document: FlowDocument, id: string): string {
  return document.nodes[id]?.name ?? id;
}
