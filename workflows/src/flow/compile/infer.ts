import type { JsonSchema } from '../catalog.ts';
import type { Ast } from './expression.ts';

/** A type as far as it is known; `undefined` when anything may come. */
export type Inferred = JsonSchema | undefined;

/** A path that the schema of its source does not have. */
export interface UnknownPath {
  readonly path: string;
  /** The name that is missing. */
  readonly name: string;
  /** Names that exist there. */
  readonly known: readonly string[];
  readonly position: number;
}

interface Scope {
  readonly root: Inferred;
  /** What `$` and bare names refer to. */
  readonly context: Inferred;
  readonly variables: ReadonlyMap<string, Inferred>;
  readonly report: (unknown: UnknownPath) => void;
}

/**
 * The type of an expression over `root`, and every path in it that cannot exist.
 * Sound in one direction: what it reports is wrong; what it does not know it lets pass.
 */
export function inferExpression(
  ast: Ast,
  root: JsonSchema,
): { readonly type: Inferred; readonly unknownPaths: readonly UnknownPath[] } {
  const unknownPaths: UnknownPath[] = [];
  const scope: Scope = { root, context: root, variables: new Map(), report: (unknown) => unknownPaths.push(unknown) };
  return { type: infer(ast, scope).type, unknownPaths };
}

/** A type with the variables that its evaluation leaves bound. */
interface Result {
  readonly type: Inferred;
  readonly scope: Scope;
}

function infer(ast: Ast, scope: Scope): Result {
  const only = (type: Inferred): Result => ({ type, scope });
  switch (ast.type) {
    case 'string':
      return only({ type: 'string', const: ast.value });
    case 'number':
      return only({ type: 'number' });
    case 'value':
      return only(ast.value === null ? { type: 'null' } : { type: typeof ast.value });
    case 'regex':
    case 'lambda':
    case 'partial':
    case 'transform':
      return only(undefined);
    case 'name':
      return only(property(scope.context, ast, [], scope));
    case 'variable':
      return only(
        ast.value === '' ? scope.context : ast.value === '$' ? scope.root : scope.variables.get(String(ast.value)),
      );
    case 'path':
      return only(path(ast, scope));
    case 'binary':
      return only(binary(ast, scope));
    case 'unary':
      return only(unary(ast, scope));
    case 'condition': {
      if (ast.condition) infer(ast.condition, scope);
      const yes = ast.then ? infer(ast.then, scope).type : undefined;
      const no = ast.else ? infer(ast.else, scope).type : undefined;
      return only(
        yes && no && yes.type === no.type ? { ...(yes.type === undefined ? {} : { type: yes.type }) } : undefined,
      );
    }
    case 'block': {
      let inner = scope;
      let type: Inferred;
      for (const expression of ast.expressions ?? []) ({ type, scope: inner } = infer(expression, inner));
      return only(type);
    }
    case 'bind': {
      const value = infer(ast.rhs as Ast, scope).type;
      const variables = new Map(scope.variables).set(String((ast.lhs as Ast).value), value);
      return { type: value, scope: { ...scope, variables } };
    }
    case 'function':
      return only(call(ast, scope));
    case 'apply':
      infer(ast.lhs as Ast, scope);
      return only(undefined);
    default:
      return only(undefined);
  }
}

function path(ast: Ast, scope: Scope): Inferred {
  let current: Inferred = scope.context;
  let mapped = false;
  const trail: string[] = [];
  for (const [index, step] of (ast.steps ?? []).entries()) {
    const inner: Scope = { ...scope, context: index === 0 ? scope.context : itemOf(current) };
    if (index > 0 && isArray(current)) mapped = true;
    if (step.type === 'name') {
      current = property(inner.context, step, trail, inner);
      trail.push(String(step.value));
    } else {
      current = infer(step, inner).type;
      trail.push('…');
    }
    for (const stage of [...(step.stages ?? []), ...(step.predicate ?? [])]) {
      const filter = stage.type === 'filter' ? stage.expr : stage;
      if (filter) infer(filter, { ...scope, context: itemOf(current) });
    }
  }
  if (ast.group) return undefined;
  if (!mapped || isArray(current) || current === undefined) return current;
  // A path over a list gives one value or a list, as JSONata does.
  return { anyOf: [current, { type: 'array', items: current }] };
}

