import { z } from 'zod';
import { badInput, shown } from './bad-input.ts';
import { compareSortable, sortable, type Sortable } from './comparing.ts';
import { addDecimals, decimalText, divideDecimal, readDecimal, zero, type Decimal } from './decimal.ts';
import { fieldName, isEmpty, readerOf, type Row } from './rows.ts';

const labels = { sum: 'Sum', count: 'Number of values', min: 'Smallest', max: 'Largest', average: 'Average' } as const;
/** What is computed of each group of rows. */
export const calculations = z
  .array(
    z.object({
      name: fieldName.meta({ title: 'Name' }),
      operation: z
        .enum(['sum', 'count', 'min', 'max', 'average'])
        .default('sum')
        .meta({ title: 'Calculation', labels }),
      field: z.string().max(200).default('').meta({ title: 'Of field', description: 'Empty to count rows.' }),
    }),
  )
  .max(50);
type Calculation = z.infer<typeof calculations>[number];

/** A row, and where it stood in the list. */
export interface Entry {
  readonly row: Row;
  readonly index: number;
}

/**
 * Prepares a calculation over one group.
 * @throws ConnectorFailure `field_missing` now; `amount_invalid` or `not_comparable` when it is carried out
 */
export function calculate({ name, operation, field }: Calculation): (group: readonly Entry[]) => unknown {
  if (field === '') {
    if (operation === 'count') return (group) => group.length;
    throw badInput('field_missing', `"${name}" has no field to calculate with. Name one, or count rows.`);
  }
  const read = readerOf(field);
  const filled = (group: readonly Entry[]) => group.filter(({ row }) => !isEmpty(read(row)));
  const sum = (group: readonly Entry[]) =>
    group.reduce((total, { row, index }) => addDecimals(total, amountOf(read(row), field, index)), zero);
  switch (operation) {
    case 'count':
      return (group) => filled(group).length;
    case 'sum':
      return (group) => decimalText(sum(filled(group)));
    case 'average':
      return (group) => {
        const entries = filled(group);
        return entries.length === 0 ? null : decimalText(divideDecimal(sum(entries), entries.length));
      };
    default:
      return (group) => extreme(filled(group), field, operation === 'min' ? -1 : 1);
  }
}

function amountOf(value: unknown, field: string, index: number): Decimal {
  const decimal = readDecimal(value);
  if (!decimal)
    throw badInput(
      'amount_invalid',
      `Row ${index + 1}: "${field}" is ${shown(value)}, not an amount like 1234.50. Correct it there, then retry.`,
    );
  return decimal;
}

/** The value that is furthest in a direction, as the row has it. */
function extreme(entries: readonly Entry[], field: string, direction: number): unknown {
  const read = readerOf(field);
  let best: { key: Sortable; value: unknown } | undefined;
  for (const { row, index } of entries) {
    const value = read(row);
    const key = sortable(value);
    if (key === undefined || key === 'empty' || (best && best.key.kind !== key.kind))
      throw badInput(
        'not_comparable',
        `Row ${index + 1}: "${field}" is ${shown(value)}, which has no order with the rows before. Correct it there, then retry.`,
      );
    if (!best || compareSortable(key, best.key) === direction) best = { key, value };
  }
  return best?.value ?? null;
}
