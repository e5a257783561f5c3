import { canonicalJson } from './canonical.ts';
import type { CatalogInfo } from './catalog.ts';
import { compile, parseFlow } from './compile/index.ts';
import type { Finding, FindingCode } from './finding.ts';
import { calledFlowOf, withCalledFlows } from './flow-call.ts';
import type { FlowDocument } from './schema.ts';
import { isSecretName, namesSecretItself } from './secret-name.ts';
import { valueMapOf, withValueMaps } from './value-map-use.ts';

const FORMAT = 'plumbline.flow/1';
/** Larger files are not looked into. */
const MAX_BYTES = 2_000_000;
const MAX_DEPTH = 64;

/** A flow on its way between companies, machines and git: without ids of what is anybody's, and without secrets. */
export interface FlowFile {
  readonly name: string;
  readonly description: string;
  /** Connections have their slot, connector and title; `id` is null. */
  readonly document: FlowDocument;
}

/**
 * Writes a flow as text that diffs: keys sorted, lines sorted and one a row, places last. Equal flows give equal text. Flows that it calls are to be named
 * already; a call by id is left out.
 * @returns the text, and where something was left out because it is a secret
 */
export function writeFlowFile({ name, description, document }: FlowFile): {
  readonly text: string;
  readonly leftOut: readonly string[];
} {
  const leftOut: string[] = [];
  const named = withCalledFlows(document, (called) => ('name' in called ? called : undefined));
  const { nodes: steps } = withValueMaps(named, ({ name: map }) => ({ id: null, name: map }));
  const nodes = sorted(steps).map(([id, node]) => [
    id,
    {
      ...node,
      inputs: Object.fromEntries(
        sorted(node.inputs).map(([field, mapping]) => [
          field,
          withoutSecrets(mapping, field, `nodes.${id}.inputs.${field}`, leftOut),
        ]),
      ),
    },
  ]);
  const connections = sorted(document.connections).map(([slot, { connector, title }]) => [slot, { connector, title }]);
  const params = sorted(document.params).map(([id, param]) => [
    id,
    { ...param, value: withoutSecrets(param.value, id, `params.${id}`, leftOut) },
  ]);
  const edges = document.edges.map(({ from, port, to }) => `    ${canonicalJson({ from, port, to })}`).sort();
  const places = sorted(document.positions).map(
    ([id, { x, y }]) => `    ${JSON.stringify(id)}: ${canonicalJson({ x, y })}`,
  );
  const text = `{
  "format": ${JSON.stringify(FORMAT)},
  "name": ${JSON.stringify(name)},
  "description": ${JSON.stringify(description)},
  "connections": ${pretty(Object.fromEntries(connections))},
  "params": ${pretty(Object.fromEntries(params))},
  "nodes": ${pretty(Object.fromEntries(nodes))},
  "edges": [${edges.length > 0 ? `\n${edges.join(',\n')}\n  ` : ''}],
  "positions": {${places.length > 0 ? `\n${places.join(',\n')}\n  ` : ''}}
}
`;
  return { text, leftOut };
}

/** A flow as a file gave it. */
export interface ReadFlowFile extends FlowFile {
  /** Whether the file has a description at all; where it has none, `description` is empty. */
  readonly described: boolean;
}

/**
 * Reads a file and says everything that is wrong with it, at once: what is no JSON, what a flow may not hold, and all that the compiler finds. Runs
 * nothing, asks nobody.
 * @param as `draft`: what is only not drawn to its end yet is a warning, for a draft may be so. @default 'whole'
 * @returns `file` only when it can be imported; findings that are warnings do not stop it.
 */
export function readFlowFile(
  text: string,
  catalog: CatalogInfo,
  as: 'whole' | 'draft' = 'whole',
): { readonly file?: ReadFlowFile; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const raw = parse(text, findings);
  if (raw === undefined) return { findings };
  const { format, name, description = '', ...rest } = raw;
  if (format !== FORMAT)
    findings.push(
      error(
        'file_invalid',
        `The format is ${shown(format)}, and only "${FORMAT}" is known.`,
        'Export the flow again with this version.',
      ),
    );
  if (typeof name !== 'string' || name.trim() === '' || name.length > 120)
    findings.push(
      error('file_invalid', 'The flow has no name, or a longer one than 120 characters.', 'Give it one under "name".'),
    );
  if (typeof description !== 'string' || description.length > 2_000)
    findings.push(
      error('file_invalid', 'The description is no text of up to 2000 characters.', 'Correct it under "description".'),
    );
  const parsed = parseFlow({
    schema: 1,
    params: {},
    connections: {},
    positions: {},
    ...rest,
    ...unbound(rest, findings),
    ...withLineIds(rest),
  });
  if ('findings' in parsed) return { findings: [...findings, ...parsed.findings] };
  const { document } = parsed;
  findings.push(...mapIdsIn(document), ...flowIdsIn(document), ...markupIn({ name, description, document }));
  findings.push(...asOfFile(compile(bound(document), catalog).findings, as));
  if (findings.some(({ severity }) => severity === 'error')) return { findings };
  const described = raw['description'] !== undefined;
  return { findings, file: { name: String(name).trim(), description: String(description), described, document } };
}

