import type { JsonSchema } from './catalog.ts';
import { nearest, whyNot } from './compile/fits.ts';

/** What is wrong with one field of a value. */
export interface ValueProblem {
  /** Absent when the whole value is meant. */
  readonly field?: string;
  readonly code: 'required_missing' | 'field_unknown' | 'type_mismatch';
  readonly message: string;
}

/**
 * Every problem a value has as a node's input, field by field. What passes may still be refused by the node itself, which knows more than its schema says;
 * what does not pass is refused by it for certain.
 */
export function checkValue(value: unknown, schema: JsonSchema): readonly ValueProblem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [{ code: 'type_mismatch', message: 'It must be a group of fields, { … }.' }];
  const given = value as Readonly<Record<string, unknown>>;
  const properties = schema.properties ?? {};
  const titleOf = (name: string): string => properties[name]?.title ?? name;
  const problems: ValueProblem[] = [];
  for (const name of schema.required ?? [])
    // What has a default is required in the answer only.
    if (given[name] === undefined && properties[name]?.default === undefined)
      problems.push({ field: name, code: 'required_missing', message: `${titleOf(name)} (${name}) is missing.` });
  for (const [name, item] of Object.entries(given)) {
    const part = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (!part) {
      if (schema.properties === undefined || typeof schema.additionalProperties === 'object') continue;
      const near = nearest(name, Object.keys(properties));
      const message = `There is no field "${name}".${near ? ` Do you mean "${near}"?` : ''}`;
      problems.push({ field: name, code: 'field_unknown', message });
      continue;
    }
    const wrong = whyNot(item, part);
    if (wrong) problems.push({ field: name, code: 'type_mismatch', message: `${titleOf(name)} (${name}) ${wrong}.` });
  }
  return problems;
}

/** A value of the schema's shape, made of its examples and defaults: something to begin with. */
export function exampleOf(schema: JsonSchema | undefined, depth = 0): unknown {
  if (!schema || depth > 6) return null;
  if (schema.examples && schema.examples.length > 0) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum && schema.enum.length > 0) return schema.enum[0];
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0] ?? schema.allOf?.[0];
  if (choice) return exampleOf(choice, depth + 1);
  const type = Array.isArray(schema.type) ? (schema.type as readonly string[])[0] : schema.type;
  if (type === 'object' || schema.properties)
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([name, part]) => [name, exampleOf(part, depth + 1)]),
    );
  if (type === 'array') return schema.items ? [exampleOf(schema.items, depth + 1)] : [];
  if (type === 'number' || type === 'integer') return schema.minimum ?? 0;
  if (type === 'boolean') return false;
  return type === 'string' ? '' : null;
}
