import type { JsonSchema, Mapping } from '@plumbline/workflows/flow';
import { words } from '../../format.ts';

/** How a field is filled in when it is given rather than computed. */
export type Control =
  | 'text'
  | 'lines'
  | 'number'
  | 'boolean'
  | 'choice'
  | 'options'
  | 'company'
  | 'value_map'
  | 'value_map_column'
  | 'rows'
  | 'date'
  | 'json';

export interface FormField {
  readonly name: string;
  readonly title: string;
  readonly description: string | undefined;
  readonly schema: JsonSchema;
  readonly control: Control;
  readonly required: boolean;
  readonly advanced: boolean;
}

/** Fields of a step in the order they are shown: required first, advanced last, otherwise as declared. */
export function formOf(input: JsonSchema): readonly FormField[] {
  const required = new Set(input.required ?? []);
  const fields = Object.entries(input.properties ?? {}).map(([name, schema]): FormField => ({
    name,
    title: schema.title ?? words(name),
    description: schema.description,
    schema,
    control: controlOf(schema),
    required: required.has(name) && schema.default === undefined,
    advanced: schema.advanced === true,
  }));
  const rank = (field: FormField) => (field.advanced ? 2 : field.required ? 0 : 1);
  return fields
    .map((field, index) => ({ field, index }))
    .sort((a, b) => rank(a.field) - rank(b.field) || a.index - b.index)
    .map(({ field }) => field);
}

/** Whether a field means anything, given what else is filled in. What was filled in before is kept. */
export function isShown(field: FormField, input: JsonSchema, inputs: Readonly<Record<string, Mapping>>): boolean {
  const condition = field.schema.shownWhen;
  if (!condition) return true;
  const given = inputs[condition.field];
  if (given?.kind === 'expression') return true;
  const value = given?.value ?? input.properties?.[condition.field]?.default;
  return condition.is.includes(String(value));
}

/** The control for a schema; lists of groups become rows, anything freer is JSON. */
export function controlOf(schema: JsonSchema): Control {
  const type = Array.isArray(schema.type) ? schema.type.find((candidate) => candidate !== 'null') : schema.type;
  if (schema.enum) return 'choice';
  if (schema.optionsFrom) return 'options';
  if (schema.choicesFrom === 'value_maps') return 'value_map';
  if (schema.choicesFrom === 'value_map_columns') return 'value_map_column';
  if (schema.choicesFrom) return 'company';
  if (type === 'boolean') return 'boolean';
  if (type === 'number' || type === 'integer') return 'number';
  if (type === 'array' && schema.items?.properties) return 'rows';
  if (type === 'string') return schema.multiline ? 'lines' : schema.format === 'date' ? 'date' : 'text';
  // An amount takes a number or decimal text; people type text.
  if (
    schema.anyOf?.some((part) => part.type === 'string') &&
    schema.anyOf.every((part) => part.type === 'string' || part.type === 'number')
  )
    return 'text';
  return 'json';
}

/** What a choice is called: by its label, else its value in words. */
export function choiceLabel(schema: JsonSchema, value: unknown): string {
  const labels = (schema as { readonly labels?: Readonly<Record<string, string>> }).labels;
  return labels?.[String(value)] ?? (/^[A-Z]+$/.test(String(value)) ? String(value) : words(String(value)));
}

/** Fields that describe the subscription or the ways out: they are read before anything runs, so they cannot be computed. */
export function mustBeGiven(
  kind: 'trigger' | 'action' | 'logic',
  field: FormField,
  portsFrom: string | undefined,
): boolean {
  return kind === 'trigger' || field.name === portsFrom || field.control.startsWith('value_map');
}

/** A mapping as the text an expression editor starts from. */
export function asExpression(mapping: Mapping | undefined): string {
  if (!mapping) return '';
  if (mapping.kind === 'expression') return mapping.source;
  return mapping.value === null || mapping.value === '' ? '' : JSON.stringify(mapping.value);
}

/** A given value, where an expression is nothing but one; otherwise nothing. */
export function asLiteral(mapping: Mapping | undefined): Mapping | undefined {
  if (!mapping || mapping.kind === 'literal') return mapping;
  try {
    const value = JSON.parse(mapping.source) as unknown;
    return { kind: 'literal', value: value as Extract<Mapping, { kind: 'literal' }>['value'] };
  } catch {
    return undefined;
  }
}
