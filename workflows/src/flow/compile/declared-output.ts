import { z } from 'zod';
import type { JsonSchema, NodeTypeInfo } from '../catalog.ts';
import { fieldSchemas } from '../field-schemas.ts';
import type { FlowNode } from '../schema.ts';

const fieldsSchema = z.array(
  z.object({
    id: z.string(),
    title: z.string().optional(),
    type: z.string().optional(),
    required: z.boolean().optional(),
    entity: z.string().optional(),
  }),
);
type Field = z.infer<typeof fieldsSchema>[number];

/** The output of a trigger whose fields are declared in a list: each with its type, and surely there when it must be given. */
export function declaredOutput(node: FlowNode, type: NodeTypeInfo): JsonSchema | undefined {
  const { outputFields } = type;
  const list = outputFields && node.inputs[outputFields.list];
  if (!outputFields || list?.kind !== 'literal') return undefined;
  const fields = fieldsSchema.safeParse(list.value).data ?? [];
  if (fields.length === 0) return undefined;
  const usual = type.input.properties?.[outputFields.list]?.items?.properties?.['type']?.default;
  const values: JsonSchema = {
    type: 'object',
    properties: Object.fromEntries(
      fields.map((field) => [
        field.id,
        {
          ...typeOf({ ...(typeof usual === 'string' ? { type: usual } : {}), ...field }, outputFields.records),
          ...(field.title ? { title: field.title } : {}),
        },
      ]),
    ),
    required: fields.filter(({ required }) => required).map(({ id }) => id),
    additionalProperties: false,
  };
  return { ...type.output, properties: { ...type.output.properties, [outputFields.into]: values } };
}

function typeOf({ type, entity }: Field, records: Readonly<Record<string, JsonSchema>>): JsonSchema {
  if (type === 'record') return (entity === undefined ? undefined : records[entity]) ?? { type: 'object' };
  return (fieldSchemas as Readonly<Record<string, JsonSchema>>)[type ?? 'text'] ?? fieldSchemas.text;
}
