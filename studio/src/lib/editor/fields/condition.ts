import type { JsonSchema } from '@plumbline/workflows/flow';
import { splitTop } from './path.ts';

/** How a field is compared, in words. */
export const comparisons = {
  more: 'is more than',
  least: 'is at least',
  less: 'is less than',
  most: 'is at most',
  equals: 'is',
  differs: 'is not',
  contains: 'contains',
  starts: 'starts with',
  before: 'is before',
  after: 'is after',
  filled: 'has a value',
  empty: 'is empty',
  yes: 'is yes',
  no: 'is no',
} as const;

export type Comparison = keyof typeof comparisons;

/** One row: a field, how it is compared, with what. */
export interface ConditionRow {
  readonly path: string;
  readonly is: Comparison;
  readonly value: string;
}

export interface Condition {
  /** Whether every row must hold, or one is enough. */
  readonly join: 'all' | 'any';
  readonly rows: readonly ConditionRow[];
}

const signs = { more: '>', least: '>=', less: '<', most: '<=' } as const;
const signOf: Readonly<Record<string, keyof typeof signs>> = { '>': 'more', '>=': 'least', '<': 'less', '<=': 'most' };

const number = /^[+-]?\d{1,18}(?:\.\d{1,12})?$/;

/** What a person types as a number, digits only: `10,000` and `$10 000` are 10000. Undefined when it is no number. */
export function readNumber(text: string): string | undefined {
  const digits = text.replace(/[\s,$€£_]/g, '');
  return number.test(digits) ? digits : undefined;
}

/** Whether a comparison needs something to compare with. */
export function takesValue(is: Comparison): boolean {
  return is !== 'filled' && is !== 'empty' && is !== 'yes' && is !== 'no';
}

/** Comparisons that make sense for a field, the likeliest first. Amounts are decimal text, so text may be compared as an amount. */
export function comparisonsFor(schema: JsonSchema | undefined, sample: unknown): readonly Comparison[] {
  const type = Array.isArray(schema?.type) ? schema.type[0] : schema?.type;
  if (type === 'boolean' || typeof sample === 'boolean') return ['yes', 'no', 'filled', 'empty'];
  if (type === 'number' || type === 'integer' || typeof sample === 'number')
    return ['more', 'least', 'less', 'most', 'equals', 'differs', 'filled', 'empty'];
  if (typeof sample === 'string' && number.test(sample))
    return ['more', 'least', 'less', 'most', 'equals', 'differs', 'contains', 'filled', 'empty'];
  if (typeof sample === 'string' && /^\d{4}-\d{2}-\d{2}/.test(sample))
    return ['before', 'after', 'equals', 'differs', 'filled', 'empty'];
  return [
    'equals',
    'differs',
    'contains',
    'starts',
    'more',
    'least',
    'less',
    'most',
    'before',
    'after',
    'filled',
    'empty',
  ];
}

/**
 * The rows as JSONata. Always gives yes or no, even where a field is missing: `$moneyCompare` refuses a missing amount, so an amount
 * is asked for first; a comparison with nothing would give nothing.
 */
export function writeCondition({ join, rows }: Condition): string {
  const parts = rows.filter((row) => row.path !== '' && (!takesValue(row.is) || row.value.trim() !== '')).map(writeRow);
  if (parts.length === 0) return '';
  return parts.join(join === 'all' ? ' and ' : ' or ');
}

function writeRow({ path, is, value }: ConditionRow): string {
  switch (is) {
    case 'more':
    case 'least':
    case 'less':
    case 'most':
      return `($exists(${path}) and $moneyCompare(${path}, ${JSON.stringify(readNumber(value) ?? value)}) ${signs[is]} 0)`;
    case 'before':
      return `($exists(${path}) and $string(${path}) < ${JSON.stringify(value)})`;
    case 'after':
      return `($exists(${path}) and $string(${path}) > ${JSON.stringify(value)})`;
    case 'contains':
      return `($exists(${path}) and $contains($string(${path}), ${JSON.stringify(value)}))`;
    case 'starts':
      return `($exists(${path}) and $substring($string(${path}), 0, ${value.length}) = ${JSON.stringify(value)})`;
    case 'equals':
      return `$string(${path}) = ${JSON.stringify(value)}`;
    case 'differs':
      return `$not($string(${path}) = ${JSON.stringify(value)})`;
    case 'filled':
      return `${path} != ""`;
    case 'empty':
      return `$not(${path} != "")`;
    case 'yes':
      return `${path} = true`;
    case 'no':
      return `${path} = false`;
  }
}

