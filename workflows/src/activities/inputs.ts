import type { NodeType } from '@plumbline/nodes';
import { z } from 'zod';
import type { Evaluator } from '../evaluate/pool.ts';
import type { PlainExpressions } from '../evaluate/plain.ts';
import type { PlanStep } from '../flow/plan.ts';
import { StepError } from './classify.ts';

/** What expressions see. */
export interface ExpressionContext {
  readonly trigger: unknown;
  readonly steps: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly run: { readonly id: string; readonly startedAt: string };
  readonly company: {
    readonly id: string;
    readonly name: string;
    readonly timeZone: string;
    readonly currency: string;
  };
  /** The turn of the innermost loop, and of every loop around by its id. */
  readonly loop?: unknown;
  readonly loops?: Readonly<Record<string, unknown>>;
}

/**
 * Computes a node's input and checks it against the node's schema.
 * @throws StepError `required_missing`, `input_invalid` or the expression's code; the field is named.
 */
export async function mapInputs(options: {
  readonly evaluator: Evaluator;
  readonly plain: PlainExpressions;
  readonly companyId: string;
  readonly step: PlanStep;
  readonly type: NodeType;
  readonly context: ExpressionContext;
  /** What `$now()` and `$millis()` say: the same for every attempt of a step. */
  readonly now: Date;
  readonly seed: string;
}): Promise<Record<string, unknown>> {
  const { evaluator, plain, companyId, step, type, context, now, seed } = options;
  const values: Record<string, unknown> = {};
  const expressions: { field: string; source: string }[] = [];
  let readsTrigger = false;
  for (const [field, mapping] of Object.entries(step.inputs)) {
    if (mapping.kind === 'literal') values[field] = mapping.value;
    else {
      const answer = plain.evaluate(mapping.source, context);
      if (answer.plain === 'too large')
        throw notComputed(type, step, { field, code: 'expr_too_large', message: 'The result is larger than 2 MB.' });
      if (!answer.plain) {
        expressions.push({ field, source: mapping.source });
        readsTrigger ||= mapping.reads.includes('*') || mapping.source.includes('trigger');
      } else if (answer.value !== undefined) values[field] = answer.value;
    }
  }
  if (expressions.length > 0) {
    const answer = await evaluator.evaluate(companyId, {
      // What started the run may be a list that a loop goes through: written down for each item, it would cost as much again as all of them.
      context: JSON.stringify(readsTrigger ? context : { ...context, trigger: undefined }),
      expressions,
      now: now.toISOString(),
      seed,
    });
    if (!answer.ok) {
      const { field, code, message } = answer.error;
      throw notComputed(type, step, { field, code, message });
    }
    for (const [field, text] of Object.entries(answer.values)) values[field] = JSON.parse(text) as unknown;
  }
  return checkInputs(type, step, wrapLists(type, saidToBeNothing(type, step, values)));
}

function notComputed(
  type: NodeType,
  step: Pick<PlanStep, 'name'>,
  { field, code, message }: { readonly field: string; readonly code: string; readonly message: string },
): StepError {
  return new StepError({
    kind: 'expression',
    code,
    field,
    message: `${titleOf(type, field)} of "${step.name}" could not be computed: ${message}`,
    fix: 'Open the flow, correct that mapping and publish; then retry with the new version.',
  });
}

/** A field that may be left empty, and says so, is told when it is mapped and nothing came: it is then `null`, and the node refuses it. */
function saidToBeNothing(type: NodeType, step: PlanStep, values: Record<string, unknown>): Record<string, unknown> {
  for (const [field, mapping] of Object.entries(step.inputs))
    if (mapping.kind === 'expression' && values[field] === undefined && metaOf(type, field)?.['nothingIsNull'])
      values[field] = null;
  return values;
}

/** JSONata gives the item itself for a list of one; a field that takes a list gets a list. Where a list is `null`, as many systems say, there is nothing in it. */
function wrapLists(type: NodeType, values: Record<string, unknown>): Record<string, unknown> {
  for (const [field, schema] of Object.entries(type.input.shape)) {
    const value = values[field];
    if (value === undefined || Array.isArray(value) || !isList(schema as z.ZodType)) continue;
    if (value !== null) values[field] = [value];
    else if (!(schema as z.ZodType).safeParse(null).success) values[field] = [];
  }
  return values;
}

function isList(schema: z.ZodType): boolean {
  if (schema instanceof z.ZodArray) return true;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return isList(schema.unwrap() as z.ZodType);
  return false;
}

/**
 * Checks a node's input against its schema.
 * @throws StepError `required_missing` or `input_invalid`; the field is named.
 */
export function checkInputs(
  type: NodeType,
  step: Pick<PlanStep, 'name'>,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const parsed = type.input.safeParse(values);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = String(issue?.path[0] ?? '');
  const path = issue?.path.join('.') ?? '';
  const missing = values[field] === undefined;
  throw new StepError({
    kind: 'invalid',
    code: missing ? 'required_missing' : 'input_invalid',
    field,
    message: missing
      ? `"${step.name}" got nothing for ${titleOf(type, field)}.`
      : `${titleOf(type, field)} of "${step.name}" is not usable${path === field ? '' : ` at ${path}`}: ${issue?.message ?? 'it has the wrong shape'}.`,
    fix: missing
      ? 'The record or the earlier step has no such value: fill it in there, or give the mapping a fallback, then retry.'
      : 'Correct the mapping or the record, then retry.',
  });
}

function titleOf(type: NodeType, field: string): string {
  return (metaOf(type, field)?.['title'] as string | undefined) ?? field;
}

function metaOf(type: NodeType, field: string): Readonly<Record<string, unknown>> | undefined {
  return (type.input.shape[field] as z.ZodType | undefined)?.meta();
}
