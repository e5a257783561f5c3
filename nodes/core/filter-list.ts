import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { compareSortable, sameValue, sortable } from './comparing.ts';
import { isEmpty, itemsOf, listField, readerOf } from './rows.ts';

const labels = {
  equals: 'is',
  'not-equals': 'is not',
  greater: 'is more than',
  'at-least': 'is at least',
  less: 'is less than',
  'at-most': 'is at most',
  contains: 'contains',
  empty: 'is empty',
  'not-empty': 'has a value',
} as const;
const operators = Object.keys(labels) as [keyof typeof labels, ...(keyof typeof labels)[]];
const ordered: Readonly<Record<string, (sign: number) => boolean>> = {
  greater: (sign) => sign > 0,
  'at-least': (sign) => sign >= 0,
  less: (sign) => sign < 0,
  'at-most': (sign) => sign <= 0,
};

const conditions = z
  .array(
    z.object({
      field: z.string().max(200).default('').meta({ title: 'Field', description: 'Empty for the entry itself.' }),
      operator: z.enum(operators).default('equals').meta({ title: 'Comparison', labels }),
      value: z
        .union([z.string().max(1_000), z.number()])
        .default('')
        .meta({ title: 'Value' }),
    }),
  )
  .min(1)
  .max(50);
type Condition = z.infer<typeof conditions>[number];

/**
 * Keeps the entries of a list that match, in their order.
 * Amounts compare by their exact value ("100" is "100.00"), days and times by the moment; an entry without the field matches no comparison of size.
 *
 * Errors: `not_comparable` where an amount is compared with something that is none; `value_missing` where a condition has nothing to compare with.
 */
export const node = defineAction({
  id: 'core.filter-list',
  title: 'Filter a list',
  description: 'Keeps the rows that match, for example the lines over 1,000.',
  category: 'Data',
  icon: 'list-filter',
  effect: 'none',
  input: z.object({
    list: listField({ title: 'List' }),
    conditions: conditions.meta({ title: 'Conditions' }),
    match: z
      .enum(['all', 'any'])
      .default('all')
      .meta({ title: 'Keep a row when', labels: { all: 'all of them hold', any: 'one of them holds' } }),
  }),
  output: z.object({ rows: z.array(z.unknown()), count: z.number(), removed: z.number() }),
  example: {
    list: [{ amount: '1200.00' }, { amount: '80.50' }],
    conditions: [{ field: 'amount', operator: 'greater', value: '1000' }],
  },
  run({ input }) {
    const list = itemsOf(input.list, 'List');
    const tests = input.conditions.map(testOf);
    const holds = input.match === 'all' ? tests.every.bind(tests) : tests.some.bind(tests);
    const rows = list.filter((item, index) => holds((test) => test(item, index)));
    return Promise.resolve({ output: { rows, count: rows.length, removed: list.length - rows.length } });
  },
});

function testOf({ field, operator, value }: Condition): (item: unknown, index: number) => boolean {
  const read = readerOf(field);
  const wanted = sortable(value);
  const decide = ordered[operator];
  if (decide) {
    if (wanted === undefined || wanted === 'empty')
      throw badInput('value_missing', `The condition on "${field}" has nothing to compare with. Fill in its value.`);
    return (item, index) => {
      const found = sortable(read(item));
      if (found === 'empty') return false;
      if (found?.kind !== wanted.kind)
        throw badInput(
          'not_comparable',
          `Row ${index + 1}: "${field}" is ${shown(read(item))}, which has no order with ${shown(value)}. Correct the row or the condition.`,
        );
      return decide(compareSortable(found, wanted));
    };
  }
  switch (operator) {
    case 'empty':
      return (item) => isEmpty(read(item));
    case 'not-empty':
      return (item) => !isEmpty(read(item));
    case 'contains':
      return (item) => contains(read(item), value);
    default:
      return (item) => isSame(read(item), value) === (operator === 'equals');
  }
}

/** A condition's value is typed as text, so `true` is "true"; nothing is the same as empty text. */
function isSame(found: unknown, value: Condition['value']): boolean {
  return sameValue(found ?? '', value) || (typeof found === 'boolean' && String(found) === String(value).toLowerCase());
}

/** Text that has the value in it, capitals or not; a list that has the value as an entry. */
function contains(found: unknown, value: Condition['value']): boolean {
  if (Array.isArray(found)) return found.some((entry) => isSame(entry, value));
  if (found === null || found === undefined || typeof found === 'object') return false;
  return String(found).toLowerCase().includes(String(value).toLowerCase());
}
