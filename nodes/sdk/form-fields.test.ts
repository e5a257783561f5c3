import { describe, expect, test } from 'vitest';
import { checkForm, type FormField } from './form-fields.ts';

const fields: readonly FormField[] = [
  { id: 'site', title: 'Site', type: 'text', required: true },
  { id: 'lots', title: 'Lots', type: 'number' },
  { id: 'due', title: 'Due', type: 'date' },
  { id: 'trade', title: 'Trade', type: 'choice', choices: 'Framing, Roofing,\nDrywall' },
  { id: 'urgent', title: 'Urgent', type: 'yes_no' },
  { id: 'vendor', title: 'Vendor', type: 'record', entity: 'vendor' },
];
const id = '0198c0de-0000-7000-8000-000000000001';

describe('a form', () => {
  test('gives values of the types that were declared; what is left empty is not there', () => {
    const values = { site: 'Lot 7', lots: '12.5', due: '2028-02-29', trade: 'Drywall', urgent: false, vendor: id };
    expect(checkForm(fields, values)).toEqual({ values: { ...values, lots: 12.5 } });
    expect(checkForm(fields, { site: 'Lot 7', lots: '', due: null, trade: '  ' })).toEqual({
      values: { site: 'Lot 7' },
    });
  });

  test.each([
    [{}, 'site', 'Site is missing.'],
    [{ site: ' ' }, 'site', 'Site is missing.'],
    [{ site: 7 }, 'site', 'Site must be text.'],
    [{ site: 'x'.repeat(10_001) }, 'site', 'Site is longer than 10,000 characters.'],
    [{ site: 'x', lots: 'twelve' }, 'lots', 'Lots must be a number.'],
    [{ site: 'x', lots: Number.NaN }, 'lots', 'Lots must be a number.'],
    [{ site: 'x', lots: '1e400' }, 'lots', 'Lots must be a number.'],
    [{ site: 'x', due: '2026-02-30' }, 'due', 'Due must be a day that exists.'],
    [{ site: 'x', due: 'tomorrow' }, 'due', 'Due must be a day that exists.'],
    [{ site: 'x', trade: 'Plumbing' }, 'trade', 'Trade must be one of its choices.'],
    [{ site: 'x', urgent: 'yes' }, 'urgent', 'Urgent must be yes or no.'],
    [{ site: 'x', vendor: 'Acme' }, 'vendor', 'Vendor must be a record.'],
  ])('%j is refused, with the field and what to do', (values, field, message) => {
    expect(checkForm(fields, values)).toEqual({
      problem: { field, code: 'invalid_input', message, fix: expect.stringMatching(/\w/) },
    });
  });

  test.each(['other', '__proto__', 'constructor'])('a field "%s" that nobody declared is refused', (name) => {
    const values = JSON.parse(`{"site":"x","${name}":1}`) as Record<string, unknown>;
    expect(checkForm(fields, values)).toMatchObject({ problem: { field: name, code: 'unknown_field' } });
  });
});
