import { expect, test } from 'vitest';
import { fieldsShown, formFieldOf, readCallValues, writeCallValues } from './call-values.ts';

test.each([
  [{ job: { kind: 'literal', value: 'Lot 7' } }],
  [{ job: { kind: 'literal', value: 'Lot 7' }, total: { kind: 'expression', source: 'trigger.record.total' } }],
  [
    {
      note: { kind: 'expression', source: '"a, b: " & $join(["x", "y"], ", ")' },
      paid: { kind: 'literal', value: true },
    },
  ],
] as const)('fields of a called flow are handed over as one object and read back: %j', (values) => {
  expect(readCallValues(writeCallValues(values))).toEqual(values);
});

test('an object that is computed otherwise is left as it is', () => {
  expect(readCallValues({ kind: 'expression', source: 'trigger.record' })).toBeUndefined();
  expect(readCallValues({ kind: 'expression', source: '$merge([trigger.record, {}])' })).toBeUndefined();
  expect(readCallValues(undefined)).toEqual({});
  expect(writeCallValues({})).toBeUndefined();
});

test('what a flow asks its callers for becomes a form, with what is handed over besides', () => {
  const total = { id: 'total', title: 'Total', type: 'number', required: true } as const;
  const values = readCallValues({ kind: 'literal', value: { total: 1, totl: 2 } }) ?? {};
  expect(fieldsShown([total], values).map(formFieldOf)).toMatchObject([
    { name: 'values.total', title: 'Total', control: 'number', required: true },
    { name: 'values.totl', title: 'totl', control: 'json', required: false },
  ]);
});
