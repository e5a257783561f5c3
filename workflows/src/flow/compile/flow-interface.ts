import { z } from 'zod';
import { canonicalJson } from '../canonical.ts';
import type { CallField, CatalogInfo, FlowInterface, JsonSchema } from '../catalog.ts';
import { CALLED_TRIGGER, RETURN_STEP } from '../flow-call.ts';
import { portsOf } from '../port.ts';
import { LOOP_PORT } from '../regions.ts';
import type { FlowDocument, FlowNode, Mapping } from '../schema.ts';
import { parseExpression } from './expression.ts';
import { inferExpression } from './infer.ts';
import { isContainer } from './loops.ts';
import { scopeSchema } from './mappings.ts';
import { checkStructure, type Structure } from './structure.ts';

const fieldsSchema = z.array(
  z.object({
    id: z.string(),
    title: z.string().optional(),
    type: z.enum(['text', 'number', 'date', 'yes_no', 'any']).default('any').catch('any'),
    required: z.boolean().default(false),
  }),
);

/**
 * What a drawing takes from flows that call it, and hands back to them. What flows that it calls itself hand back is no part of it: those are published
 * anew without this one.
 */
export function flowInterface(document: FlowDocument, { connectors, nodeTypes }: CatalogInfo): FlowInterface {
  const triggers = Object.keys(document.nodes).filter((id) => document.nodes[id]?.type === CALLED_TRIGGER);
  if (triggers.length === 0) return { kind: 'not_callable' };
  const structure = checkStructure(document, { connectors, nodeTypes });
  const returns = Object.entries(document.nodes).filter(
    ([id, { type, disabled }]) =>
      type === RETURN_STEP && !disabled && triggers.some((trigger) => structure.upstream.get(id)?.has(trigger)),
  );
  const handedBack = returns.map(([id, node]) =>
    objectType(typeOf(node.inputs['values'], scopeSchema(document, structure, id))),
  );
  const always = surelyReturns(document, structure);
  return {
    kind: 'callable',
    fields: fieldsOf(document, triggers),
    result: union(handedBack, triggers.every(always)),
  };
}

/** Of several such triggers it is not said here which one is called. */
function fieldsOf({ nodes }: FlowDocument, triggers: readonly string[]): readonly CallField[] {
  const [trigger, ...others] = triggers.map((id) => nodes[id]?.inputs['fields']);
  if (trigger?.kind !== 'literal' || others.length > 0) return [];
  const fields = fieldsSchema.safeParse(trigger.value).data ?? [];
  return fields.map(({ id, title, type, required }) => ({ id, title: title || id, type, required }));
}

function typeOf(mapping: Mapping | undefined, scope: JsonSchema): JsonSchema {
  if (mapping === undefined) return typeOfValue({});
  if (mapping.kind === 'literal') return typeOfValue(mapping.value ?? {});
  const parsed = parseExpression(mapping.source);
  return ('ast' in parsed ? inferExpression(parsed.ast, scope).type : undefined) ?? {};
}

function typeOfValue(value: unknown): JsonSchema {
  if (value === null) return {};
  if (Array.isArray(value)) return { type: 'array' };
  if (typeof value !== 'object') return { type: typeof value };
  const properties = Object.entries(value).map(([name, item]) => [name, typeOfValue(item)] as const);
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false };
}

const open: JsonSchema = { type: 'object', additionalProperties: {} };

/** An object whose fields are known by name; what it says besides, titles and single values, is what was read and not what is handed back. */
function objectType({ type, properties, additionalProperties }: JsonSchema): JsonSchema {
  if (type !== 'object' || !properties) return open;
  const fields = Object.entries(properties).map(
    ([name, { title: _, ...field }]) => [name, withoutConst(field)] as const,
  );
  return {
    type: 'object',
    properties: Object.fromEntries(fields),
    additionalProperties: additionalProperties === false ? false : {},
  };
}

function withoutConst(schema: JsonSchema): JsonSchema {
  const { const: value, ...rest } = schema;
  const type = rest.type ?? (value === undefined ? undefined : typeof value);
  return {
    ...rest,
    ...(type === undefined ? {} : { type }),
    ...(rest.properties
      ? {
          properties: Object.fromEntries(
            Object.entries(rest.properties).map(([name, property]) => [name, withoutConst(property)]),
          ),
        }
      : {}),
    ...(rest.items ? { items: withoutConst(rest.items) } : {}),
    ...(rest.anyOf ? { anyOf: rest.anyOf.map(withoutConst) } : {}),
  };
}

/** One of several objects. A field that not all of them have may be missing, and all may where nothing is handed back. */
function union(objects: readonly JsonSchema[], always: boolean): JsonSchema {
  const names = [...new Set(objects.flatMap(({ properties }) => Object.keys(properties ?? {})))].sort();
  const isOpen = objects.some(({ additionalProperties }) => additionalProperties !== false);
  const property = (name: string): JsonSchema => {
    const types = objects.flatMap(({ properties, additionalProperties }) =>
      properties && Object.hasOwn(properties, name)
        ? [properties[name] as JsonSchema]
        : additionalProperties === false
          ? []
          : [{}],
    );
    const different = [...new Map(types.map((type) => [canonicalJson(type), type])).values()];
    const [first = {}, ...others] = different;
    if (others.length === 0) return first;
    return different.some((type) => Object.keys(type).length === 0) ? {} : { anyOf: different };
  };
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, property(name)])),
    required: always
      ? names.filter((name) => objects.every(({ properties }) => properties && Object.hasOwn(properties, name)))
      : [],
    additionalProperties: isOpen ? {} : false,
  };
}

/** Tells whether every run that gets to a step, and succeeds, hands something back. In doubt it does not. */
function surelyReturns(document: FlowDocument, { types }: Structure): (nodeId: string) => boolean {
  const known = new Map<string, boolean>();
  const surely = (nodeId: string): boolean => {
    const before = known.get(nodeId);
    if (before !== undefined) return before;
    known.set(nodeId, false); // a circle is an error elsewhere
    const sure = returnsHere(document.nodes[nodeId]) || everyWayOut(nodeId);
    known.set(nodeId, sure);
    return sure;
  };
  const everyWayOut = (nodeId: string): boolean => {
    const node = document.nodes[nodeId];
    const type = types.get(nodeId);
    if (!node || !type) return false;
    const edges = document.edges.filter(({ from }) => from === nodeId);
    const ports = new Set([...portsOf(node, type), ...edges.map(({ port }) => ({ id: port }))].map(({ id }) => id));
    if (isContainer(type)) ports.delete(LOOP_PORT);
    return (
      ports.size > 0 &&
      [...ports].every((port) =>
        edges.some((edge) => edge.port === port && goesOn(document.nodes[edge.to]) && surely(edge.to)),
      )
    );
  };
  return surely;
}

function returnsHere(node: FlowNode | undefined): boolean {
  return node?.type === RETURN_STEP && !node.disabled;
}

/** A join that waits for more than one way may not be met. */
function goesOn(node: FlowNode | undefined): boolean {
  return (node?.join?.mode ?? 'any') === 'any';
}