function property(context: Inferred, ast: Ast, trail: readonly string[], scope: Scope): Inferred {
  const owner = itemOf(context);
  const name = String(ast.value);
  if (owner === undefined) return undefined;
  if (owner.anyOf ?? owner.oneOf ?? owner.allOf) {
    const parts = [...(owner.anyOf ?? []), ...(owner.oneOf ?? []), ...(owner.allOf ?? [])].filter(
      (part) => part.type !== 'null',
    );
    const found = parts.map((part) => own(itemOf(part)?.properties, name)).filter((type) => type !== undefined);
    // Where one of them is open or lacks the name, anything may come.
    return found.length === parts.length ? (found.length === 1 ? found[0] : { anyOf: found }) : undefined;
  }
  const known = owner.properties;
  const declared = own(known, name);
  if (declared) return declared;
  if (typeof owner.additionalProperties === 'object') return owner.additionalProperties;
  const closed = (known !== undefined && owner.additionalProperties === false) || scalarTypes.has(String(owner.type));
  if (closed)
    scope.report({
      path: [...trail, name].join('.'),
      name,
      known: Object.keys(known ?? {}),
      position: ast.position ?? 0,
    });
  return undefined;
}

function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}

const scalarTypes = new Set(['string', 'number', 'integer', 'boolean']);

/** The element of a list, however nested; anything else is itself. */
function itemOf(type: Inferred): Inferred {
  let current = type;
  while (current && isArray(current)) current = current.items;
  return current;
}

function isArray(type: Inferred): boolean {
  return type?.type === 'array';
}

function binary(ast: Ast, scope: Scope): Inferred {
  const left = infer(ast.lhs as Ast, scope).type;
  infer(ast.rhs as Ast, scope);
  switch (ast.value) {
    case '&':
      return { type: 'string' };
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return { type: 'number' };
    case '..':
      return { type: 'array', items: { type: 'number' } };
    case '=':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'and':
    case 'or':
    case 'in':
      return { type: 'boolean' };
    default:
      return ast.value === '?:' || ast.value === '??' ? left : undefined;
  }
}

function unary(ast: Ast, scope: Scope): Inferred {
  if (ast.value === '-') {
    if (ast.expression) infer(ast.expression, scope);
    return { type: 'number' };
  }
  if (ast.value === '[') {
    const items = (ast.expressions ?? []).map((item) => infer(item, scope).type);
    const [first] = items;
    return { type: 'array', ...(items.length === 1 && first ? { items: itemOf(first) ?? first } : {}) };
  }
  if (ast.value === '{') {
    const properties: Record<string, JsonSchema> = {};
    let open = false;
    for (const [key, value] of ast.lhs as readonly (readonly [Ast, Ast])[]) {
      const type = infer(value, scope).type;
      if (key.type === 'string') properties[String(key.value)] = type ?? {};
      else open = true;
    }
    return { type: 'object', properties, ...(open ? {} : { additionalProperties: false }) };
  }
  return undefined;
}

const results: Readonly<Record<string, JsonSchema>> = {
  string: { type: 'string' },
  substring: { type: 'string' },
  substringBefore: { type: 'string' },
  substringAfter: { type: 'string' },
  uppercase: { type: 'string' },
  lowercase: { type: 'string' },
  trim: { type: 'string' },
  pad: { type: 'string' },
  join: { type: 'string' },
  replace: { type: 'string' },
  now: { type: 'string' },
  fromMillis: { type: 'string' },
  formatNumber: { type: 'string' },
  money: { type: 'string' },
  moneySum: { type: 'string' },
  moneyMultiply: { type: 'string' },
  moneyCompare: { type: 'number' },
  length: { type: 'number' },
  number: { type: 'number' },
  sum: { type: 'number' },
  count: { type: 'number' },
  max: { type: 'number' },
  min: { type: 'number' },
  average: { type: 'number' },
  round: { type: 'number' },
  floor: { type: 'number' },
  ceil: { type: 'number' },
  abs: { type: 'number' },
  millis: { type: 'number' },
  toMillis: { type: 'number' },
  boolean: { type: 'boolean' },
  not: { type: 'boolean' },
  exists: { type: 'boolean' },
  contains: { type: 'boolean' },
  keys: { type: 'array', items: { type: 'string' } },
  split: { type: 'array', items: { type: 'string' } },
};

function call(ast: Ast, scope: Scope): Inferred {
  for (const argument of (ast.arguments ?? []) as readonly Ast[])
    if (argument.type !== 'lambda') infer(argument, scope);
  const name = ast.procedure?.type === 'variable' ? String(ast.procedure.value) : '';
  return scope.variables.has(name) ? undefined : own(results, name);
}
