import type { JsonSchema, NodeTypeInfo } from '../catalog.ts';
import type { Finding } from '../finding.ts';
import type { PlanMapping } from '../plan.ts';
import type { FlowDocument, FlowNode, Mapping } from '../schema.ts';
import { declaredOutput } from './declared-output.ts';
import { childrenOf, parseExpression, type Ast } from './expression.ts';
import { mayFit, nearest, typeWord, whyNot } from './fits.ts';
import { inferExpression } from './infer.ts';
import { containersAround, isLoop, LOOP_DEPTH } from './loops.ts';
import { isScope } from './scopes.ts';
import type { Structure } from './structure.ts';

interface NodeMappings {
  readonly findings: readonly Finding[];
  readonly mappings: Readonly<Record<string, PlanMapping>>;
  /** Settings of the flow that are read; `*` when any may be. */
  readonly params: ReadonlySet<string>;
}

/** Checks every field of one node against what is known upstream, and lowers it for the plan. */
export function checkMappings(document: FlowDocument, structure: Structure, nodeId: string): NodeMappings {
  const node = document.nodes[nodeId];
  const type = structure.types.get(nodeId);
  if (!node || !type) return { findings: [], mappings: {}, params: new Set() };
  const findings: Finding[] = [];
  const mappings: Record<string, PlanMapping> = {};
  const params = new Set<string>();
  const fields = type.input.properties ?? {};
  for (const [field, mapping] of Object.entries(node.inputs)) {
    const schema = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (!schema) {
      findings.push({
        code: 'field_unknown',
        severity: 'error',
        nodeId,
        field,
        message: `"${node.name}" has no field "${field}".`,
        fix: 'Remove it.',
      });
      continue;
    }
    const checked = checkMapping({ document, structure, nodeId, node, field, schema, mapping });
    findings.push(...checked.findings);
    if (checked.mapping) mappings[field] = checked.mapping;
    checked.params?.forEach((id) => params.add(id));
  }
  for (const field of type.input.required ?? []) {
    const schema = fields[field];
    if (isEmpty(node.inputs[field]) && schema?.default === undefined)
      findings.push({
        code: 'required_missing',
        severity: 'error',
        nodeId,
        field,
        message: `"${node.name}" needs ${schema?.title ?? field}.`,
        fix: `Fill in ${schema?.title ?? field}, or take it from an earlier step.`,
      });
  }
  return { findings, mappings, params };
}

function isEmpty(mapping: Mapping | undefined): boolean {
  if (!mapping) return true;
  return mapping.kind === 'expression' ? mapping.source.trim() === '' : mapping.value === null || mapping.value === '';
}

interface Field {
  readonly document: FlowDocument;
  readonly structure: Structure;
  readonly nodeId: string;
  readonly node: FlowNode;
  readonly field: string;
  readonly schema: JsonSchema;
  readonly mapping: Mapping;
}

function checkMapping(context: Field): { findings: Finding[]; mapping?: PlanMapping; params?: readonly string[] } {
  const { nodeId, field, schema, mapping, node } = context;
  const title = schema.title ?? field;
  if (mapping.kind === 'literal') {
    if (isEmpty(mapping)) return { findings: [] };
    const wrong = whyNot(mapping.value, schema);
    const findings: Finding[] =
      wrong === undefined
        ? []
        : [
            {
              code: 'type_mismatch',
              severity: 'error',
              nodeId,
              field,
              message: `${title} of "${node.name}" ${wrong}.`,
              fix: schema.enum ? `Choose one of: ${schema.enum.join(', ')}.` : 'Correct the value.',
            },
          ];
    return { findings, mapping: { kind: 'literal', value: mapping.value } };
  }
  if (mapping.source.trim() === '') return { findings: [] };
  const parsed = parseExpression(mapping.source);
  if ('problem' in parsed) {
    const { code, message, fix, at } = parsed.problem;
    return {
      findings: [
        { code, severity: 'error', nodeId, field, message: `${title}: ${message}`, fix, ...(at ? { at } : {}) },
      ],
    };
  }
  const reads = stepsRead(parsed.ast);
  const findings = [...checkReads(context, reads), ...checkTypes(context, parsed.ast)];
  return { findings, mapping: { kind: 'expression', source: mapping.source, reads }, params: paramsRead(parsed.ast) };
}

/** Ids of the steps that an expression names: `steps.<id>`, from the root or from `$$`. Reading `steps`, or the root, as a whole reads all. */
export function stepsRead(ast: Ast): string[] {
  return rootReads(ast, 'steps');
}

/** Ids of the flow's settings that an expression names, in the same way. */
export function paramsRead(ast: Ast): string[] {
  return rootReads(ast, 'params');
}