function parse(text: string, findings: Finding[]): Readonly<Record<string, unknown>> | undefined {
  if (text.length > MAX_BYTES) {
    findings.push(
      error(
        'file_invalid',
        `The file is larger than ${MAX_BYTES / 1_000_000} MB.`,
        'A flow is never that large: look whether it is the right file.',
      ),
    );
    return undefined;
  }
  if (depthOf(text) > MAX_DEPTH) {
    findings.push(error('file_invalid', `The file is nested deeper than ${MAX_DEPTH} levels.`, 'Flatten that value.'));
    return undefined;
  }
  const forbidden = new Set<string>();
  let value: unknown;
  try {
    value = JSON.parse(text, (key, item: unknown) => {
      if (key !== '__proto__') return item;
      forbidden.add(key);
      return undefined;
    });
  } catch (cause) {
    const at = /position (\d+)/.exec(cause instanceof Error ? cause.message : '')?.[1];
    const line = at === undefined ? undefined : text.slice(0, Number(at)).split('\n').length;
    findings.push(
      error(
        'file_invalid',
        `The file is not JSON${line ? `: line ${line} cannot be read` : ''}.`,
        'Correct it there, or export the flow again.',
      ),
    );
    return undefined;
  }
  for (const key of forbidden)
    findings.push(error('key_forbidden', `The file has a key named "${key}".`, 'Remove it: no flow has such a key.'));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  findings.push(error('file_invalid', 'The file holds no flow.', 'Give a file that "flow export" has written.'));
  return undefined;
}

/** Connections as slots without an id: whose they are is chosen where the flow is imported. */
function unbound(rest: Readonly<Record<string, unknown>>, findings: Finding[]): object {
  const { connections } = rest;
  if (typeof connections !== 'object' || connections === null || Array.isArray(connections)) return {};
  return {
    connections: Object.fromEntries(
      Object.entries(connections as Record<string, unknown>).map(([slot, value]) => {
        if (typeof value !== 'object' || value === null) return [slot, value];
        const { id, ...named } = value as Record<string, unknown>;
        if (id !== undefined && id !== null)
          findings.push(
            error(
              'connection_id_given',
              `The connection "${slot}" is given by an id, which is somebody's account.`,
              'Remove the id: connections are chosen by name where the flow is imported.',
              `connections.${slot}`,
            ),
          );
        return [slot, { ...named, id: null }];
      }),
    ),
  };
}

/** Value maps are named: an id is one company's. */
function mapIdsIn({ nodes }: FlowDocument): Finding[] {
  return Object.entries(nodes).flatMap(([nodeId, node]) => {
    const map = valueMapOf(node);
    if (!map || map.id === null) return [];
    return [
      {
        ...error(
          'value_map_id_given',
          `"${node.name}" gives the value map "${map.name}" by an id, which is one company's.`,
          'Remove the id: value maps are found by name where the flow is imported.',
          'map',
        ),
        nodeId,
      },
    ];
  });
}

/** So are flows that a step calls. */
function flowIdsIn({ nodes }: FlowDocument): Finding[] {
  return Object.entries(nodes).flatMap(([nodeId, node]) => {
    const called = calledFlowOf(node);
    if (!called || 'name' in called) return [];
    return [
      {
        ...error(
          'flow_id_given',
          `"${node.name}" gives the flow it calls by an id, which is one company's.`,
          'Give its name instead, as { "name": … }: flows are found by name where the flow is imported.',
          'flow',
        ),
        nodeId,
      },
    ];
  });
}

/** Lines have no ids in a file: they are what they join. */
function withLineIds({ edges }: Readonly<Record<string, unknown>>): object {
  if (!Array.isArray(edges)) return {};
  return {
    edges: edges.map((edge: unknown) => {
      if (typeof edge !== 'object' || edge === null) return edge;
      const { from, port, to } = edge as Record<string, unknown>;
      return { id: `${shown(from)}:${shown(port)}:${shown(to)}`.replaceAll('"', '').slice(0, 120), ...edge };
    }),
  };
}

