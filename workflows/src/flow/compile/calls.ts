import type { CallField, CatalogInfo, FlowInfo, JsonSchema } from '../catalog.ts';
import type { Finding } from '../finding.ts';
import { fieldSchemas } from '../field-schemas.ts';
import { callTarget, flowCallOf } from '../flow-call.ts';
import type { FlowDocument, FlowNode, Mapping } from '../schema.ts';
import { parseExpression } from './expression.ts';
import { mayFit, nearest, typeWord, whyNot } from './fits.ts';
import { inferExpression } from './infer.ts';
import { scopeSchema } from './mappings.ts';
import type { Structure } from './structure.ts';

/** What is handed over under one name: the value itself where it is written down, else its type. */
type Given = { readonly value: unknown } | { readonly type: JsonSchema };

/**
 * Checks a step that calls a flow: that there is one to call, and that it is handed what it takes. What does not fit the version that would be called now is
 * an error; that there is nothing to call yet is a warning, unless a version is asked for, because versions never change.
 */
export function checkCall(
  document: FlowDocument,
  catalog: CatalogInfo,
  structure: Structure,
  nodeId: string,
): Finding[] {
  const node = document.nodes[nodeId];
  const call = node && flowCallOf(node);
  if (!call) return [];
  const target = callTarget(catalog, node);
  const say = (finding: Pick<Finding, 'code' | 'severity' | 'field' | 'fix'>, message: string): Finding[] => [
    { ...finding, nodeId, message: `"${node.name}" ${message}` },
  ];
  switch (target.kind) {
    case 'unknown':
      return [];
    case 'missing':
      return say(
        { code: 'flow_missing', severity: 'error', field: 'flow', fix: 'Choose another one.' },
        'calls a flow that does not exist any more.',
      );
    case 'version_missing':
      return say(
        { code: 'flow_version_missing', severity: 'error', field: 'version', fix: versionsOf(target.flow) },
        `calls version ${call.version} of "${target.flow.name}", which does not exist.`,
      );
    case 'not_published':
      return say(
        { code: 'flow_not_published', severity: 'warning', field: 'flow', fix: 'Publish that flow before this one.' },
        `calls "${target.flow.name}", which has not been published.`,
      );
    case 'known':
      if (target.interface.kind === 'callable')
        return checkFields({ document, structure, nodeId, node }, target.flow, target.interface.fields);
      return say(
        {
          code: 'flow_takes_no_calls',
          severity: call.version === 'published' ? 'warning' : 'error',
          field: 'flow',
          fix: 'Add the trigger "Another flow calls it" there and publish, or choose another flow.',
        },
        `calls "${target.flow.name}", which ${call.version === 'published' ? '' : `in version ${call.version} `}takes no calls.`,
      );
  }
}

function versionsOf({ latestVersion }: FlowInfo): string {
  if (latestVersion === 0) return 'Publish that flow, or leave the version empty.';
  return `Choose ${latestVersion === 1 ? '1' : `one from 1 to ${latestVersion}`}, or leave it empty for the one that is published.`;
}

interface Call {
  readonly document: FlowDocument;
  readonly structure: Structure;
  readonly nodeId: string;
  readonly node: FlowNode;
}

/** Findings are about `values.<field>`, for each is filled in by itself. */
function checkFields(call: Call, flow: FlowInfo, fields: readonly CallField[]): Finding[] {
  const mapping = call.node.inputs['values'];
  const given = fields.length === 0 ? undefined : givenBy(call, mapping);
  if (!given) return [];
  const findings: Finding[] = [];
  const error = (id: string, finding: Omit<Finding, 'severity' | 'nodeId' | 'field'>): void => {
    findings.push({ severity: 'error', nodeId: call.nodeId, field: `values.${id}`, ...finding });
  };
  for (const { id, title, type, required } of fields) {
    const value = given.get(id);
    if (!value || isBlank(value)) {
      if (required)
        error(id, {
          code: 'required_missing',
          message: `"${call.node.name}" does not hand over ${title} (${id}), which "${flow.name}" needs.`,
          fix: `Fill in ${title}, or take it from an earlier step.`,
        });
      continue;
    }
    const wrong = whyUnfit(value, taken[type]);
    if (wrong)
      error(id, {
        code: 'type_mismatch',
        message: `${title} (${id}) of "${flow.name}" ${wrong}.`,
        fix: 'value' in value ? 'Correct the value.' : 'Pick another field, or convert it.',
      });
  }
  const known = fields.map(({ id }) => id);
  for (const id of given.keys()) {
    if (known.includes(id)) continue;
    const guess = nearest(id, known);
    const suggestion = guess === undefined ? undefined : renamed(mapping, id, guess);
    error(id, {
      code: 'field_unknown',
      message: `"${call.node.name}" hands over "${id}", which "${flow.name}" does not take.`,
      fix: guess ? `Did you mean "${guess}"?` : `Remove it. It takes ${known.join(', ')}.`,
      ...(suggestion ? { suggestion } : {}),
    });
  }
  return findings;
}

/** What the run accepts, no more strictly: numbers may come as digits. */
const taken: Readonly<Record<CallField['type'], JsonSchema>> = {
  ...fieldSchemas,
  number: { anyOf: [fieldSchemas.number, { type: 'string', pattern: String.raw`^\s*-?\d+(\.\d+)?\s*$` }] },
  date: { ...fieldSchemas.date, pattern: String.raw`^\d{4}-\d{2}-\d{2}$` },
};

/** By name; undefined where an expression gives nobody knows what. */
function givenBy(
  { document, structure, nodeId }: Call,
  mapping: Mapping | undefined,
): ReadonlyMap<string, Given> | undefined {
  if (mapping === undefined) return new Map();
  if (mapping.kind === 'literal') {
    const { value } = mapping;
    if (value === null || value === '') return new Map();
    if (typeof value !== 'object' || Array.isArray(value)) return undefined; // reported as the field's own mismatch
    return new Map(Object.entries(value).map(([id, item]) => [id, { value: item }]));
  }
  const parsed = mapping.source.trim() === '' ? undefined : parseExpression(mapping.source);
  if (!parsed) return new Map();
  const type = 'ast' in parsed ? inferExpression(parsed.ast, scopeSchema(document, structure, nodeId)).type : undefined;
  if (type?.properties === undefined || type.additionalProperties !== false) return undefined;
  return new Map(
    Object.entries(type.properties).map(([id, property]): [string, Given] => [
      id,
      property.const !== undefined
        ? { value: property.const }
        : property.type === 'null'
          ? { value: null }
          : { type: property },
    ]),
  );
}

function isBlank(given: Given): boolean {
  if (!('value' in given)) return false;
  const { value } = given;
  return value === null || (typeof value === 'string' && value.trim() === '');
}

function whyUnfit(given: Given, wanted: JsonSchema): string | undefined {
  if ('value' in given) return whyNot(given.value, wanted);
  const word = typeWord(wanted.anyOf?.[0] ?? wanted);
  return mayFit(given.type, wanted) ? undefined : `must be ${word}, but this gives ${typeWord(given.type)}`;
}

/** The expression with another name for what is handed over, where it is plain which. */
function renamed(mapping: Mapping | undefined, from: string, to: string): Finding['suggestion'] {
  const [before, after, ...more] = mapping?.kind === 'expression' ? mapping.source.split(JSON.stringify(from)) : [];
  if (before === undefined || after === undefined || more.length > 0 || !/^\s*:/.test(after)) return undefined;
  return { title: `Use ${to}`, source: before + JSON.stringify(to) + after };
}
