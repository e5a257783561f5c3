import { fieldSchemas, type CallField, type Mapping } from '@plumbline/workflows/flow';
import type { FormField } from './form.ts';
import { splitTop } from './path.ts';

type Json = Extract<Mapping, { kind: 'literal' }>['value'];
export type CallValues = Readonly<Record<string, Mapping>>;

/** What one field of a called flow is given, read out of the one object that is handed over. Undefined when that is written as something else. */
export function readCallValues(mapping: Mapping | undefined): CallValues | undefined {
  if (mapping === undefined) return {};
  if (mapping.kind === 'literal') {
    const { value } = mapping;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return Object.fromEntries(
      Object.entries(value).map(([id, item]) => [id, { kind: 'literal', value: item as Json }]),
    );
  }
  const source = mapping.source.trim();
  if (!source.startsWith('{') || !source.endsWith('}') || splitTop(source, '.').length > 1) return undefined;
  const values: Record<string, Mapping> = {};
  for (const part of splitTop(source.slice(1, -1), ',')) {
    if (part.trim() === '') continue;
    const [key = '', ...rest] = splitTop(part, ':');
    const name = asJson(key.trim());
    if (typeof name?.value !== 'string' || rest.length === 0) return undefined;
    const given = rest.join(':').trim();
    const literal = asJson(given);
    values[name.value] = literal ? { kind: 'literal', value: literal.value } : { kind: 'expression', source: given };
  }
  return values;
}

/** The one object that hands all of them over; computed as soon as one of them is. */
export function writeCallValues(values: CallValues): Mapping | undefined {
  const all = Object.entries(values);
  if (all.length === 0) return undefined;
  const literals = all.flatMap(([id, mapping]) => (mapping.kind === 'literal' ? [[id, mapping.value] as const] : []));
  if (literals.length === all.length) return { kind: 'literal', value: Object.fromEntries(literals) };
  const parts = all.map(
    ([id, mapping]) =>
      `${JSON.stringify(id)}: ${mapping.kind === 'literal' ? JSON.stringify(mapping.value) : mapping.source.trim() || 'null'}`,
  );
  return { kind: 'expression', source: `{ ${parts.join(', ')} }` };
}

const controls: Readonly<Record<string, FormField['control']>> = {
  text: 'text',
  number: 'number',
  date: 'date',
  yes_no: 'boolean',
};

/** A field that a flow asks its callers for, as the inspector fills it in. */
export function formFieldOf({ id, title, type, required }: CallField): FormField {
  return {
    name: `values.${id}`,
    title,
    description: undefined,
    schema: fieldSchemas[type],
    control: controls[type] ?? 'json',
    required,
    advanced: false,
  };
}

/** What is asked for, and after it what is handed over though nobody asks for it, so that it can be taken away. */
export function fieldsShown(asked: readonly CallField[], values: CallValues): readonly CallField[] {
  const others = Object.keys(values).filter((id) => !asked.some((field) => field.id === id));
  return [...asked, ...others.map((id): CallField => ({ id, title: id, type: 'any', required: false }))];
}

function asJson(text: string): { readonly value: Json } | undefined {
  try {
    return { value: JSON.parse(text) as Json };
  } catch {
    return undefined;
  }
}
