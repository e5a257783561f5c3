import { RE2JS } from 're2js';
import { z } from 'zod';
import { badInput, shown } from './bad-input.ts';
import { compareSortable, sameValue, sortable } from './comparing.ts';
import { readDecimal } from './decimal.ts';
import { fieldName } from './rows.ts';

const labels = {
  required: 'has a value',
  amount: 'is an amount',
  date: 'is a day like 2026-03-31',
  email: 'is an e-mail address',
  matches: 'matches the pattern',
  'at-least': 'is at least',
  'at-most': 'is at most',
  longest: 'has at most so many characters',
  'one-of': 'is one of (a, b, c)',
} as const;
/** What fields have to be. */
export const rules = z
  .array(
    z.object({
      field: fieldName.meta({ title: 'Field' }),
      rule: z
        .enum(Object.keys(labels) as [keyof typeof labels])
        .default('required')
        .meta({ title: 'Rule', labels }),
      value: z
        .union([z.string().max(1_000), z.number()])
        .default('')
        .meta({ title: 'Value' }),
      message: z.string().max(300).optional().meta({ title: 'Say', description: 'In place of our own words.' }),
    }),
  )
  .min(1)
  .max(100);
type Rule = z.infer<typeof rules>[number];

/** What is wrong, in words. */
export function say(rule: Rule['rule'], field: string, found: unknown, value: Rule['value']): string {
  if (rule === 'required') return `"${field}" is empty; it needs a value.`;
  const wanted = labels[rule].replace(' (a, b, c)', '').replace('so many', String(value));
  return `"${field}" is ${shown(found)}; it must be one that ${wanted}${['at-least', 'at-most', 'one-of', 'matches'].includes(rule) ? ` ${String(value)}` : ''}.`;
}

/** Prepares a rule. @throws ConnectorFailure `rule_invalid` */
export function testOf({ rule, field, value }: Rule, index: number): (found: unknown) => boolean {
  const refuse = (what: string, cause?: unknown) =>
    badInput('rule_invalid', `Rule ${index + 1} on "${field}" ${what}. Correct it in the step.`, cause);
  switch (rule) {
    case 'required':
      return () => true;
    case 'amount':
      return (found) => readDecimal(found) !== undefined;
    case 'date':
      return (found) => z.iso.date().safeParse(found).success;
    case 'email':
      return (found) => z.email().safeParse(found).success;
    case 'matches': {
      if (value === '') throw refuse('has no pattern');
      const pattern = compile(String(value), refuse);
      return (found) => typeof found !== 'object' && pattern.test(String(found));
    }
    case 'longest': {
      const most = Number(value);
      if (!Number.isInteger(most) || most < 1) throw refuse(`has ${shown(value)} in place of a number of characters`);
      return (found) => typeof found !== 'object' && String(found).length <= most;
    }
    case 'one-of': {
      const choices = String(value)
        .split(',')
        .map((choice) => choice.trim());
      return (found) => choices.some((choice) => sameValue(found, choice) || String(found) === choice);
    }
    default: {
      const limit = sortable(value);
      if (limit === undefined || limit === 'empty') throw refuse('has no limit');
      return (found) => {
        const key = sortable(found);
        if (key === undefined || key === 'empty' || key.kind !== limit.kind) return false;
        return rule === 'at-least' ? compareSortable(key, limit) >= 0 : compareSortable(key, limit) <= 0;
      };
    }
  }
}

function compile(pattern: string, refuse: (what: string, cause: unknown) => Error): RE2JS {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern));
  } catch (cause) {
    throw refuse(`has a pattern that cannot be used: ${shown(pattern)}`, cause);
  }
}