const path = String.raw`((?:[A-Za-z_]\w*|\x60[^\x60]+\x60)(?:\.(?:[A-Za-z_]\w*|\x60[^\x60]+\x60))*)`;
const text = String.raw`("(?:[^"\\]|\\.)*")`;

/** Every form `writeRow` gives, and the short forms people write themselves. */
const forms: readonly (readonly [RegExp, (match: RegExpExecArray) => ConditionRow | undefined])[] = [
  [
    form(String.raw`\(\$exists\(${path}\) and \$moneyCompare\(${path}, ?(?:${text}|([\d.]+))\) (>=|<=|>|<) 0\)`),
    (m) => same(m, amount(m[2], m[3], m[4], m[5])),
  ],
  [
    form(String.raw`\$moneyCompare\(${path}, ?(?:${text}|([\d.]+))\) (>=|<=|>|<) 0`),
    (m) => amount(m[1], m[2], m[3], m[4]),
  ],
  [form(String.raw`\$number\(${path}\) (>=|<=|>|<) ([\d.]+)`), (m) => amount(m[1], undefined, m[3], m[2])],
  [
    form(String.raw`\(\$exists\(${path}\) and \$string\(${path}\) (<|>) ${text}\)`),
    (m) => same(m, row(m[2], m[3] === '<' ? 'before' : 'after', m[4])),
  ],
  [
    form(String.raw`\(\$exists\(${path}\) and \$contains\(\$string\(${path}\), ${text}\)\)`),
    (m) => same(m, row(m[2], 'contains', m[3])),
  ],
  [
    form(String.raw`\(\$exists\(${path}\) and \$substring\(\$string\(${path}\), 0, (\d+)\) = ${text}\)`),
    (m) => same(m, row(m[2], 'starts', m[4])),
  ],
  [form(String.raw`\$string\(${path}\) = ${text}`), (m) => row(m[1], 'equals', m[2])],
  [form(String.raw`\$not\(\$string\(${path}\) = ${text}\)`), (m) => row(m[1], 'differs', m[2])],
  [form(String.raw`\$not\(${path} != ""\)`), (m) => row(m[1], 'empty', '""')],
  [form(String.raw`${path} != ""`), (m) => row(m[1], 'filled', '""')],
  [form(String.raw`${path} = (true|false)`), (m) => row(m[1], m[2] === 'true' ? 'yes' : 'no', '""')],
  [form(String.raw`${path} = ${text}`), (m) => row(m[1], 'equals', m[2])],
];

function form(source: string): RegExp {
  return new RegExp(`^${source}$`);
}

function amount(
  field: string | undefined,
  quoted: string | undefined,
  bare: string | undefined,
  sign: string | undefined,
): ConditionRow | undefined {
  const is = signOf[sign ?? ''];
  return is && row(field, is, quoted ?? JSON.stringify(bare ?? ''));
}

/** A row, when the literal is JSON text. */
function row(field: string | undefined, is: Comparison, literal: string | undefined): ConditionRow | undefined {
  try {
    return { path: field ?? '', is, value: JSON.parse(literal ?? '""') as string };
  } catch {
    return undefined;
  }
}

/** In the guarded forms both mentions must be of the same field. */
function same(match: RegExpExecArray, found: ConditionRow | undefined): ConditionRow | undefined {
  return match[1] === match[2] ? found : undefined;
}

/** Reads rows back from an expression; undefined when it says more than rows can. An empty expression is no rows. */
export function readCondition(source: string): Condition | undefined {
  const trimmed = source.trim();
  if (trimmed === '') return { join: 'all', rows: [] };
  const all = splitTop(trimmed, ' and ');
  const any = splitTop(trimmed, ' or ');
  if (all.length > 1 && any.length > 1) return undefined;
  const rows: ConditionRow[] = [];
  for (const part of any.length > 1 ? any : all) {
    const found = readRow(part.trim());
    if (!found) return undefined;
    rows.push(found);
  }
  return { join: any.length > 1 ? 'any' : 'all', rows };
}

function readRow(source: string): ConditionRow | undefined {
  for (const [pattern, read] of forms) {
    const match = pattern.exec(source);
    const found = match && read(match);
    if (found) return found;
  }
  return undefined;
}