/** So that the compiler looks beyond what nobody has chosen yet. */
function bound(document: FlowDocument): FlowDocument {
  const id = '00000000-0000-4000-8000-000000000000';
  return {
    ...withCalledFlows(document, () => ({ id })),
    connections: Object.fromEntries(
      Object.entries(document.connections).map(([slot, given]) => [slot, { ...given, id }]),
    ),
  };
}

/** What says only that somebody has not come to the end of a drawing yet: nothing in it is wrong, or could do harm. */
const notYet: ReadonlySet<FindingCode> = new Set([
  ...(['required_missing', 'param_missing', 'connection_missing', 'value_map_missing'] as const),
  ...(['trigger_missing', 'node_unreachable', 'join_unmet', 'loop_empty'] as const),
  'step_not_upstream',
  ...(['approver_missing', 'approval_too_few', 'approval_count_missing'] as const),
]);

/** Settings may be filled in after the import; of a draft, all else that is only missing, too. */
function asOfFile(findings: readonly Finding[], as: 'whole' | 'draft'): Finding[] {
  const placeOf = ({ nodeId, field }: Finding): string => `${nodeId}\n${field}`;
  // A step that is not connected yet reads what does not lead to it yet, so nothing is known there under that name.
  const unconnected = new Set(findings.filter(({ code }) => code === 'step_not_upstream').map(placeOf));
  const mayLack = (finding: Finding): boolean =>
    finding.code === 'param_missing' ||
    (as === 'draft' &&
      (notYet.has(finding.code) || (finding.code === 'path_unknown' && unconnected.has(placeOf(finding)))));
  return findings.map((finding) => (mayLack(finding) ? { ...finding, severity: 'warning' } : finding));
}

/** Texts are shown as texts everywhere; one that looks like a program in a page was not written by a person in an office. */
function markupIn({
  name,
  description,
  document,
}: {
  readonly name: unknown;
  readonly description: unknown;
  readonly document: FlowDocument;
}): Finding[] {
  const labels: (readonly [place: string, text: unknown, nodeId?: string])[] = [
    ['name', name],
    ['description', description],
    ...Object.entries(document.nodes).flatMap(([id, node]) => [
      [`nodes.${id}.name`, node.name, id] as const,
      [`nodes.${id}.note`, node.note, id] as const,
    ]),
    ...Object.entries(document.params).flatMap(([id, { title, description: text }]) => [
      [`params.${id}.title`, title] as const,
      [`params.${id}.description`, text] as const,
    ]),
    ...Object.entries(document.connections).map(([slot, { title }]) => [`connections.${slot}.title`, title] as const),
  ];
  return labels.flatMap(([place, text, nodeId]) =>
    typeof text === 'string' && /<\s*\/?\s*(script|iframe|object|embed|svg|img|style|link)\b|javascript:/i.test(text)
      ? [
          {
            ...error(
              'markup_forbidden',
              `${place} holds markup that could be a program.`,
              'Write it as plain text.',
              place,
            ),
            ...(nodeId ? { nodeId } : {}),
          },
        ]
      : [],
  );
}

function withoutSecrets(value: unknown, name: string, place: string, leftOut: string[]): unknown {
  const walk = (item: unknown, secret: boolean, at: string): unknown => {
    if (typeof item === 'string') {
      if (!secret || item === '') return item;
      leftOut.push(at);
      return '';
    }
    if (Array.isArray(item)) return item.map((one, index) => walk(one, secret, `${at}.${index}`));
    if (typeof item !== 'object' || item === null) return item;
    const itself = namesSecretItself(item as Record<string, unknown>);
    return Object.fromEntries(
      Object.entries(item).map(([key, one]) => [
        key,
        walk(one, secret || isSecretName(key) || (itself && key === 'value'), `${at}.${key}`),
      ]),
    );
  };
  // A computed field holds no secret, only the way to one.
  if (typeof value === 'object' && value !== null && 'kind' in value)
    return value.kind === 'literal' && 'value' in value
      ? { ...value, value: walk(value.value, isSecretName(name), place) }
      : value;
  return walk(value, isSecretName(name), place);
}

function pretty(value: unknown): string {
  return JSON.stringify(JSON.parse(canonicalJson(value)), null, 2).replaceAll('\n', '\n  ');
}

function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value) ?? 'missing').slice(0, 60);
}

function error(code: Finding['code'], message: string, fix: string, field?: string): Finding {
  return { code, severity: 'error', message, fix, ...(field ? { field } : {}) };
}

function depthOf(text: string): number {
  let [depth, deepest, inString] = [0, 0, false];
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (inString) {
      if (char === '\\') index++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth);
    else if (char === '}' || char === ']') depth--;
  }
  return deepest;
}
