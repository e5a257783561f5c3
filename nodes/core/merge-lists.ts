import { z } from 'zod';
import { defineAction } from '../sdk/index.ts';
import { badInput, shown } from './bad-input.ts';
import { keyText } from './comparing.ts';
import { fieldName, listField, readerOf, ROWS_MAX, rowsOf, type Row } from './rows.ts';

const on = z
  .array(
    z.object({
      left: fieldName.meta({ title: 'Field of the first' }),
      right: z
        .string()
        .max(200)
        .default('')
        .meta({ title: 'Field of the second', description: 'Empty when it is called the same.' }),
    }),
  )
  .min(1)
  .max(5);

/**
 * Joins two lists by a key: each row of the first gets the fields of the rows of the second that have its key.
 * A row that lacks a part of the key matches nothing. Where several match, there is one row for each.
 *
 * Errors: `key_invalid` names the row; `result_too_large` where matches multiply beyond what a list may hold; `row_invalid`.
 */
export const node = defineAction({
  id: 'core.merge-lists',
  title: 'Join two lists',
  description: 'Brings rows of two lists together by a field, for example bill lines with their budget.',
  category: 'Data',
  icon: 'merge',
  effect: 'none',
  input: z.object({
    left: listField({ title: 'First list' }),
    right: listField({ title: 'Second list' }),
    on: on.meta({ title: 'Same' }),
    kind: z
      .enum(['left', 'inner', 'outer'])
      .default('left')
      .meta({
        title: 'Keep',
        labels: { left: 'All of the first list', inner: 'Only rows with a match', outer: 'All rows of both' },
      }),
    clash: z
      .enum(['left', 'right'])
      .default('left')
      .meta({
        title: 'Where both have a field',
        labels: { left: 'Keep the first’s', right: 'Take the second’s' },
        advanced: true,
      }),
  }),
  output: z.object({
    rows: z.array(z.record(z.string(), z.unknown())),
    count: z.number(),
    onlyLeft: z.number(),
    onlyRight: z.number(),
  }),
  example: {
    left: [{ code: '03-100', amount: '12.50' }],
    right: [{ code: '03-100', account: '5100' }],
    on: [{ left: 'code' }],
  },
  run({ input: { left, right, on: pairs, kind, clash } }) {
    const first = rowsOf(left, 'First list');
    const second = rowsOf(right, 'Second list');
    const matches = new Map<string, Row[]>();
    const rightKey = keyReader(
      pairs.map((pair) => pair.right || pair.left),
      'second list',
    );
    const alone: Row[] = [];
    const keys = second.map((row, index) => rightKey(row, index));
    for (const [index, row] of second.entries()) {
      const key = keys[index] ?? null;
      const found = key === null ? undefined : matches.get(key);
      if (found) found.push(row);
      else if (key !== null) matches.set(key, [row]);
    }
    const rows: Row[] = [];
    const add = (row: Row): void => {
      if (rows.length === ROWS_MAX)
        throw badInput(
          'result_too_large',
          `The joined list would have more than ${ROWS_MAX} rows, because keys repeat in both. Join by more fields, or remove duplicates first.`,
        );
      rows.push(row);
    };
    const used = new Set<string>();
    const leftKey = keyReader(
      pairs.map((pair) => pair.left),
      'first list',
    );
    let onlyLeft = 0;
    for (const [index, row] of first.entries()) {
      const key = leftKey(row, index);
      const found = key === null ? undefined : matches.get(key);
      if (key !== null && found) {
        used.add(key);
        for (const match of found) add(clash === 'left' ? { ...match, ...row } : { ...row, ...match });
        continue;
      }
      onlyLeft += 1;
      if (kind !== 'inner') add(row);
    }
    for (const [index, row] of second.entries()) {
      const key = keys[index] ?? null;
      if (key === null || !used.has(key)) alone.push(row);
    }
    if (kind === 'outer') alone.forEach(add);
    return Promise.resolve({ output: { rows, count: rows.length, onlyLeft, onlyRight: alone.length } });
  },
});

/** The key of a row as text; null when a part of it is missing. */
function keyReader(fields: readonly string[], title: string): (row: Row, index: number) => string | null {
  const parts = fields.map((field) => ({ field, read: readerOf(field) }));
  return (row, index) => {
    const texts = parts.map(({ field, read }) => {
      const text = keyText(read(row));
      if (text === undefined)
        throw badInput(
          'key_invalid',
          `Row ${index + 1} of the ${title}: "${field}" is ${shown(read(row))}. Join by a field inside it.`,
        );
      return text;
    });
    return texts.includes(null) ? null : JSON.stringify(texts);
  };
}
