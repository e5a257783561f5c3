import jsonata from 'jsonata';
import { RE2JSException } from 're2js';
import { LinearRegex } from './linear-regex.ts';
import { money, moneyCompare, MoneyError, moneyMultiply, moneySum } from './money.ts';
import { evaluateLimits, type EvaluateAnswer, type EvaluateRequest, type ExpressionErrorCode } from './protocol.ts';

const compiled = new Map<string, jsonata.Expression>();
const COMPILED_MAX = 500;

/**
 * Evaluates a request in this process. Only the evaluator's child calls it: a hostile expression may take the process with it.
 * Never throws; every failure is a coded answer.
 */
export async function evaluate(request: EvaluateRequest): Promise<EvaluateAnswer> {
  const values: Record<string, string> = {};
  const context: unknown = JSON.parse(request.context);
  for (const { field, source } of request.expressions) {
    try {
      const text = serialize(await run({ field, source }, context, request));
      if (text !== undefined) values[field] = text;
    } catch (error) {
      return { ok: false, error: { field, ...explain(error) } };
    }
  }
  return { ok: true, values };
}

async function run(
  { field, source }: EvaluateRequest['expressions'][number],
  context: unknown,
  request: EvaluateRequest,
): Promise<unknown> {
  if (source.length > evaluateLimits.sourceBytes)
    throw new Refusal('expr_too_long', 'The expression is longer than 16 KB.');
  const expression = prepare(source);
  const at = Date.parse(request.now);
  const random = seeded(`${request.seed}\n${field}\n${source}`);
  return await expression.evaluate(context, {
    now: (picture?: string, zone?: string) => clock.evaluate(null, { at, picture, zone }),
    millis: () => at,
    random,
    shuffle: (list: unknown[]) => shuffle(list, random),
    eval: () => {
      throw new Refusal('expr_forbidden', '$eval is not available: an expression may not run text as code.');
    },
    money,
    moneySum,
    moneyMultiply,
    moneyCompare,
  });
}

const clock = jsonata('$fromMillis($at, $picture, $zone)');

function prepare(source: string): jsonata.Expression {
  const known = compiled.get(source);
  if (known) return known;
  const { softTimeoutMs: timeout, stack, sequence } = evaluateLimits;
  const expression = jsonata(source, {
    timeout,
    stack,
    sequence,
    RegexEngine: LinearRegex as unknown as RegExpConstructor,
  });
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  compiled.set(source, expression);
  return expression;
}

/** A refusal of ours, thrown through JSONata. */
class Refusal extends Error {
  readonly refusal: ExpressionErrorCode;
  constructor(code: ExpressionErrorCode, message: string) {
    super(message);
    this.refusal = code;
  }
}

/** JSON text of a result, or undefined when it matched nothing. Walks by hand: `JSON.stringify` would overflow on depth and hide NaN. */
function serialize(value: unknown): string | undefined {
  check(value, 0);
  const text = JSON.stringify(value);
  if (text !== undefined && text.length > evaluateLimits.outputBytes)
    throw new Refusal('expr_too_large', 'The result is larger than 1 MB.');
  return text;
}

const reserved = new Set(['__proto__', 'constructor', 'prototype']);

function check(value: unknown, depth: number): void {
  if (depth > evaluateLimits.outputDepth)
    throw new Refusal('expr_too_deep', `The result is nested deeper than ${evaluateLimits.outputDepth} levels.`);
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new Refusal('number_not_finite', 'The result is not a finite number (a division by zero, for example).');
  if (Array.isArray(value)) {
    for (const item of value) check(item, depth + 1);
  } else if (isFunction(value)) {
    throw new Refusal(
      'expr_forbidden',
      'The result is a function, not a value. Call it, for example $sum(amounts) in place of $sum.',
    );
  } else if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value)) {
      if (reserved.has(key))
        throw new Refusal('reserved_key', `The result has a key named "${key}", which no system may receive.`);
      check((value as Record<string, unknown>)[key], depth + 1);
    }
  }
}

/** JSONata's own functions and lambdas are objects with a mark; its regular expressions are JavaScript functions. */
function isFunction(value: unknown): boolean {
  return (
    typeof value === 'function' ||
    (typeof value === 'object' && value !== null && ('_jsonata_function' in value || '_jsonata_lambda' in value))
  );
}

/** JSONata's codes in ours. @see https://docs.jsonata.org/error-codes */
function explain(error: unknown): { code: ExpressionErrorCode; message: string; at?: number } {
  if (error instanceof Refusal) return { code: error.refusal, message: error.message };
  if (error instanceof MoneyError) return { code: 'expr_error', message: plain(error.message) };
  if (error instanceof RangeError) return explainRange(error);
  if (error instanceof RE2JSException)
    return { code: 'regex_unsafe', message: 'The pattern needs look-around, back-references or too many repetitions.' };
  const {
    code = '',
    message = '',
    position,
  } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: string;
    message?: string;
    position?: number;
  };
  const at = typeof position === 'number' ? { at: position } : {};
  if (code === 'D1012')
    return { code: 'expr_timeout', message: 'The expression ran longer than half a second.', ...at };
  if (code === 'D1011') return { code: 'expr_too_deep', message: 'The expression calls itself too deeply.', ...at };
  if (code === 'D2014' || code === 'D2015')
    return { code: 'expr_too_large', message: 'The expression produces too many items.', ...at };
  if (code === 'D1001' || code === 'D3001' || code === 'S0102')
    return { code: 'number_not_finite', message: plain(message) || 'A number is out of range.', ...at };
  if (code.startsWith('S')) return { code: 'expr_syntax', message: plain(message), ...at };
  return { code: 'expr_error', message: plain(message) || 'The expression failed without saying why.', ...at };
}

/** V8 has one class for three things; only their messages tell them apart. */
function explainRange({ message }: RangeError): { code: ExpressionErrorCode; message: string } {
  if (message.startsWith('Maximum call stack'))
    return { code: 'expr_too_deep', message: 'The expression or its data is nested too deeply.' };
  if (/^Invalid (string|array|count|typed array)/.test(message))
    return { code: 'expr_too_large', message: 'The expression produces more text or more items than is possible.' };
  return { code: 'expr_error', message: 'A number or a date in the expression is out of range.' };
}

function plain(message: unknown): string {
  return typeof message === 'string' ? message.slice(0, 500) : '';
}

/** Mulberry32 over an FNV-1a hash: repeatable over retries of a step. */
function seeded(seed: string): () => number {
  let state = 0x811c9dc5;
  for (let index = 0; index < seed.length; index++) state = Math.imul(state ^ seed.charCodeAt(index), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function shuffle(list: readonly unknown[], random: () => number): unknown[] {
  const result = [...list];
  for (let index = result.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [result[index], result[other]] = [result[other], result[index]];
  }
  return result;
}
