import type { JsonSchema } from '../catalog.ts';

/** Whether a value of type `from` may be right for `to`. Only what surely cannot fit is refused. */
export function mayFit(from: JsonSchema | undefined, to: JsonSchema): boolean {
  if (from === undefined) return true;
  if (from.anyOf) return from.anyOf.some((part) => mayFit(part, to));
  const targets = to.anyOf ?? to.oneOf;
  if (targets) return targets.some((part) => mayFit(from, part));
  const given = typesOf(from);
  const wanted = typesOf(to);
  if (given.length === 0 || wanted.length === 0) return true;
  // JSONata gives one value for a list of one, so a list may be fed by its item: the step wraps it.
  return (
    given.some(
      (type) =>
        wanted.includes(type) ||
        (type === 'integer' && wanted.includes('number')) ||
        (type === 'number' && wanted.includes('integer')),
    ) || wanted.includes('array')
  );
}

function typesOf(schema: JsonSchema): readonly string[] {
  if (Array.isArray(schema.type)) return schema.type as readonly string[];
  if (typeof schema.type === 'string') return [schema.type];
  if (schema.enum) return [...new Set(schema.enum.map((value) => (value === null ? 'null' : typeof value)))];
  if (schema.const !== undefined) return [typeof schema.const];
  return [];
}

/** Why a given value is not right for a field, to be read after the field's name; undefined when it is. */
export function whyNot(value: unknown, schema: JsonSchema): string | undefined {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) {
    const reasons = choices.map((choice) => whyNot(value, choice));
    if (reasons.includes(undefined)) return undefined;
    // Of text that is too long it says that, and not that it must be text.
    return reasons[choices.findIndex((choice) => mayFit(typeOf(value), choice))] ?? `must be ${typeWord(choices[0])}`;
  }
  if (schema.enum && !schema.enum.includes(value)) return `must be ${typeWord(schema)}`;
  if (!mayFit(typeOf(value), schema)) return `must be ${typeWord(schema)}`;
  if (typeof value === 'string') {
    const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = schema;
    if (value.length > maxLength) return `is longer than ${maxLength} characters`;
    if (value.length < minLength) return `is shorter than ${minLength} characters`;
    if (pattern !== undefined && !new RegExp(pattern, 'u').test(value))
      return schema.format ? `is no ${schema.format}` : 'has characters or a form that it may not have';
  }
  if (typeof value === 'number') {
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
    if (schema.type === 'integer' && !Number.isInteger(value)) return 'must be a whole number';
    if (value < minimum || value > maximum)
      return value < minimum ? `must be at least ${minimum}` : `must be at most ${maximum}`;
  }
  if (Array.isArray(value)) {
    const { items, minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
    if (value.length < minItems || value.length > maxItems)
      return value.length < minItems ? `needs at least ${minItems} entries` : `has more than ${maxItems} entries`;
    return items && first(value.map((item: unknown, index) => inside(`${index + 1}`, whyNot(item, items))));
  }
  if (typeof value === 'object' && value !== null) {
    const fields = value as Readonly<Record<string, unknown>>;
    const lacking = schema.required?.find((name) => fields[name] === undefined);
    if (lacking !== undefined) return `lacks ${lacking}`;
    return first(
      Object.entries(schema.properties ?? {}).map(([name, part]) =>
        fields[name] === undefined ? undefined : inside(name, whyNot(fields[name], part)),
      ),
    );
  }
  return undefined;
}

function typeOf(value: unknown): JsonSchema {
  return { type: value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value };
}

function inside(place: string, wrong: string | undefined): string | undefined {
  return wrong === undefined ? undefined : `is not right at ${place}: it ${wrong}`;
}

function first(reasons: readonly (string | undefined)[]): string | undefined {
  return reasons.find((reason) => reason !== undefined);
}

/** A type in the words of an office: "text", "a list", "yes or no". */
export function typeWord(schema: JsonSchema | undefined): string {
  const [type] = schema ? typesOf(schema) : [];
  return (
    {
      string: 'text',
      number: 'a number',
      integer: 'a whole number',
      boolean: 'yes or no',
      array: 'a list',
      object: 'a group of fields',
      null: 'nothing',
    }[type ?? ''] ?? 'any value'
  );
}

/** The nearest of `names`, when it is near enough to be meant. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (!best || distance < best.distance) best = { name: candidate, distance };
  }
  return best && best.distance <= Math.max(2, Math.floor(name.length / 3)) ? best.name : undefined;
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const current = [i];
    for (let j = 1; j <= right.length; j++) {
      const cost = left[i - 1] === right[j - 1] ? 0 : 1;
      current[j] = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost);
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