function rootReads(ast: Ast, member: string): string[] {
  const found = new Set<string>();
  const read = (of: Ast | undefined): void => {
    if (of?.type === 'wildcard' || of?.type === 'descendant') found.add('*');
  };
  const visit = (node: Ast, atRoot: boolean): void => {
    if (node.type === 'variable' && (node.value === '$' || (node.value === '' && atRoot))) found.add('*');
    if (atRoot) read(node);
    if (node.type !== 'path') {
      for (const child of childrenOf(node)) visit(child, atRoot);
      return;
    }
    const steps = node.steps ?? [];
    const [first] = steps;
    const isRoot =
      first?.type === 'variable' &&
      (first.value === '$' || (first.value === '' && atRoot)) &&
      steps.length > 1 &&
      !first.predicate &&
      !first.stages;
    const at = isRoot ? 1 : 0;
    const owner = isRoot || atRoot ? steps[at] : undefined;
    read(owner);
    if (owner?.type === 'name' && owner.value === member) {
      const next = steps[at + 1];
      found.add(
        (next?.type === 'name' || next?.type === 'string') && !owner.predicate && !owner.stages
          ? String(next.value)
          : '*',
      );
    }
    // Behind the first step, and in a filter, names belong to what came before.
    for (const [index, step] of steps.entries()) {
      if (index === 0 && !isRoot && step.type !== 'name') visit({ ...step, predicate: [], stages: [] }, atRoot);
      else if (index > 0) visit({ ...step, predicate: [], stages: [] }, false);
      for (const stage of [...(step.predicate ?? []), ...(step.stages ?? [])]) visit(stage, false);
    }
    if (node.group) for (const child of childrenOf({ type: 'group', lhs: node.group.lhs })) visit(child, false);
  };
  visit(ast, true);
  return [...found].sort();
}

function checkReads({ document, structure, nodeId, node, field }: Field, reads: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  for (const id of reads) {
    if (id === '*' || !document.nodes[id]) continue; // a missing id is reported as an unknown path
    if (!structure.upstream.get(nodeId)?.has(id))
      findings.push({
        code: 'step_not_upstream',
        severity: 'error',
        nodeId,
        field,
        message: `"${node.name}" reads "${document.nodes[id].name}", which does not run before it.`,
        fix: 'Connect that step so that it comes first, or read another one.',
      });
    else if (!structure.certain.get(nodeId)?.has(id))
      findings.push({
        code: 'step_maybe_skipped',
        severity: 'warning',
        nodeId,
        field,
        message: `"${document.nodes[id].name}" may have been skipped when "${node.name}" runs; its values are then missing.`,
        fix: 'Give a fallback, for example with  ?: .',
      });
  }
  return findings;
}

function checkTypes({ document, structure, nodeId, node, field, schema, mapping }: Field, ast: Ast): Finding[] {
  const source = mapping.kind === 'expression' ? mapping.source : '';
  const { type, unknownPaths } = inferExpression(ast, scopeSchema(document, structure, nodeId));
  // One line for a thing that is missing, however many of its fields are read.
  const missing = [...new Map(unknownPaths.map((unknown) => [unknown.path, unknown])).values()];
  const findings: Finding[] = missing.map(({ path, name, known, position }) => {
    const guess = nearest(name, known);
    const words = known.map((id) => (path.startsWith('steps.') ? named(document, id) : id));
    const start = Math.max(0, position - name.length);
    return {
      code: 'path_unknown',
      severity: 'error',
      nodeId,
      field,
      at: { start, end: position },
      message: `${schema.title ?? field} of "${node.name}" reads "${path}", which does not exist.`,
      fix: guess
        ? `Did you mean "${guess}"?`
        : known.length > 0
          ? `There is: ${words.slice(0, 8).join(', ')}${known.length > 8 ? ' …' : ''}.`
          : 'Pick a field from the list.',
      ...(guess && source.slice(start, position) === name
        ? { suggestion: { title: `Use ${guess}`, source: source.slice(0, start) + guess + source.slice(position) } }
        : {}),
    };
  });
  if (findings.length === 0 && !mayFit(type, schema))
    findings.push({
      code: 'type_mismatch',
      severity: 'error',
      nodeId,
      field,
      message: `${schema.title ?? field} of "${node.name}" needs ${typeWord(schema)}, but this gives ${typeWord(type)}.`,
      fix:
        schema.type === 'string'
          ? 'Wrap it in $string( … ).'
          : schema.type === 'number'
            ? 'Wrap it in $number( … ).'
            : 'Pick another field.',
    });
  return findings;
}

