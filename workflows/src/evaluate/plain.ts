import jsonata from 'jsonata';

/** JSON that is no list and no object. */
type Primitive = string | number | boolean | null;

/** The value, that it is too large, or that this one is for the real evaluator. */
export type PlainAnswer =
  | { readonly plain: true; readonly value: Primitive | Readonly<Record<string, unknown>> | undefined }
  | { readonly plain: 'too large' }
  | { readonly plain: false };

type Evaluate = (root: unknown) => unknown;

/** Characters of what is put together here. A text that is handed on as it came may be longer, but nothing grows without a limit. */
const LONGEST = 2_097_152;
/** Thrown where more is put together. */
const tooLong = Symbol('too long');

/** Thrown where a value turns up that JSONata treats in a way of its own. */
const notPlain = Symbol('not plain');

/**
 * Evaluates expressions that are nothing but paths, literals, texts put together and objects of those, here and now: most mappings are, they cannot run
 * away, and asking a child process costs a hundred times as much. Whatever meets a list, or hands out a whole object, is left to JSONata itself, so
 * the answer is always the same; a property test holds it to that.
 */
export class PlainExpressions {
  readonly #known = new Map<string, Evaluate | undefined>();
  readonly #limit: number;

  constructor(limit = 5_000) {
    this.#limit = limit;
  }

  evaluate(source: string, root: unknown): PlainAnswer {
    const evaluate = this.#compiled(source);
    if (!evaluate) return { plain: false };
    try {
      const value = evaluate(root);
      if (isConstructed(value) && lengthOf(value) > LONGEST) return { plain: 'too large' };
      return isConstructed(value) || isPrimitive(value) ? { plain: true, value: value as never } : { plain: false };
    } catch (error) {
      if (error === notPlain) return { plain: false };
      if (error === tooLong) return { plain: 'too large' };
      throw error;
    }
  }

  #compiled(source: string): Evaluate | undefined {
    if (this.#known.has(source)) return this.#known.get(source);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= this.#limit && oldest !== undefined) this.#known.delete(oldest);
    const evaluate = compile(source);
    this.#known.set(source, evaluate);
    return evaluate;
  }
}

function compile(source: string): Evaluate | undefined {
  try {
    const evaluate = compileNode(jsonata(source).ast() as unknown as Ast);
    // A path alone may lead to an object, which is JSONata's to copy and to check.
    return evaluate;
  } catch {
    return undefined;
  }
}

/** The few properties of JSONata's syntax tree that a plain expression has; any other makes it one that is not. */
interface Ast {
  readonly type: string;
  readonly value: unknown;
  readonly position?: number;
  readonly steps?: readonly Ast[];
  readonly lhs?: unknown;
  readonly rhs?: Ast;
}

const expected = new Set(['type', 'value', 'position', 'steps', 'lhs', 'rhs']);
const reserved = new Set(['__proto__', 'constructor', 'prototype']);

function compileNode(node: Ast): Evaluate {
  for (const [name, value] of Object.entries(node)) if (!expected.has(name) && value !== undefined) throw notPlain;
  if (node.type === 'string' || node.type === 'number' || node.type === 'value') return () => node.value;
  if (node.type === 'path') return compilePath(node.steps ?? []);
  if (node.type === 'binary' && node.value === '&')
    return compileConcat(compileNode(node.lhs as Ast), compileNode(node.rhs as Ast));
  if (node.type === 'unary' && node.value === '{') return compileObject(node.lhs as readonly (readonly [Ast, Ast])[]);
  throw notPlain;
}

function compilePath(steps: readonly Ast[]): Evaluate {
  const names = steps.map((step) => {
    for (const [name, value] of Object.entries(step)) if (!expected.has(name) && value !== undefined) throw notPlain;
    if (step.type !== 'name' || typeof step.value !== 'string') throw notPlain;
    return step.value;
  });
  return (root) => {
    let current = root;
    for (const name of names) {
      if (Array.isArray(current)) throw notPlain;
      if (typeof current !== 'object' || current === null || !Object.hasOwn(current, name)) return undefined;
      current = (current as Record<string, unknown>)[name];
    }
    return current;
  };
}

function compileConcat(left: Evaluate, right: Evaluate): Evaluate {
  const text = (value: unknown): string => {
    if (value === undefined) return '';
    // Numbers and the rest are written in JSONata's own way.
    if (typeof value !== 'string') throw notPlain;
    return value;
  };
  return (root) => {
    const [before, after] = [text(left(root)), text(right(root))];
    if (before.length + after.length > LONGEST) throw tooLong;
    return before + after;
  };
}

/** Of all texts in it. */
function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, part) => sum + lengthOf(part), 0);
}

/** Objects made here and nowhere else, so that nobody's own object passes for one. */
const constructed = new WeakSet<object>();

function isConstructed(value: unknown): boolean {
  return typeof value === 'object' && value !== null && constructed.has(value);
}

function isPrimitive(value: unknown): boolean {
  return value === undefined || value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function compileObject(pairs: readonly (readonly [Ast, Ast])[]): Evaluate {
  const fields = pairs.map(([key, value]) => {
    if (key.type !== 'string' || typeof key.value !== 'string' || reserved.has(key.value)) throw notPlain;
    return [key.value, compileNode(value)] as const;
  });
  if (new Set(fields.map(([key]) => key)).size !== fields.length) throw notPlain;
  return (root) => {
    // Over nothing, and over a list, an object is something else.
    if (typeof root !== 'object' || root === null || Array.isArray(root)) throw notPlain;
    const made: Record<string, unknown> = {};
    for (const [key, evaluate] of fields) {
      const value = evaluate(root);
      if (value === undefined) continue;
      if (!isPrimitive(value) && !isConstructed(value)) throw notPlain;
      made[key] = value;
    }
    constructed.add(made);
    return made;
  };
}
