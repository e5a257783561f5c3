import type { JsonSchema } from './catalog.ts';

/** Deeper than this nothing is made up. */
const DEPTH = 6;

/**
 * A value that a schema would take, the same every time: the first example, default or choice there is, else something that looks like its kind.
 * For trying things out, where nothing real is at hand.
 */
export function sampleOf(schema: JsonSchema, name = 'value', depth = 0): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.examples?.length) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.enum?.length) return schema.enum[0];
  const choice = (schema.anyOf ?? schema.oneOf)?.find(({ type }) => type !== 'null');
  if (choice) return sampleOf(choice, name, depth);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => sampleOf(part, name, depth))) as unknown;
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.find((candidate) => candidate !== 'null');
  switch (type) {
    case 'string':
      return textOf(schema, name);
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 1, Math.min(1, schema.maximum ?? 1));
    case 'boolean':
      return true;
    case 'array':
      return depth >= DEPTH ? [] : [sampleOf(schema.items ?? {}, name, depth + 1)];
    case 'object':
      return depth >= DEPTH
        ? {}
        : Object.fromEntries(
            Object.entries(schema.properties ?? {}).map(([id, property]) => [id, sampleOf(property, id, depth + 1)]),
          );
    default:
      return type === undefined ? `sample ${name}` : null;
  }
}

function textOf({ format, maxLength }: JsonSchema, name: string): string {
  const text =
    format === 'date'
      ? '2026-03-02'
      : format === 'date-time'
        ? '2026-03-02T12:00:00Z'
        : format === 'uuid'
          ? '00000000-0000-4000-8000-000000000001'
          : format === 'email'
            ? 'someone@example.com'
            : `sample ${name}`;
  return text.slice(0, maxLength);
}
