import { describe, expect, test } from 'vitest';
import { checkValue, exampleOf } from './check-value.ts';
import type { JsonSchema } from './catalog.ts';

const schema: JsonSchema = {
  type: 'object',
  properties: {
    vendorId: { type: 'string', title: 'Vendor', minLength: 1 },
    dueDays: { type: 'integer', minimum: 0, default: 30 },
    lines: {
      type: 'array',
      items: { type: 'object', properties: { amount: { type: 'string' } }, required: ['amount'] },
    },
  },
  required: ['vendorId', 'dueDays'],
  additionalProperties: false,
};

describe('a value for a node', () => {
  test('that fits has no problem; a field with a default may be left out', () =>
    expect(checkValue({ vendorId: '56', lines: [{ amount: '1.00' }] }, schema)).toEqual([]));

  test('is told every problem at once, each with its field', () =>
    expect(
      checkValue({ vendorid: '56', dueDays: -1, lines: [{}] }, schema).map(({ field, code }) => [field, code]),
    ).toEqual([
      ['vendorId', 'required_missing'],
      ['vendorid', 'field_unknown'],
      ['dueDays', 'type_mismatch'],
      ['lines', 'type_mismatch'],
    ]));

  test('that is misspelt is told the name that is meant', () =>
    expect(checkValue({ vendorId: '1', lnes: [] }, schema)[0]?.message).toMatch(/Do you mean "lines"/));

  test.each([null, 'text', [1]])('must be fields, not %j', (value) =>
    expect(checkValue(value, schema)).toHaveLength(1),
  );

  test('can be begun from an example', () =>
    expect(exampleOf(schema)).toEqual({ vendorId: '', dueDays: 30, lines: [{ amount: '' }] }));
});
