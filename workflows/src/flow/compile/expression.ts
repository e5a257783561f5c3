import jsonata from 'jsonata';
import { compileLinear } from '../../evaluate/linear-regex.ts';
import type { FindingCode } from '../finding.ts';
import { limits } from '../schema.ts';

/** JSONata's syntax tree, as far as we read it: its own typings leave out half of the node types. */
export interface Ast {
  readonly type: string;
  readonly value?: unknown;
  readonly position?: number;
  readonly name?: Ast;
  readonly procedure?: Ast;
  readonly arguments?: readonly Ast[] | readonly { readonly value: string }[];
  readonly body?: Ast;
  readonly steps?: readonly Ast[];
  readonly stages?: readonly Ast[];
  readonly predicate?: readonly Ast[];
  readonly expressions?: readonly Ast[];
  readonly expression?: Ast;
  readonly expr?: Ast;
  readonly condition?: Ast;
  readonly then?: Ast;
  readonly else?: Ast;
  readonly lhs?: Ast | readonly Ast[] | readonly (readonly [Ast, Ast])[];
  readonly rhs?: Ast | readonly Ast[];
  readonly terms?: readonly { readonly expression: Ast }[];
  readonly group?: { readonly lhs: readonly (readonly [Ast, Ast])[] };
  readonly pattern?: Ast;
  readonly update?: Ast;
  readonly delete?: Ast;
  readonly keepArray?: boolean;
  readonly consarray?: boolean;
}

export interface ExpressionProblem {
  readonly code: FindingCode;
  readonly message: string;
  readonly fix: string;
  readonly at?: { readonly start: number; readonly end: number };
}

const MAX_DEPTH = 64;
const MAX_NODES = 2_000;

/** Parses one mapping and refuses what may never run. Pure and fast enough for every keystroke. */
export function parseExpression(source: string): { readonly ast: Ast } | { readonly problem: ExpressionProblem } {
  if (new TextEncoder().encode(source).length > limits.expressionBytes)
    return problem('expr_too_long', 'This expression is longer than 16 KB.', 'Split the work over two steps.');
  if (nesting(source) > MAX_DEPTH) return tooDeep();
  let ast: Ast;
  try {
    ast = jsonata(source).ast() as unknown as Ast;
  } catch (error) {
    // A parser that runs out of stack: brackets in a comment, or operators without brackets, are not counted beforehand.
    if (error instanceof RangeError) return tooDeep();
    const { message, position } = error as { message?: string; position?: number };
    return problem(
      'expr_syntax',
      (message ?? 'This is not an expression').replace(/\.?$/, '.'),
      'Correct it at the mark, or pick the field from the list.',
      position,
      source,
    );
  }
  return inspect(ast, source) ?? { ast };
}

function inspect(root: Ast, source: string): { readonly problem: ExpressionProblem } | undefined {
  let count = 0;
  const stack: { ast: Ast; depth: number }[] = [{ ast: root, depth: 0 }];
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const { ast, depth } = entry;
    if (++count > MAX_NODES)
      return problem(
        'expr_too_long',
        `This expression has more than ${MAX_NODES} parts.`,
        'Split the work over two steps.',
      );
    if (depth > MAX_DEPTH * 2) return tooDeep();
    if (ast.type === 'variable' && ast.value === 'eval')
      return problem(
        'expr_forbidden',
        '$eval is not available: an expression may not run text as code.',
        'Write the expression itself.',
        ast.position,
        source,
      );
    if (ast.type === 'regex' && ast.value instanceof RegExp) {
      try {
        compileLinear(ast.value.source, ast.value.flags);
      } catch {
        return problem(
          'regex_unsafe',
          `The pattern ${String(ast.value)} needs look-around or back-references, which can run without end.`,
          'Write it without them.',
          ast.position,
          source,
        );
      }
    }
    for (const child of childrenOf(ast)) stack.push({ ast: child, depth: depth + 1 });
  }
  return undefined;
}

function tooDeep(): { readonly problem: ExpressionProblem } {
  return problem(
    'expr_too_deep',
    `This expression is nested deeper than ${MAX_DEPTH} levels.`,
    'Use variables ( $x := … ) to flatten it.',
  );
}

/** All parts of a node, whatever its type. */
export function childrenOf(ast: Ast): Ast[] {
  const found: Ast[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null && !(value instanceof RegExp)) {
      if (typeof (value as Ast).type === 'string') found.push(value as Ast);
      else Object.values(value).forEach(visit);
    }
  };
  for (const [key, value] of Object.entries(ast)) if (key !== 'ancestor' && key !== 'seekingParent') visit(value);
  return found;
}

/** Depth of brackets outside of strings; checked first, because a parser may not recurse as deep as a text is long. */
function nesting(source: string): number {
  let depth = 0;
  let deepest = 0;
  let quote = '';
  for (let index = 0; index < source.length; index++) {
    const char = source.charAt(index);
    if (quote) {
      if (char === '\\') index++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'" || char === '`') quote = char;
    else if ('([{'.includes(char)) deepest = Math.max(deepest, ++depth);
    else if (')]}'.includes(char)) depth--;
  }
  return deepest;
}

function problem(
  code: FindingCode,
  message: string,
  fix: string,
  position?: number,
  source?: string,
): { readonly problem: ExpressionProblem } {
  return {
    problem: {
      code,
      message,
      fix,
      ...(position === undefined
        ? {}
        : { at: { start: Math.max(0, position - 1), end: Math.min(position, source?.length ?? position) } }),
    },
  };
}
