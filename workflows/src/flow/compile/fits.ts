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
  return given.some((type) => wanted.includes(type) || (type === 'integer' && wanted.includes('number')) || (type === 'number' && wanted.includes('integer'))) || wanted.includes('array');
}

function typesOf(schema: JsonSchema): readonly string[] {
  if (Array.isArray(schema.type)) return schema.type as readonly string[];
  if (typeof schema.type === 'string') return [schema.type];
  if (schema.enum) return [...new Set(schema.enum.map((value) => (value === null ? 'null' : typeof value)))];
  if (schema.const !== undefined) return [typeof schema.const];
  return [];
}

/** A type in the words of an office: "text", "a list", "yes or no". */
export function typeWord(schema: JsonSchema | undefined): string {
  const [type] = schema ? typesOf(schema) : [];
  return { string: 'text', number: 'a number', integer: 'a whole number', boolean: 'yes or no', array: 'a list', object: 'a group of fields', null: 'nothing' }[type ?? ''] ?? 'any value';
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