/** A step by the name people gave it. */
function named(document: FlowDocument, id: string): string {
  const name = document.nodes[id]?.name;
  return name === undefined ? id : `"${name}"`;
}

const text: JsonSchema = { type: 'string' };
const closed = (properties: Record<string, JsonSchema>): JsonSchema => ({
  type: 'object',
  properties,
  additionalProperties: false,
});

/** The schema of everything an expression of this node may read. The studio completes from it, too. */
export function scopeSchema(
  document: FlowDocument,
  structure: Pick<Structure, 'types' | 'upstream' | 'handled'>,
  nodeId: string,
): JsonSchema {
  const upstream = structure.upstream.get(nodeId) ?? new Set<string>();
  const steps: Record<string, JsonSchema> = {};
  const triggers: JsonSchema[] = [];
  for (const id of upstream) {
    const node = document.nodes[id];
    const type = structure.types.get(id);
    if (!node || !type) continue;
    const output = outputSchema(node, type);
    steps[id] = structure.handled.has(id) ? orError(output, isScope(type)) : output;
    if (type.kind === 'trigger') triggers.push(output);
  }
  const params = Object.fromEntries(
    Object.entries(document.params).map(([id, param]) => [
      id,
      param.type === 'choice' ? text : { type: param.type === 'text' ? 'string' : param.type },
    ]),
  );
  const own = structure.types.get(nodeId)?.control === 'while' ? [nodeId] : [];
  const all = containersAround(document, nodeId);
  const around = all.filter((id) => isLoop(structure.types.get(id)));
  // What is drawn too deep, or in a circle, is an error elsewhere, and its types are nobody's business.
  const unknown = around.length > LOOP_DEPTH || all.includes(nodeId);
  const loops = [...around, ...own].map((id) => [id, unknown ? {} : loopSchema(document, structure, id)] as const);
  const [, inner] = loops.at(-1) ?? [];
  return closed({
    ...(inner ? { loop: inner, loops: closed(Object.fromEntries(loops)) } : {}),
    trigger: triggers.length === 1 ? (triggers[0] ?? {}) : {},
    steps: closed(steps),
    params: closed(params),
    run: closed({ id: text, startedAt: text }),
    company: closed({ id: text, name: text, timeZone: text, currency: text }),
  });
}

const ofFailure: Record<string, JsonSchema> = {
  kind: text,
  code: text,
  message: text,
  fix: text,
  vendorMessage: text,
  requestId: text,
  field: text,
};
const names: JsonSchema = { type: 'array', items: text };
const failure = closed(ofFailure);
/** That of a scope says as well which step failed, and what became of what the others wrote. */
const scopeFailure = closed({ ...ofFailure, step: text, undone: names, kept: names });

/** A step whose failures have a way of their own gives that way the error to read. */
function orError(output: JsonSchema, scope: boolean): JsonSchema {
  if (!output.properties) return output;
  const error = scope ? scopeFailure : failure;
  return { ...output, properties: { ...output.properties, error }, required: [] };
}

/** What the steps inside a loop may read of the turn they are in. */
function loopSchema(
  document: FlowDocument,
  structure: Pick<Structure, 'types' | 'upstream' | 'handled'>,
  loopId: string,
): JsonSchema {
  const index = { type: 'integer' };
  if (structure.types.get(loopId)?.control === 'while') return closed({ index, value: {} });
  const { items, batchSize } = document.nodes[loopId]?.inputs ?? {};
  const parsed = items?.kind === 'expression' ? parseExpression(items.source) : undefined;
  const list =
    parsed && 'ast' in parsed ? inferExpression(parsed.ast, scopeSchema(document, structure, loopId)).type : undefined;
  const item = elementOf(list);
  const many = batchSize?.kind === 'literal' && Number(batchSize.value) > 1;
  return closed({ index, count: { type: 'integer' }, item: many ? { type: 'array', items: item } : item });
}

/** What one item of a list looks like; anything, where that is not known. */
function elementOf(list: JsonSchema | undefined): JsonSchema {
  const lists = list?.anyOf?.find(({ type }) => type === 'array') ?? list;
  return lists?.type === 'array' ? (lists.items ?? {}) : {};
}

/** What a step hands on, as precisely as its literal configuration tells. */
export function outputSchema(node: FlowNode, type: NodeTypeInfo): JsonSchema {
  const chosen = type.outputBy ? node.inputs[type.outputBy.field] : undefined;
  if (type.outputBy && chosen?.kind === 'literal') return type.outputBy.schemas[String(chosen.value)] ?? type.output;
  return declaredOutput(node, type) ?? type.output;
}
