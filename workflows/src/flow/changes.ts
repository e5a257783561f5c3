import { canonicalJson } from './canonical.ts';
import type { FlowDocument, FlowNode, Mapping } from './schema.ts';

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
      const fields = nodeChanges(old, now, titlesOf(now));
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
    const fields = [{ title: 'Value', before: old ? show(old.value) : null, after: now ? show(now.value) : null }];
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

function nodeChanges(old: FlowNode, now: FlowNode, titles: Readonly<Record<string, string>>): FieldChange[] {
  const fields: FieldChange[] = [];
  const compare = (title: string, before: string | null, after: string | null) => {
    if (before !== after) fields.push({ title, before, after });
  };
  for (const field of new Set([...Object.keys(old.inputs), ...Object.keys(now.inputs)]))
    compare(titles[field] ?? field, showMapping(old.inputs[field]), showMapping(now.inputs[field]));
  compare('Name', old.name, now.name);
  compare('Connection', old.connection ?? null, now.connection ?? null);
  compare('Switched off', old.disabled ? 'yes' : 'no', now.disabled ? 'yes' : 'no');
  compare(
    'Retries',
    old.retry ? `${old.retry.attempts} tries, from ${old.retry.initialSeconds} s` : null,
    now.retry ? `${now.retry.attempts} tries, from ${now.retry.initialSeconds} s` : null,
  );
  compare('On error', old.onError ?? null, now.onError ?? null);
  compare('Waits for', old.join ? canonicalJson(old.join) : null, now.join ? canonicalJson(now.join) : null);
  compare('Stands in', old.parent ?? null, now.parent ?? null);
  compare('Note', old.note ?? null, now.note ?? null);
  if (old.type !== now.type || old.version !== now.version)
    compare('Type', `${old.type} ${old.version}`, `${now.type} ${now.version}`);
  return fields;
}

function showMapping(mapping: Mapping | undefined): string | null {
  if (!mapping) return null;
  return mapping.kind === 'expression' ? `= ${mapping.source}` : show(mapping.value);
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function nameOf(document: FlowDocument, id: string): string {
  return document.nodes[id]?.name ?? id;
}
