/** The part of QuickBooks' query language that its clients use: `select … from X where a = 'b' and c in (…) orderby … startposition n maxresults m`. */
export interface Query {
  readonly entity: string;
  readonly count: boolean;
  readonly conditions: readonly Condition[];
  readonly order?: { readonly field: string; readonly descending: boolean };
  /** Counts from 1. */
  readonly start: number;
  readonly max: number;
}

interface Condition {
  readonly field: string;
  readonly operator: string;
  readonly values: readonly string[];
}

const MAX_RESULTS = 1_000;
const literal = String.raw`'(?:[^'\\]|\\.)*'|[\w.:+-]+`;
const clauses = new RegExp(
  String.raw`^\s*select\s+(?<what>\*|count\s*\(\s*\*\s*\)|[\w.,\s]+?)\s+from\s+(?<entity>\w+)` +
    String.raw`(?:\s+where\s+(?<where>(?:${literal}|[^'])*?))?` +
    String.raw`(?:\s+order\s*by\s+(?<order>[\w.]+)(?:\s+(?<direction>asc|desc))?)?` +
    String.raw`(?:\s+startposition\s+(?<start>\d+))?(?:\s+maxresults\s+(?<max>\d+))?\s*;?\s*$`,
  'i',
);
const condition = new RegExp(
  String.raw`^\s*([\w.]+)\s*(<=|>=|=|<|>|like\b|in\b)\s*(\((?:\s*(?:${literal})\s*,?)*\)|${literal})\s*(and\s+|$)`,
  'i',
);

/** Undefined when the text is no query. */
export function parseQuery(text: string): Query | undefined {
  const parts = clauses.exec(text)?.groups;
  if (!parts?.['entity'] || !parts['what']) return undefined;
  const conditions: Condition[] = [];
  for (let rest = parts['where'] ?? ''; rest.trim() !== '';) {
    const match = condition.exec(rest);
    if (!match?.[1] || !match[2] || !match[3]) return undefined;
    conditions.push({ field: match[1], operator: match[2].toLowerCase(), values: literals(match[3]) });
    rest = rest.slice(match[0].length);
  }
  const { order, direction, start, max } = parts;
  return {
    entity: parts['entity'],
    count: /^count/i.test(parts['what']),
    conditions,
    ...(order ? { order: { field: order, descending: direction?.toLowerCase() === 'desc' } } : {}),
    start: Number(start ?? 1),
    max: Math.min(Number(max ?? 100), MAX_RESULTS),
  };
}

function literals(text: string): string[] {
  const found = text.match(new RegExp(literal, 'g')) ?? [];
  return found.map((one) => (one.startsWith("'") ? one.slice(1, -1).replace(/\\(.)/g, '$1') : one));
}

/** The rows that meet every condition, in order. Like QuickBooks: unless a condition names `Active`, inactive rows stay out. */
export function runQuery<R extends object>(query: Query, rows: readonly R[]): R[] {
  const asksActive = query.conditions.some(({ field }) => field.toLowerCase() === 'active');
  const found = rows.filter(
    (row) =>
      (asksActive || read(row, 'Active') !== 'false') &&
      query.conditions.every((one) => holds(one, read(row, one.field))),
  );
  const { order } = query;
  if (!order) return found;
  const sign = order.descending ? -1 : 1;
  return found.sort((a, b) => sign * compare(read(a, order.field), read(b, order.field)));
}

/** A field's value as text; a reference stands for the id it holds. */
function read(row: object, path: string): string {
  let value: unknown = row;
  for (const name of path.split('.')) {
    const owner = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
    value = Object.entries(owner).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
  }
  if (typeof value === 'object' && value !== null) value = 'value' in value ? value.value : undefined;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function compare(left: string, right: string): number {
  const difference = Number(left) - Number(right);
  if (left !== '' && right !== '' && !Number.isNaN(difference)) return difference;
  return left.toLowerCase() < right.toLowerCase() ? -1 : left.toLowerCase() > right.toLowerCase() ? 1 : 0;
}

function holds({ operator, values }: Condition, actual: string): boolean {
  const [first = ''] = values;
  switch (operator) {
    case '=':
      return compare(actual, first) === 0;
    case 'in':
      return values.some((value) => compare(actual, value) === 0);
    case 'like':
      return likePattern(first).test(actual);
    case '<':
      return compare(actual, first) < 0;
    case '>':
      return compare(actual, first) > 0;
    case '<=':
      return compare(actual, first) <= 0;
    default:
      return compare(actual, first) >= 0;
  }
}

function likePattern(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('%', '.*')}$`, 'is');
}
