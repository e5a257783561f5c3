import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { calculate, calculations, type Entry } from './calculation.ts';
import { keyText } from './comparing.ts';
import { fieldNames, listField, readerOf, refuseReserved, rowsOf } from './rows.ts';

/**
 * Makes one row of each group of rows. Sums and averages are decimal text: a sum is exact and has as many places as its most precise value,
 * an average is rounded half away from zero. A row without the field adds nothing to a calculation; rows without a group's field form a group.
 * Without a field to group by there is always one row, of an empty list too.
 *
 * Errors: `field_missing`; `amount_invalid` where a value to be added is no amount, `not_comparable`, `key_invalid`, `name_duplicate`, `reserved_key`, `row_invalid`.
 */
export const node = defineAction({
  id: 'core.group-list',
  title: 'Group a list',
  description: 'Adds up rows by a field, for example cost by cost code.',
  category: 'Data',
  icon: 'group',
  effect: 'none',
  input: z.object({
    list: listField({ title: 'List' }),
    by: fieldNames(10).default([]).meta({ title: 'Group by', description: 'Empty for one total of all rows.' }),
    calculations: calculations.default([]).meta({ title: 'Calculate' }),
    withRows: z
      .boolean()
      .default(false)
      .meta({ title: 'Keep the rows', description: 'Each group hands on its rows, as "rows".' }),
  }),
  output: z.object({ groups: z.array(z.record(z.string(), z.unknown())), count: z.number() }),
  example: {
    list: [
      { code: '03-100', amount: '10.10' },
      { code: '03-100', amount: '5.05' },
    ],
    by: [{ field: 'code' }],
    calculations: [{ name: 'total', operation: 'sum', field: 'amount' }],
  },
  run({ input: { list, by, calculations: wanted, withRows } }) {
    const rows = rowsOf(list, 'List');
    checkNames([...by.map(({ field }) => field), ...wanted.map(({ name }) => name), ...(withRows ? ['rows'] : [])]);
    // One total of all rows is there even when there are none.
    const groups = new Map<string, Entry[]>(by.length === 0 ? [['[]', []]] : []);
    const keys = by.map(({ field }) => ({ field, read: readerOf(field) }));
    for (const [index, row] of rows.entries()) {
      const key = JSON.stringify(keys.map(({ field, read }) => keyOf(read(row), field, index)));
      const group = groups.get(key);
      if (group) group.push({ row, index });
      else groups.set(key, [{ row, index }]);
    }
    const columns = wanted.map((calculation) => ({ name: calculation.name, compute: calculate(calculation) }));
    const output = [...groups.values()].map((group) => ({
      ...Object.fromEntries(keys.map(({ field, read }) => [field, read(group[0]?.row) ?? null])),
      ...Object.fromEntries(columns.map(({ name, compute }) => [name, compute(group)])),
      ...(withRows ? { rows: group.map(({ row }) => row) } : {}),
    }));
    return Promise.resolve({ output: { groups: output, count: output.length } });
  },
});

function checkNames(names: readonly string[]): void {
  for (const [at, name] of names.entries()) {
    refuseReserved(name, 'A field of the groups');
    if (names.indexOf(name) !== at)
      throw badInput('name_duplicate', `Two fields of the groups are called "${name}". Rename one of them.`);
  }
}

function keyOf(value: unknown, field: string, index: number): string | null {
  const key = keyText(value);
  if (key === undefined)
    throw badInput(
      'key_invalid',
      `Row ${index + 1}: "${field}" is ${shown(value)}, which nothing can be grouped by. Choose a field inside it.`,
    );
  return key;
}
