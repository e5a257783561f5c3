import type { Catalog, NodeType } from '@plumbline/nodes';
import { z } from 'zod';
import type { CatalogInfo, JsonSchema, NodeTypeInfo } from './flow/catalog.ts';

/** The catalog as data, for the compiler and the studio. */
export function catalogInfo(catalog: Catalog): CatalogInfo {
  return {
    connectors: [...catalog.connectors.values()].map(({ id, title, category, description, monogram, options }) => ({
      id,
      title,
      category,
      description,
      monogram,
      options: Object.keys(options),
    })),
    nodeTypes: [...catalog.nodeTypes.values()].map(nodeTypeInfo),
  };
}

function nodeTypeInfo(type: NodeType): NodeTypeInfo {
  const input = toSchema(type.input, 'input');
  const dynamic = typeof type.ports === 'function';
  const portsFrom = dynamic ? listField(input) : undefined;
  const ports = typeof type.ports === 'function' ? type.ports(portsFrom ? { [portsFrom]: [] } : {}) : type.ports;
  const listedAt = portsFrom === undefined ? 0 : placeOfListed(type, portsFrom, input);
  const outputBy = outputsByField(type, input);
  return {
    id: type.id,
    version: type.version,
    kind: type.kind,
    title: type.title,
    description: type.description,
    category: type.category,
    icon: type.icon,
    ...(type.connector ? { connector: type.connector } : {}),
    effect: type.effect,
    input,
    output: toSchema(type.output, 'output'),
    ...(outputBy ? { outputBy } : {}),
    ...(type.outputFields ? { outputFields: outputFieldsOf(type.outputFields) } : {}),
    ports,
    ...(portsFrom ? { portsFrom } : {}),
    ...(listedAt > 0 ? { listedAt } : {}),
    ...(type.control ? { control: type.control } : {}),
    ...(type.undo ? { undo: type.undo.title } : {}),
    ...(type.subscription ? { trigger: type.subscription.kind } : {}),
  };
}

function toSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema & {
    $schema?: string;
  };
  return rest;
}

function outputFieldsOf({
  list,
  into,
  records,
}: NonNullable<NodeType['outputFields']>): NonNullable<NodeTypeInfo['outputFields']> {
  const schemas = Object.entries(records).map(([entity, schema]) => [entity, toSchema(schema, 'output')] as const);
  return { list, into, records: Object.fromEntries(schemas) };
}

/** The list of `{ id, title }` items that adds ports. */
function listField(input: JsonSchema): string | undefined {
  return Object.entries(input.properties ?? {}).find(
    ([, schema]) => schema.type === 'array' && schema.items?.properties?.['id'] && schema.items.properties['title'],
  )?.[0];
}

/** How many ports come before those of the list: asked with one item in it, for only the type itself knows. */
function placeOfListed({ ports }: NodeType, portsFrom: string, input: JsonSchema): number {
  if (typeof ports !== 'function') return 0;
  const fields = input.properties?.[portsFrom]?.items?.required ?? [];
  const item = Object.fromEntries(['id', 'title', ...fields].map((field) => [field, 'sample']));
  return Math.max(
    0,
    ports({ [portsFrom]: [item] }).findIndex(({ id }) => id === 'sample'),
  );
}

function outputsByField(type: NodeType, input: JsonSchema): NodeTypeInfo['outputBy'] {
  if (!type.outputFor) return undefined;
  for (const [field, schema] of Object.entries(input.properties ?? {})) {
    const values = (schema.enum ?? []).map(String);
    const schemas = values.map((value) => [value, type.outputFor?.({ [field]: value })] as const);
    if (values.length > 0 && schemas.every(([, output]) => output !== undefined))
      return {
        field,
        schemas: Object.fromEntries(schemas.map(([value, output]) => [value, toSchema(output as z.ZodType, 'output')])),
      };
  }
  return undefined;
}
